"""Domain -> CrmRecord: what a CRM is told, in no vendor's words. Pure; the connectors translate the names below.

A record carries ids, addresses, tags, counts and dates, never the text of a post: networks let us share where a post
stands, not what it says. Dates are ISO 8601 in UTC ("2026-11-25T10:00:00Z"), what is unknown is "".
To tell a CRM more, add a field here, say it in the table below, and map it in the connectors that have a place for it.

kind             key                       fields
CONTACT          contact:<person id>       person_id, name, email, phone, customer_ref, lang
FINDING          finding:<case id>         case_id, mention_id, thread_id, url, network, intent, tags (CRM tags, the
                                           intent's first), department, sentiment, urgency (0..3), priority ("low",
                                           "normal", "high", "urgent"), uncertain, product, store, lang, message_count,
                                           opened_at, last_message_at, person_id, has_contact (whether a CONTACT of the
                                           person is sent too), and of such a contact: name, email, phone, customer_ref
SEGMENT_MEMBERS  segment:<segment id>      segment_id, title, person_ids, emails (one a person, same order): the whole
                                           segment as it is now; who is not named is no longer in it
FORGET           forget:<person id>        person_id: everything that was told of this person has to go
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from domain.analysis import Analysis
from domain.case import Case, PersonId
from domain.contracts import CrmRecord, IdempotencyKey, RecordKind
from domain.mention import MentionId
from domain.person import Segment
from domain.taxonomy import INTENT_BY_KEY

CHURN_INTENT = "churn_threat"

ID_FIELD = {
    RecordKind.CONTACT: "person_id",
    RecordKind.FINDING: "case_id",
    RecordKind.SEGMENT_MEMBERS: "segment_id",
    RecordKind.FORGET: "person_id",
}
"""The field that tells two records of a kind apart; a record's key ends with its value."""


class KnownPerson(Protocol):
    """What a CRM may be told of a person; `domain.person.Person` has it, and so has the store's short form."""

    @property
    def id(self) -> PersonId: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def customer_ref(self) -> str | None: ...
    @property
    def lang(self) -> str | None: ...


def has_contact(person: KnownPerson | None) -> bool:
    """True for somebody whom a CRM can reach or already knows; a passer-by who spoke once is not made a contact."""
    return person is not None and any((person.email, person.phone, person.customer_ref))


def contact(person: KnownPerson) -> CrmRecord:
    """A person whom the shop can reach or knows as a customer."""
    return _record(
        RecordKind.CONTACT,
        "contact",
        person_id=person.id,
        lang=person.lang or "",
        **_reach(person),
    )


def finding(
    case: Case,
    person: KnownPerson | None,
    *,
    analysis: Analysis | None = None,
    url: str = "",
    mention_id: MentionId | None = None,
) -> CrmRecord:
    """What was heard: one case, with the tags that its first message got.

    Args:
        analysis: of the message that opened the case; adds its secondary intents to the tags.
        url: where that message stands; anything but http(s) is left out.
    """
    known = person if person is not None and has_contact(person) else None
    return _record(
        RecordKind.FINDING,
        "finding",
        case_id=case.id,
        mention_id=mention_id or "",
        thread_id=case.thread_id,
        url=url if url.startswith(("https://", "http://")) else "",
        network=case.network,
        intent=case.intent,
        tags=_tags(case, analysis),
        department=case.department,
        sentiment=case.sentiment.value,
        urgency=case.urgency,
        priority=case.priority.name.lower(),
        uncertain=case.uncertain,
        product=case.product or "",
        store=case.store or "",
        lang=case.lang,
        message_count=case.mention_count,
        opened_at=_iso(case.opened_at),
        last_message_at=_iso(case.last_inbound_at),
        person_id=(person.id if person else case.person_id) or "",
        has_contact=known is not None,
        **_reach(known),
    )


def segment_members(segment: Segment, persons: Iterable[KnownPerson]) -> CrmRecord:
    """Who is in a segment now. Persons without a contact in the CRM cannot be members there and are left out."""
    members = {person.id: person.email or "" for person in persons if has_contact(person)}
    ids = sorted(members)
    return _record(
        RecordKind.SEGMENT_MEMBERS,
        "segment",
        segment_id=segment.id,
        title=segment.title,
        person_ids=list(ids),
        emails=[members[key] for key in ids],
    )


def forget(person_id: PersonId) -> CrmRecord:
    """Erase a person: the CRM's contact, findings and memberships."""
    return _record(RecordKind.FORGET, "forget", person_id=person_id)


def records_of_case(
    case: Case,
    person: KnownPerson | None,
    *,
    analysis: Analysis | None = None,
    url: str = "",
    mention_id: MentionId | None = None,
) -> tuple[CrmRecord, ...]:
    """Everything that a CRM should know of a case: the contact first where there is one to keep, then the finding."""
    found = finding(case, person, analysis=analysis, url=url, mention_id=mention_id)
    return (contact(person), found) if person is not None and has_contact(person) else (found,)


def _record(kind: RecordKind, prefix: str, **fields: Any) -> CrmRecord:
    return CrmRecord(kind, IdempotencyKey(f"{prefix}:{fields[ID_FIELD[kind]]}"), fields)


def _reach(person: KnownPerson | None) -> dict[str, str]:
    names = ("name", "email", "phone", "customer_ref")
    return {name: (getattr(person, name) or "") if person is not None else "" for name in names}


def _tags(case: Case, analysis: Analysis | None) -> list[str]:
    intents = [case.intent]
    if analysis is not None:
        intents += [analysis.intent.value, *analysis.secondary]
        if analysis.churn:
            intents.append(CHURN_INTENT)
    tags = (INTENT_BY_KEY[key].crm_tag for key in intents if key in INTENT_BY_KEY)
    return list(dict.fromkeys(tags))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
