"""What a CRM is told: the right fields, stable keys, and never what somebody wrote."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crm_sync.records import ID_FIELD, contact, finding, forget, records_of_case, segment_members
from domain.case import Case, CaseId, PersonId, Priority, open_case
from domain.contracts import CrmRecord, RecordKind
from domain.mention import MentionId
from domain.person import Person, Segment, SegmentId
from domain.taxonomy import INTENTS
from tests.builders import analysis, mention

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEA = Person(
    PersonId("p1"), name="Léa Martin", email="lea@example.fr", phone="+33612345678", customer_ref="C1", lang="fr"
)
STRANGER = Person(PersonId("p9"), name="Lea from X")
CASE = Case(
    CaseId("c1"),
    "logistics",
    "order_delivery_issue",
    "x",
    "x:77",
    AT,
    AT,
    person_id=LEA.id,
    priority=Priority.HIGH,
    urgency=2,
    mention_count=3,
)


def test_a_known_person_makes_a_contact_and_a_finding() -> None:
    first, second = records_of_case(CASE, LEA, url="https://x.com/i/77", mention_id=MentionId("x:77"))
    assert (first.kind, first.key) == (RecordKind.CONTACT, "contact:p1")
    assert first.fields == {
        "person_id": "p1",
        "name": "Léa Martin",
        "email": "lea@example.fr",
        "phone": "+33612345678",
        "customer_ref": "C1",
        "lang": "fr",
    }
    assert (second.kind, second.key) == (RecordKind.FINDING, "finding:c1")
    assert second.fields == {
        "case_id": "c1",
        "mention_id": "x:77",
        "thread_id": "x:77",
        "url": "https://x.com/i/77",
        "network": "x",
        "intent": "order_delivery_issue",
        "tags": ["ORDER_DELIVERY_ISSUE"],
        "department": "logistics",
        "sentiment": "neutral",
        "urgency": 2,
        "priority": "high",
        "uncertain": False,
        "product": "",
        "store": "",
        "lang": "und",
        "message_count": 3,
        "opened_at": "2026-03-02T09:30:00Z",
        "last_message_at": "2026-03-02T09:30:00Z",
        "person_id": "p1",
        "has_contact": True,
        "name": "Léa Martin",
        "email": "lea@example.fr",
        "phone": "+33612345678",
        "customer_ref": "C1",
    }


def test_a_passer_by_is_no_contact_and_stays_unnamed() -> None:
    (only,) = records_of_case(replace(CASE, person_id=STRANGER.id), STRANGER)
    assert only.kind is RecordKind.FINDING
    assert only.fields["person_id"] == "p9" and only.fields["has_contact"] is False
    assert {only.fields[name] for name in ("name", "email", "phone", "customer_ref")} == {""}


def test_an_unknown_person_is_a_finding_of_nobody() -> None:
    (only,) = records_of_case(replace(CASE, person_id=None), None)
    assert only.fields["person_id"] == ""


def test_each_way_to_reach_a_person_is_enough() -> None:
    for fields in ({"email": "a@b.fr"}, {"phone": "0612345678"}, {"customer_ref": "C2"}):
        assert len(records_of_case(CASE, Person(PersonId("p2"), **fields))) == 2


def test_tags_are_the_domains_and_say_what_else_was_heard() -> None:
    heard = analysis("x:1", "order_delivery_issue", secondary=("refund_return", "complaint_service"), churn=True)
    assert finding(CASE, LEA, analysis=heard).fields["tags"] == [
        "ORDER_DELIVERY_ISSUE",
        "REFUND_RETURN",
        "COMPLAINT_SERVICE",
        "CHURN_THREAT",
    ]
    for intent in INTENTS:
        assert finding(replace(CASE, intent=intent.key), LEA).fields["tags"] == [intent.crm_tag]


def test_only_web_addresses_are_told() -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", "=HYPERLINK(1)", "//x.com"):
        assert finding(CASE, LEA, url=url).fields["url"] == ""


def test_what_was_written_never_leaves(calendar: object) -> None:
    secret = "Mon colis 4711 est perdu, appelez-moi"
    said = mention("5", secret, title=secret, raw={"text": secret}, url="https://x.com/i/5")
    opened = open_case(said, analysis(said.id), LEA.id, calendar)  # type: ignore[arg-type]
    records = records_of_case(opened, LEA, analysis=analysis(said.id), url=said.url, mention_id=said.id)
    told = json.dumps([record.fields for record in records], ensure_ascii=False)
    assert "https://x.com/i/5" in told
    assert not any(word in told for word in ("4711", "perdu", "appelez"))


def test_a_segment_is_who_is_in_it_now() -> None:
    segment = Segment(SegmentId("s1"), "Fidèles")
    other = Person(PersonId("p0"), phone="0612345678")
    record = segment_members(segment, [LEA, STRANGER, other, LEA])
    assert (record.kind, record.key) == (RecordKind.SEGMENT_MEMBERS, "segment:s1")
    assert record.fields == {
        "segment_id": "s1",
        "title": "Fidèles",
        "person_ids": ["p0", "p1"],
        "emails": ["", "lea@example.fr"],
    }
    assert segment_members(segment, reversed([LEA, STRANGER, other])) == record


def test_forgetting_names_the_person_and_nothing_else() -> None:
    assert forget(LEA.id) == CrmRecord(RecordKind.FORGET, "forget:p1", {"person_id": "p1"})


@given(st.text(min_size=1), st.sampled_from(["contact", "finding", "segment", "forget"]))
def test_keys_are_stable_end_with_the_id_and_fields_print(name: str, kind: str) -> None:
    def make() -> CrmRecord:
        person = replace(LEA, id=PersonId(name))
        return {
            "contact": lambda: contact(person),
            "finding": lambda: finding(replace(CASE, id=CaseId(name)), person),
            "segment": lambda: segment_members(Segment(SegmentId(name), "t"), [person]),
            "forget": lambda: forget(person.id),
        }[kind]()

    record = make()
    assert record == make()
    assert record.key == f"{kind}:{record.fields[ID_FIELD[record.kind]]}"
    assert json.loads(json.dumps(record.fields)) == record.fields  # the outbox keeps records as JSON
