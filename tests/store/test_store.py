"""The store keeps its promises on SQLite and on PostgreSQL: once each, all or nothing, append-only, in words."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import exc

from domain.case import CaseId, RuleError, Status
from domain.contracts import CrmRecord, IdempotencyKey, RecordKind, Reject
from domain.errors import ConfigurationError, StaleError, StorageError
from domain.mention import MentionId
from domain.person import CustomerRecord, Evidence, person_id_for_customer
from store import Store, schema
from store.outbox import OutboxState
from store.queue import QueueFilter, View
from tests.builders import analysis, mention, page
from tests.conftest import NOW


def no_records(_case: object, _item: object, _person: object) -> list[tuple[str, CrmRecord]]:
    return []


def fill(store: Store, now: datetime, *mentions: object, intents: dict[str, str] | None = None) -> None:
    """Through collect, analyze and route."""
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(*mentions), now)  # type: ignore[arg-type]
    with store.mentions.unanalyzed(1000) as backlog:
        backlog.save(
            [analysis(m.id, (intents or {}).get(m.native_id, "order_delivery_issue")) for m in backlog.mentions], now
        )
    store.cases.route(1000, now, no_records)


def only_case(store: Store) -> CaseId:
    [row] = store.queue.page(QueueFilter(), me="", now=NOW)
    return row.case.id


def test_tables_are_what_the_migrations_make(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_opening_again_changes_nothing(
    store: Store, open_store: Callable[[str], Store], database_url: str, now: datetime
) -> None:
    fill(store, now, mention("1"))
    again = open_store(database_url)
    assert again.mention_count() == 1


def test_what_the_source_sent_comes_back_with_a_mention(store: Store, now: datetime) -> None:
    fill(store, now, mention("1", "bonjour", raw={"can_hide": True, "media": [{"url": "https://a.example/1.png"}]}))
    found = store.mentions.get(mention("1").id)
    assert found is not None
    assert found.raw == {"can_hide": True, "media": [{"url": "https://a.example/1.png"}]}


def test_a_page_twice_adds_nothing(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    two = page(mention("1"), mention("2", who=None))
    first = store.mentions.add_page("s", two, now)
    second = store.mentions.add_page("s", two, now)
    assert (first.stored, first.duplicates) == (2, 0)
    assert (second.stored, second.duplicates) == (0, 2)
    source = store.sources.get("s")
    assert source is not None and source.mention_count == 2


def test_the_same_id_twice_in_one_page_is_one_row(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    result = store.mentions.add_page("s", page(mention("1"), mention("1")), now)
    assert (result.stored, result.duplicates, store.mention_count()) == (1, 1, 1)


def test_page_and_cursor_fall_together(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    store.sources.ensure("s", "demo", "S", {})

    def broken(*_args: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("store.mentions.Mentions._advance", broken)
    with pytest.raises(RuntimeError):
        store.mentions.add_page("s", page(mention("1"), cursor="7"), now)
    source = store.sources.get("s")
    assert source is not None and source.cursor is None and store.mention_count() == 0


def test_rejects_are_kept_once_with_line_and_reason(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    bad = page()
    bad = type(bad)(
        mentions=(), cursor=None, rejects=(Reject("line 3", "no text", "{}"), Reject("line 9", "bad date", "\x00é"))
    )
    for _ in range(2):
        assert store.mentions.add_page("s", bad, now).rejected == 2
    assert [(r.position, r.reason) for r in store.mentions.rejects("s")] == [
        ("line 3", "no text"),
        ("line 9", "bad date"),
    ]


@pytest.mark.parametrize("text", ["a\x00b", "half an emoji \ud83d!", "💬 œuvre ß ﷽", "x" * 90_000])
def test_odd_texts_are_stored(store: Store, now: datetime, text: str) -> None:
    fill(store, now, mention("1", text, raw={"odd": text, "n": float("nan")}))
    kept = store.mentions.get(MentionId("x:1"))
    assert kept is not None and kept.text == text.replace("\x00", "").encode("utf-8", "replace").decode()


def test_words_of_one_thread_make_one_case(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", conversation_id="1", parent_id="1", after=1))
    case = store.cases.get(only_case(store))
    assert case is not None and case.mention_count == 2 and case.department == "logistics"


def test_another_person_in_the_thread_has_a_case_of_their_own(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", who="karim", conversation_id="1", parent_id="1", after=1))
    assert store.cases.count() == 2


def test_our_own_words_answer_the_case(store: Store, now: datetime) -> None:
    answer = mention("2", "On regarde.", who=None, outbound=True, conversation_id="1", parent_id="1", after=1)
    fill(store, now, mention("1"), answer)
    [case_id] = store.mentions.case_ids([MentionId("x:1")])
    case = store.cases.get(case_id)
    assert case is not None and case.status is Status.PENDING and case.first_reply_at == answer.created_at


def test_chatter_opens_no_case_and_uncertain_does(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("1"), mention("2", who="karim")), now)
    with store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis("x:1", "other", "neutral"), analysis("x:2", "other", "neutral", uncertain=True)], now)
    store.cases.route(10, now, no_records)
    assert store.cases.count() == 1
    assert store.queue.counts(QueueFilter(), me="", now=now)[View.UNCERTAIN] == 1


def test_an_act_on_an_old_version_is_refused(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"))
    case_id = only_case(store)
    store.cases.assign(case_id, "Awa", actor="Awa", now=now, seen_version=1)
    with pytest.raises(StaleError):
        store.cases.assign(case_id, "Julien", actor="Julien", now=now, seen_version=1)
    case = store.cases.get(case_id)
    assert case is not None and case.assignee == "Awa"


def test_every_act_is_in_the_audit_and_the_audit_cannot_be_altered(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"))
    case_id = only_case(store)
    store.cases.assign(case_id, "Awa", actor="Awa", now=now)
    store.cases.transfer(case_id, "finance", actor="Awa", now=now)
    store.cases.snooze(case_id, now + timedelta(days=1), actor="Awa", now=now)
    store.cases.resolve(case_id, actor="Awa", now=now)
    store.cases.reopen(case_id, actor="Inès", now=now)
    store.cases.add_note(case_id, "appelée", actor="Inès", now=now)
    rows = store.audit.of_case(case_id)
    assert [row.action for row in rows] == ["opened", "assign", "transfer", "snooze", "resolve", "reopen", "note"]
    assert rows[2].data["department"] == ["logistics", "finance"]
    for statement in (sa.update(schema.audit).values(actor="?"), sa.delete(schema.audit)):
        with pytest.raises(exc.DBAPIError, match="append-only"), store.database.write() as connection:
            connection.execute(statement)
    assert store.rebuild_rollups(write=False) == []


def test_snoozed_cases_wake_up(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"))
    case_id = only_case(store)
    store.cases.snooze(case_id, now + timedelta(hours=2), actor="Awa", now=now)
    assert store.cases.wake_due(now + timedelta(hours=1)) == 0
    assert store.cases.wake_due(now + timedelta(hours=2)) == 1
    case = store.cases.get(case_id)
    assert case is not None and case.status is Status.OPEN


def test_merge_and_undo(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", who="karim", after=5))
    first, second = (store.mentions.case_ids([MentionId(key)])[0] for key in ("x:1", "x:2"))
    before = store.cases.get(first), store.cases.get(second)
    store.cases.merge(second, first, actor="Awa", now=now)
    merged = store.queue.conversation(first)
    assert merged is not None and len(merged.messages) == 2 and store.cases.count() == 1
    assert store.rebuild_rollups(write=False) == []
    store.cases.unmerge(second, actor="Awa", now=now)
    after = store.cases.get(first), store.cases.get(second)
    for was, case in zip(before, after, strict=True):
        assert was is not None and case is not None
        assert {**vars_of(was), "version": 0} == {**vars_of(case), "version": 0}
    assert store.rebuild_rollups(write=False) == []
    with pytest.raises(RuleError):
        store.cases.unmerge(second, actor="Awa", now=now)


def vars_of(case: object) -> dict[str, object]:
    return {name: getattr(case, name) for name in case.__slots__}  # type: ignore[attr-defined]


def test_later_words_follow_a_merged_case(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", who="karim", after=5))
    first, second = (store.mentions.case_ids([MentionId(key)])[0] for key in ("x:1", "x:2"))
    store.cases.merge(second, first, actor="Awa", now=now)
    fill(store, now, mention("3", who="lea", conversation_id="1", parent_id="1", after=6))
    assert store.mentions.case_ids([MentionId("x:3")]) == [first]


def test_customers_are_linked_by_evidence_only(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", network="mail", who="lea@example.org", after=1))
    record = CustomerRecord(ref="c1", name="Léa Martin", email="Lea@example.org", consents=(("x", "lea"),))
    for _ in range(2):
        store.people.add_customers([record], now)
    person = person_id_for_customer("c1")
    assert {account.id for account in store.people.accounts(person)} == {"x:lea", "mail:lea@example.org"}
    assert {link.evidence for link in store.people.links(person)} == {Evidence.CONSENT, Evidence.VERIFIED_EMAIL}
    cases = store.queue.of_person(person)
    assert len(cases) == 2
    for case in cases:
        assert [row.action for row in store.audit.of_case(case.id)] == ["opened", "person_linked"]


def test_an_account_linked_to_one_customer_is_not_taken_by_another(store: Store, now: datetime) -> None:
    one = CustomerRecord(ref="c1", name="Léa", consents=(("x", "lea"),))
    two = CustomerRecord(ref="c2", name="Lea B.", consents=(("x", "lea"),))
    store.people.add_customers([one, two], now)
    assert [account.id for account in store.people.accounts(person_id_for_customer("c1"))] == ["x:lea"]
    assert store.people.accounts(person_id_for_customer("c2")) == []


def test_a_reply_is_asked_once_and_leased_once(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"))
    case_id = only_case(store)
    for _ in range(2):
        store.cases.reply(case_id, MentionId("x:1"), "Bonjour", source_key="s", key="k1", actor="Awa", now=now)
    assert len(store.outbox.of_case(case_id)) == 1
    [row] = store.outbox.lease("reply", "s", 10, now)
    assert not row.interrupted and store.outbox.lease("reply", "s", 10, now) == []
    [again] = store.outbox.lease("reply", "s", 10, now + timedelta(minutes=6))
    assert again.interrupted
    asked = mention("1")
    store.outbox.reply_sent(again, asked, "r1", now)
    assert store.outbox.counts() == {"pending": 0, "sent": 1, "refused": 0, "unknown": 0}
    store.cases.route(10, now, no_records)
    case = store.cases.get(case_id)
    assert case is not None and case.first_reply_at == now
    assert store.rebuild_rollups(write=False) == []


def test_retry_waits_longer_each_time(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"))
    store.cases.reply(only_case(store), MentionId("x:1"), "Bonjour", source_key="s", key="k1", actor="Awa", now=now)
    moment = now
    waits = []
    for _ in range(3):
        rows = store.outbox.lease("reply", "s", 10, moment)
        store.outbox.retry(rows, "503", moment)
        start = moment
        while not store.outbox.lease("reply", "s", 10, moment):
            moment += timedelta(minutes=1)
        waits.append(moment - start)
        store.outbox.retry(store.outbox.of_case(only_case(store)), "503", moment, timedelta(0))
    assert waits == sorted(waits) and waits[0] < waits[-1]


def test_records_leave_with_the_case_that_opened(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("1")), now)
    with store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis("x:1")], now)

    def records(case: object, _item: object, person: object) -> list[tuple[str, CrmRecord]]:
        assert person is not None
        return [("files", CrmRecord(RecordKind.FINDING, IdempotencyKey("finding:1"), {"case": case.id}))]  # type: ignore[attr-defined]

    store.cases.route(10, now, records)
    [row] = store.outbox.lease("crm", "files", 10, now)
    assert row.record.key == "finding:1" and row.state is OutboxState.PENDING


def test_search_finds_words_without_accents_intents_and_names(store: Store, now: datetime) -> None:
    fill(store, now, mention("1", "Colis ABÎMÉ à l'arrivée", who="Zoé"), mention("2", "100 % déçu", who="karim"))

    def found(text: str) -> int:
        return len(store.queue.page(QueueFilter(text=text), me="", now=now))

    assert (found("abime"), found("livraison"), found("karim"), found("100 %"), found("100%%"), found("rien")) == (
        1,
        2,
        1,
        1,
        0,
        0,
    )


def test_a_department_sees_only_its_own(store: Store, now: datetime) -> None:
    fill(store, now, mention("1"), mention("2", who="karim"), intents={"2": "employment"})
    seen = store.queue.page(QueueFilter(departments=("human_resources",)), me="", now=now)
    assert [row.case.intent for row in seen] == ["employment"]
    assert store.queue.counts(QueueFilter(departments=("finance",)), me="", now=now)[View.OPEN] == 0


def test_revision_grows_with_every_write(store: Store, now: datetime) -> None:
    before = store.revision()
    fill(store, now, mention("1"))
    assert store.revision() > before


def test_a_full_disk_says_what_to_do_and_keeps_what_was_there(
    tmp_path: object, open_store: Callable[[str], Store], now: datetime
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/small.sqlite")
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("0")), now)

    def shrink(connection: object, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    sa.event.listen(store.database.engine, "checkout", shrink)
    big = page(*(mention(str(n), "x" * 5000) for n in range(1, 200)), cursor="9")
    with pytest.raises(StorageError, match=r"full.*Free some space"):
        store.mentions.add_page("s", big, now)
    source = store.sources.get("s")
    assert source is not None and source.cursor == "1" and store.mention_count() == 1


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("mysql://x/y", ConfigurationError, "SQLite and PostgreSQL"),
        ("not a url", ConfigurationError, "not a database address"),
        ("postgresql://nobody@127.0.0.1:1/x", StorageError, "does not answer"),
        ("sqlite:////proc/nowhere/x.sqlite", StorageError, "cannot be written"),
    ],
)
def test_addresses_that_cannot_work_say_so(
    open_store: Callable[[str], Store], url: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        open_store(url)


def test_a_file_that_is_no_store_says_so(tmp_path: object, open_store: Callable[[str], Store]) -> None:
    path = f"{tmp_path}/x.sqlite"
    Path(path).write_bytes(b"this is not a database" * 100)
    with pytest.raises(StorageError, match="not a Comptoir store"):
        open_store(f"sqlite:///{path}")
