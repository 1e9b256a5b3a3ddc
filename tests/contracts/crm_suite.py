"""What every CRM connector promises: CHECKS, run over CRMS by test_crms.py, each with a broken double that must fail it.

A check gets a Bench: a CRM of its own (a folder, a pretend server), connectors to it, and a look at what it holds. To add a
promise, write a check here and a double that breaks it in BROKEN.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from crm_sync.records import contact, finding, forget, segment_members
from domain.case import Case, CaseId, PersonId
from domain.contracts import (
    CanFindRecord,
    CrmConnector,
    CrmRecord,
    CrmSpec,
    IdempotencyKey,
    Receipt,
    ReceiptState,
    RemoteId,
)
from domain.errors import ConfigurationError
from domain.person import Person, Segment, SegmentId

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Bench(Protocol):
    """One CRM under test."""

    def connector(self) -> CrmConnector:
        """A new connector to the same CRM: what it knows, it knows from there."""

    def misconfigured(self) -> Sequence[CrmConnector]:
        """Connectors whose settings a person has to mend."""

    def rows(self) -> list[str]:
        """Everything that the CRM holds, one printable row a thing, sorted."""


# -- what is pushed ------------------------------------------------------------------------------------------------------


def person(number: int, **fields: str | None) -> Person:
    """A customer whom every CRM can take."""
    known: dict[str, str | None] = {
        "email": f"customer{number}@example.fr",
        "phone": f"+3360000{number:04}",
        "customer_ref": f"REF{number}",
        "lang": "fr",
    }
    return Person(PersonId(f"person{number}"), name=f"Prénom{number} Nom{number}", **{**known, **fields})  # type: ignore[arg-type]


def case(number: int, of: int | None = None, **fields: object) -> Case:
    """A case, of the person with the same number where none is named."""
    values: dict[str, object] = {
        "id": CaseId(f"case{number}"),
        "department": "logistics",
        "intent": "order_delivery_issue",
        "network": "x",
        "thread_id": f"x:thread{number}",
        "opened_at": AT,
        "last_inbound_at": AT,
        "person_id": PersonId(f"person{number if of is None else of}"),
    }
    return Case(**{**values, **fields})  # type: ignore[arg-type]


def segment(*numbers: int, title: str = "Fidèles") -> CrmRecord:
    """A segment of these persons."""
    return segment_members(Segment(SegmentId("seg1"), title), [person(number) for number in numbers])


def about(number: int) -> list[CrmRecord]:
    """A contact and a finding."""
    return [contact(person(number)), finding(case(number), person(number))]


def everything() -> list[CrmRecord]:
    """Every kind of record, of three persons."""
    return [*about(1), *about(2), segment(1, 2), *about(3), forget(PersonId("person3"))]


# -- the checks ----------------------------------------------------------------------------------------------------------


def one_receipt_a_record_in_order(bench: Bench) -> None:
    """Receipts answer the records one by one."""
    records = everything()
    receipts = bench.connector().push(records)
    assert [receipt.key for receipt in receipts] == [record.key for record in records]
    assert {receipt.state for receipt in receipts} == {ReceiptState.ACCEPTED}


def an_empty_batch_is_nothing(bench: Bench) -> None:
    """No records, no receipts, no rows."""
    assert list(bench.connector().push([])) == []
    assert bench.rows() == []


def pushed_twice_makes_no_second(bench: Bench) -> None:
    """The same keys again, by the same connector and by another one, change nothing."""
    connector = bench.connector()
    connector.push(everything())
    once = bench.rows()
    assert any("customer1@example.fr" in row for row in once)
    for again in (connector, bench.connector()):
        assert {receipt.state for receipt in again.push(everything())} == {ReceiptState.ACCEPTED}
        assert bench.rows() == once


def the_same_key_twice_in_one_batch_makes_no_second(bench: Bench) -> None:
    """Two versions in one batch: one row, the later one."""
    bench.connector().push(about(1))
    expected = bench.rows()
    older = [contact(person(1, phone="+33611111111")), finding(case(1, urgency=3), person(1))]
    bench.connector().push([*older, *about(1)])
    assert bench.rows() == expected


def the_later_one_wins(bench: Bench) -> None:
    """A record pushed again with other fields replaces what was there, and only that."""
    connector = bench.connector()
    connector.push([*about(1), *about(2), segment(1, 2)])
    others = [row for row in bench.rows() if "person2" in row and "person1" not in row]
    connector.push([contact(person(1, phone="+33699999999")), segment(2)])
    rows = bench.rows()
    assert any("33699999999" in row for row in rows)
    assert not any("600000001" in row for row in rows if "case1" not in row)  # a finding keeps what it said
    assert not any("seg1" in row and "person1" in row for row in rows)
    assert [row for row in rows if "person2" in row and "seg1" not in row] == [
        row for row in others if "seg1" not in row
    ]


def forgetting_forgets_everywhere(bench: Bench) -> None:
    """Of a forgotten person nothing is left that says who it was or what was said; the others stay."""
    connector = bench.connector()
    connector.push([*about(1), finding(case(11, of=1), person(1)), *about(2), segment(1, 2)])
    others = [row for row in bench.rows() if "person2" in row and "person1" not in row]
    receipts = bench.connector().push([forget(PersonId("person1"))])
    assert [receipt.state for receipt in receipts] == [ReceiptState.ACCEPTED]
    rows = bench.rows()
    traces = ("customer1@", "600000001", "Nom1", "REF1", "thread1", "case1")
    assert [row for row in rows for trace in traces if trace in row] == []
    assert not any("seg1" in row and "person1" in row for row in rows)
    assert [row for row in others if row not in rows] == []
    assert any("seg1" in row and "person2" in row for row in rows)


def records_count_in_their_order(bench: Bench) -> None:
    """In one batch, forgetting undoes what comes before it and not what comes after."""
    bench.connector().push([*about(1), forget(PersonId("person1")), forget(PersonId("person2")), *about(2)])
    rows = bench.rows()
    assert not any("customer1@" in row for row in rows)
    assert any("customer2@" in row for row in rows)


def forgetting_a_stranger_is_accepted(bench: Bench) -> None:
    """A person whom the CRM never knew is as forgotten as can be."""
    (receipt,) = bench.connector().push([forget(PersonId("nobody"))])
    assert receipt.state is ReceiptState.ACCEPTED


def a_whole_batch_is_taken(bench: Bench) -> None:
    """`batch_size` records are taken at once; more are taken whole or not at all, never cut in silence."""
    connector = bench.connector()
    size = connector.spec.batch_size
    assert size >= 1
    records = [finding(case(number), person(number)) for number in range(size)]
    assert [receipt.state for receipt in connector.push(records)] == [ReceiptState.ACCEPTED] * size
    before = bench.rows()
    more = [finding(case(number), person(number)) for number in range(size, 2 * size + 1)]
    try:
        receipts = connector.push(more)
    except ValueError:
        assert bench.rows() == before
    else:
        assert [receipt.key for receipt in receipts] == [record.key for record in more]
        assert all(any(f"case{number}" in row for row in bench.rows()) for number in range(size, 2 * size + 1))


def unknown_fields_are_passed_over(bench: Bench) -> None:
    """A field that the connector has no place for, or that is missing or null, costs nobody the record."""
    record = contact(person(1))
    fields = {**record.fields, "shoe_size": 42, "lang": None}
    del fields["customer_ref"]
    (receipt,) = bench.connector().push([replace(record, fields=fields)])
    assert receipt.state is ReceiptState.ACCEPTED
    assert any("customer1@example.fr" in row for row in bench.rows())


def a_refusal_says_why_and_costs_only_its_record(bench: Bench) -> None:
    """A record that cannot be taken is refused with a reason; its neighbours are not."""
    nameless = CrmRecord(contact(person(1)).kind, IdempotencyKey("contact:"), {"name": "Nobody"})
    first, second, third = bench.connector().push([contact(person(1)), nameless, contact(person(2))])
    assert second.state is ReceiptState.REFUSED and len(second.reason) > 10
    assert first.state is third.state is ReceiptState.ACCEPTED
    assert any("customer2@" in row for row in bench.rows())


def check_raises_only_configuration_errors(bench: Bench) -> None:
    """A CRM that is well set up passes in silence; one that is not says what to do."""
    bench.connector().check()
    connectors = bench.misconfigured()
    assert connectors
    for connector in connectors:
        try:
            connector.check()
        except ConfigurationError as error:
            assert len(str(error)) > 20
        else:
            raise AssertionError("check() found nothing wrong")


def check_writes_nothing(bench: Bench) -> None:
    """Looking is not telling."""
    bench.connector().check()
    assert bench.rows() == []


def find_agrees_with_push(bench: Bench) -> None:
    """Where a record can be looked up: not there before, then under the id that the receipt gave, gone when forgotten."""
    connector = bench.connector()
    if not isinstance(connector, CanFindRecord):
        return
    records = [*about(1), segment(1), forget(PersonId("person3"))]
    assert [connector.find(record) for record in records] == [None] * len(records)
    receipts = connector.push(records)
    other = bench.connector()
    assert isinstance(other, CanFindRecord)
    assert [other.find(record) for record in records] == [receipt.remote_id for receipt in receipts]
    assert None not in [receipt.remote_id for receipt in receipts]
    assert other.find(contact(person(2))) is None
    other.push([forget(PersonId("person1"))])
    assert [connector.find(record) for record in about(1)] == [None, None]


Check = Callable[[Bench], None]

CHECKS: tuple[Check, ...] = (
    one_receipt_a_record_in_order,
    an_empty_batch_is_nothing,
    pushed_twice_makes_no_second,
    the_same_key_twice_in_one_batch_makes_no_second,
    the_later_one_wins,
    forgetting_forgets_everywhere,
    records_count_in_their_order,
    forgetting_a_stranger_is_accepted,
    a_whole_batch_is_taken,
    unknown_fields_are_passed_over,
    a_refusal_says_why_and_costs_only_its_record,
    check_raises_only_configuration_errors,
    check_writes_nothing,
    find_agrees_with_push,
)


# -- a CRM in memory, right and wrong ------------------------------------------------------------------------------------

SPEC = CrmSpec("memory", "CRM in memory", batch_size=20)


class MemoryCrm:
    """The shortest CRM that keeps all promises; the broken doubles each break one."""

    spec = SPEC

    def __init__(self, rows: dict[str, dict[str, str]], *, fine: bool = True) -> None:
        self.rows, self.fine = rows, fine

    def check(self) -> None:
        if not self.fine:
            raise ConfigurationError("The setting “token” of the CRM in memory is missing.")

    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        return [self.take(record) for record in records]

    def take(self, record: CrmRecord) -> Receipt:
        _, _, name = record.key.partition(":")
        if not name:
            return Receipt(record.key, ReceiptState.REFUSED, reason="The record has no id.")
        if record.kind == "forget":
            self.forget(record.fields["person_id"])
        self.store(record)
        return Receipt(record.key, ReceiptState.ACCEPTED, RemoteId(record.key))

    def store(self, record: CrmRecord) -> None:
        self.rows[record.key] = {name: str(value) for name, value in record.fields.items()}

    def forget(self, person_id: str) -> None:
        for key, row in list(self.rows.items()):
            if row.get("person_id") == person_id:
                del self.rows[key]
            elif "person_ids" in row:
                row["person_ids"] = row["person_ids"].replace(f"'{person_id}'", "")
                row["emails"] = ""

    def find(self, record: CrmRecord) -> RemoteId | None:
        return RemoteId(record.key) if record.key in self.rows else None


class MemoryBench:
    """A MemoryCrm, or a broken one, under test."""

    def __init__(self, make: type[MemoryCrm] = MemoryCrm) -> None:
        self._make = make
        self._rows: dict[str, dict[str, str]] = {}

    def connector(self) -> CrmConnector:
        return self._make(self._rows)

    def misconfigured(self) -> Sequence[CrmConnector]:
        return [self._make({}, fine=False)]

    def rows(self) -> list[str]:
        return sorted(f"{key} {row}" for key, row in self._rows.items())


class AnswersLate(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        return super().push(records)[::-1]


class SaysHello(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        self.rows["log"] = {"count": str(len(records))}
        return super().push(records)


class Doubles(MemoryCrm):
    def store(self, record: CrmRecord) -> None:
        self.rows[f"{record.key}#{len(self.rows)}"] = {name: str(value) for name, value in record.fields.items()}


class DoublesInOneBatch(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        keys = [record.key for record in records]
        receipts = super().push(records)
        self.rows |= {f"{key} again": dict(self.rows[key]) for key in keys if keys.count(key) > 1 and key in self.rows}
        return receipts


class KeepsTheFirst(MemoryCrm):
    def store(self, record: CrmRecord) -> None:
        if record.key not in self.rows:
            super().store(record)


class ForgetsContactsOnly(MemoryCrm):
    def forget(self, person_id: str) -> None:
        self.rows.pop(f"contact:{person_id}", None)


class ForgetsLast(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        receipts = {record.key: self.take(record) for record in sorted(records, key=lambda one: one.kind == "forget")}
        return [receipts[record.key] for record in records]


class KnowsNoStrangers(MemoryCrm):
    def take(self, record: CrmRecord) -> Receipt:
        if record.kind == "forget" and f"contact:{record.fields['person_id']}" not in self.rows:
            return Receipt(record.key, ReceiptState.REFUSED, reason="No such contact.")
        return super().take(record)


class CutsInSilence(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        return super().push(records[: SPEC.batch_size])


class WantsEveryField(MemoryCrm):
    def store(self, record: CrmRecord) -> None:
        if record.kind == "contact":
            record.fields["customer_ref"]
        super().store(record)


class RefusesTheLot(MemoryCrm):
    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        if any(record.key.endswith(":") for record in records):
            return [Receipt(record.key, ReceiptState.REFUSED, reason="A record has no id.") for record in records]
        return super().push(records)


class ChecksWithAnyError(MemoryCrm):
    def check(self) -> None:
        if not self.fine:
            raise OSError("connection refused")


class ChecksByWriting(MemoryCrm):
    def check(self) -> None:
        super().check()
        self.rows["test"] = {"name": "Comptoir test record"}


class FindsEverything(MemoryCrm):
    def find(self, record: CrmRecord) -> RemoteId | None:
        return RemoteId(record.key)


BROKEN: dict[Check, type[MemoryCrm]] = {
    one_receipt_a_record_in_order: AnswersLate,
    an_empty_batch_is_nothing: SaysHello,
    pushed_twice_makes_no_second: Doubles,
    the_same_key_twice_in_one_batch_makes_no_second: DoublesInOneBatch,
    the_later_one_wins: KeepsTheFirst,
    forgetting_forgets_everywhere: ForgetsContactsOnly,
    records_count_in_their_order: ForgetsLast,
    forgetting_a_stranger_is_accepted: KnowsNoStrangers,
    a_whole_batch_is_taken: CutsInSilence,
    unknown_fields_are_passed_over: WantsEveryField,
    a_refusal_says_why_and_costs_only_its_record: RefusesTheLot,
    check_raises_only_configuration_errors: ChecksWithAnyError,
    check_writes_nothing: ChecksByWriting,
    find_agrees_with_push: FindsEverything,
}
