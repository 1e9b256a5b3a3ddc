"""A few persons, cases and files for the tests of the CSV connector."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crm_sync
from crm_sync.csv_file import CsvFiles
from crm_sync.records import contact, finding, segment_members
from domain.case import Case, CaseId, PersonId, Priority
from domain.contracts import CrmRecord
from domain.person import Person, Segment, SegmentId

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEA = Person(
    PersonId("p1"), name="Léa Martin", email="lea@example.fr", phone="+33 6 12 34 56 78", customer_ref="C1", lang="fr"
)
PAUL = Person(PersonId("p2"), name="Paul, dit « =Popol »", email="paul@example.fr", lang="en")
NOMAIL = Person(PersonId("p3"), name="Ana Lopez", phone="06 11 22 33 44")
STRANGER = Person(PersonId("p9"), name="troll")
URL = "https://x.com/i/77?a=1&b=2"


def connect(folder: Path, **settings: str) -> CsvFiles:
    """A connector to files below this folder."""
    made = crm_sync.build("csv_file", {"folder": str(folder), **settings})
    assert isinstance(made, CsvFiles)
    return made


def case_of(person: Person, number: int = 1, **fields: Any) -> Case:
    """A late parcel of this person."""
    case = Case(
        CaseId(f"c{number}"),
        "logistics",
        "order_delivery_issue",
        "x",
        f"x:{number}",
        AT,
        AT,
        person_id=person.id,
        priority=Priority.URGENT,
        urgency=2,
        mention_count=3,
    )
    return replace(case, **fields)


def found(person: Person, number: int = 1, **fields: Any) -> CrmRecord:
    """The finding of such a case."""
    return finding(case_of(person, number, **fields), person, url=URL)


def segment(*persons: Person, title: str = "Fidèles & co") -> CrmRecord:
    """A segment of these persons."""
    return segment_members(Segment(SegmentId("vip"), title), persons)


def everything() -> list[CrmRecord]:
    """Contacts, findings and a segment of the persons above."""
    persons = [LEA, PAUL, NOMAIL]
    contacts = [contact(person) for person in persons]
    findings = [found(person, number) for number, person in enumerate([*persons, STRANGER], 1)]
    return [*contacts, *findings, segment(*persons)]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one file, as an importer reads them."""
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def everything_in(folder: Path) -> dict[str, list[list[str]]]:
    """All files below a folder that an importer would read, by name."""
    state = {}
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            state[path.relative_to(folder).as_posix()] = sorted(csv.reader(file, strict=True))
    return state
