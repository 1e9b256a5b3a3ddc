"""The desk: what its words say, what its acts do to the store, what each person may see."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import acts, views, views_case, views_person
from dashboard.acts import NotYoursError
from dashboard.components.text import plain
from dashboard.context import Context
from dashboard.reply_templates import TEMPLATES, choices, fill
from domain.case import Case, CaseId, RuleError, Status, is_late
from domain.contracts import Permission
from domain.errors import StaleError
from domain.mention import MentionId
from store import Store
from store.cases import Note
from store.outbox import OutboxRow, OutboxState
from store.queue import Conversation, QueueFilter, View
from tests.builders import mention
from tests.conftest import NOW
from tests.dashboard.counter import AWA, HOSTILE, KARIM, NADIA, case_of, context_of

# -- words ---------------------------------------------------------------------------------------------------------------


def a_case(**fields: Any) -> Case:
    values: dict[str, Any] = {
        "id": CaseId("c1"),
        "department": "logistics",
        "intent": "order_delivery_issue",
        "network": "x",
        "thread_id": "x:1",
        "opened_at": NOW,
        "last_inbound_at": NOW,
        "waiting_since": NOW,
    }
    return Case(**{**values, **fields})


hours = st.integers(-200, 200).filter(bool).map(lambda h: NOW + timedelta(hours=h))


@given(st.sampled_from(Status), st.none() | hours, st.none() | hours, st.none() | hours)
def test_the_chip_says_late_exactly_where_the_rules_do(status: Status, first: Any, end: Any, replied: Any) -> None:
    case = a_case(
        status=status,
        first_reply_due_at=first,
        resolution_due_at=end,
        first_reply_at=replied,
        snoozed_until=NOW + timedelta(days=1),
        resolved_at=NOW,
    )
    said = views.deadline(case, NOW, context_zone())
    assert (said.state == "late") == is_late(case, NOW)
    assert said.text


def context_zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Paris")


def test_a_deadline_within_the_hour_is_near_and_its_list_form_is_short() -> None:
    soon = views.deadline(a_case(first_reply_due_at=NOW + timedelta(minutes=48)), NOW, context_zone())
    assert (soon.state, soon.text) == ("soon", "1re réponse dans 48\u00a0min")
    late = views.deadline(a_case(first_reply_due_at=NOW - timedelta(hours=62)), NOW, context_zone())
    assert (late.text, late.short) == ("1re réponse en retard de 2\u00a0j\u00a014\u00a0h", "en retard de 2\u00a0j")


def test_a_silent_refresh_moves_nothing() -> None:
    assert views.settle(["a", "b", "c"], ["c", "b", "a"]) == (["a", "b", "c"], 0)  # kept in their order
    assert views.settle(["a", "b"], ["new", "a", "b"]) == (["a", "b"], 1)  # above: waits
    assert views.settle(["a", "b"], ["a", "new"]) == (["a", "new"], 0)  # b has left, below: added
    assert views.settle([], ["a", "b"]) == (["a", "b"], 0)
    assert views.settle(["gone"], ["a"]) == (["a"], 0)


def test_next_goes_on_where_a_resolved_case_stood() -> None:
    assert views.next_id(["a", "b", "c"], "b") == "c"
    assert views.next_id(["a", "b"], "b") == "a"
    assert views.next_id(["a", "c"], "b", at=1) == "c"
    assert views.next_id([], "b") is None


def test_a_priority_gives_its_reasons() -> None:
    case = a_case(urgency=3, priority=3, sentiment="negative", waiting_since=NOW - timedelta(hours=2))
    reasons = views.priority_reasons(case, NOW)
    assert reasons[0] == "sécurité, santé, droit ou crise"
    assert "sans réponse depuis 2\u00a0h" in reasons
    assert views.priority_reasons(a_case(waiting_since=None, priority=0), NOW) == ["rien ne presse"]


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        (
            Permission(True, "They mention us.", price=0.01, text_limit=280),
            "X permet de répondre (le message nous mentionne) · public · 0,01\u202f$ · 280 caractères",
        ),
        (Permission(True, public=False), "X permet de répondre · privé"),
        (Permission(True, until=NOW + timedelta(hours=3)), "X permet de répondre · public · jusqu'à 14:00"),
        (
            Permission(True, until=NOW - timedelta(hours=1)),
            "X n'accepte plus de réponse depuis mardi 10 mars 2026 à 10:00.",
        ),
        (Permission(False, "Something new."), "Something new."),
        (Permission(False), "X ne permet pas de répondre ici."),
        (None, "X : cette source ne sait pas envoyer de réponse."),
    ],
)
def test_the_permission_line(permission: Permission | None, expected: str) -> None:
    assert views_case.permission_line(mention(), permission, NOW, context_zone()) == expected
    assert views_case.may_answer(permission, NOW) == expected.startswith("X permet")


def outbox_row(state: OutboxState, key: str = "k", text: str = "Bonjour", error: str | None = None) -> OutboxRow:
    return OutboxRow(
        key,  # type: ignore[arg-type]
        "reply",
        "s",
        CaseId("c1"),
        MentionId("x:1"),
        {"text": text},
        state,
        1,
        NOW,
        "Awa",
        error,
    )


@pytest.mark.parametrize(
    ("row", "key", "again"),
    [
        (outbox_row(OutboxState.PENDING), "pending", False),
        (outbox_row(OutboxState.SENDING), "pending", False),
        (outbox_row(OutboxState.PENDING, error="too many requests"), "pending", False),
        (outbox_row(OutboxState.SENT), "sent", False),
        (outbox_row(OutboxState.REFUSED, error="no"), "refused", True),
        (outbox_row(OutboxState.UNKNOWN), "unknown", True),
    ],
)
def test_sending_states_in_words(row: OutboxRow, key: str, again: bool) -> None:
    state = views_case.sending_state(row)
    assert (state["key"], bool(state["again"])) == (key, again)
    if row.error:
        assert state["reason"]


def test_a_sent_answer_is_shown_once_before_and_after_the_network_brings_it_back(filled: Store) -> None:
    before = filled.queue.conversation(case_of(filled, "x:1").id)
    assert before is not None
    rows = [outbox_row(OutboxState.SENT, "k1"), outbox_row(OutboxState.SENT, "k2")]

    def answers(conversation: Conversation) -> list[dict[str, Any]]:
        shown = views_case.thread(
            conversation, [Note("Awa", "à voir", NOW)], rows, brand="O", now=NOW, zone=context_zone(), target=None
        )
        return [bubble for bubble in shown if bubble["side"] == "out"]

    assert len(answers(before)) == 2
    ours = mention("r1", "Bonjour", who=None, after=193, parent_id="1", conversation_id="1", outbound=True)
    touched = mention("r2", "Bonjour !", who=None, after=193, parent_id="1", conversation_id="1", outbound=True)
    back = [type(before.messages[0])(m, None, None, "s") for m in (ours, touched)]
    after = answers(Conversation(before.case, [*before.messages, *back], None))
    assert [bubble["state"]["key"] for bubble in after] == ["sent", "sent"]


def test_only_web_addresses_become_links() -> None:
    assert views_case.safe_url("https://x.example/1")
    assert not views_case.safe_url("javascript:alert(1)")


def test_templates_leave_no_hole() -> None:
    assert fill("Bonjour {prénom}, votre commande {commande} arrive", first_name="", order="") == (
        "Bonjour, votre commande arrive"
    )
    english = choices(a_case(lang="en"), first_name="Lea", order="OR-1")
    assert english[0]["text"].startswith("Hello Lea")
    assert "OR-1" in english[0]["text"]
    for template in TEMPLATES:
        for text in (template.fr, template.en):
            assert "{" not in fill(text, first_name="", order="") and "  " not in fill(text, first_name="", order="")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Léa Martin", "Léa"), ("Jean-Luc P.", "Jean-Luc"), ("xx_dark_xx", ""), ("K", ""), ("", ""), ("karim b", "")],
)
def test_who_to_greet(name: str, expected: str) -> None:
    assert views_person.first_name(name) == expected


def test_the_person_of_a_case(filled: Store) -> None:
    case = case_of(filled, "x:1")
    person = filled.people.get(case.person_id)  # type: ignore[arg-type]
    assert views_person.identity(person, "")["line"] == "client·e depuis 2023 · Tours"
    links = filled.people.links(case.person_id)  # type: ignore[arg-type]
    accounts = views_person.accounts(filled.people.accounts(case.person_id), links)  # type: ignore[arg-type]
    assert {(a["networkTitle"], a["word"]) for a in accounts} == {
        ("X", "certain"),
        ("Facebook", "certain"),
        ("Courriel", "certain"),
    }
    events = views_person.timeline(filled.people.events(case.person_id), NOW, context_zone(), "EUR")  # type: ignore[arg-type]
    late = next(event for event in events if event["kind"] == "delivery")
    assert late["late"] and "en retard de 4 jours" in late["detail"]


# -- acts ----------------------------------------------------------------------------------------------------------------


def outbox_keys(store: Store, case_id: CaseId) -> list[str]:
    return [row.key for row in store.outbox.of_case(case_id)]


@pytest.mark.parametrize("act", ["take", "snooze", "resolve", "transfer"])
def test_undo_puts_a_case_back_exactly_as_it_was(filled: Store, act: str) -> None:
    context, before = context_of(filled), case_of(filled, "x:1")
    done = {
        "take": lambda: acts.take(context, before),
        "snooze": lambda: acts.snooze(context, before, NOW + timedelta(days=1)),
        "resolve": lambda: acts.resolve(context, before),
        "transfer": lambda: acts.transfer(context, before.id, "finance"),
    }[act]()
    changed = filled.cases.get(before.id)
    assert changed is not None and changed != before and done.undo is not None
    acts.undo(context, done.undo)
    after = filled.cases.get(before.id)
    assert after is not None
    assert {**fields_of(after), "version": 0} == {**fields_of(before), "version": 0}
    assert not filled.rebuild_rollups(write=False)


def fields_of(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__slots__}


def test_undoing_a_merge_gives_both_back(filled: Store) -> None:
    context, source, target = context_of(filled), case_of(filled, "facebook:6"), case_of(filled, "x:1")
    done = acts.merge(context, source.id, target.id)
    assert filled.cases.get(source.id).status is Status.MERGED  # type: ignore[union-attr]
    assert done.undo is not None
    acts.undo(context, done.undo)
    assert case_of(filled, "facebook:6").id == source.id
    assert case_of(filled, "x:1").id == target.id


def test_what_somebody_else_changed_is_not_undone(filled: Store) -> None:
    context, case = context_of(filled), case_of(filled, "x:1")
    done = acts.take(context, case)
    filled.cases.resolve(case.id, actor="Inès", now=NOW)
    assert done.undo is not None
    with pytest.raises(StaleError):
        acts.undo(context, done.undo)
    assert filled.cases.get(case.id).status is Status.RESOLVED  # type: ignore[union-attr]


def test_an_act_on_a_case_that_changed_is_refused(filled: Store) -> None:
    case = case_of(filled, "x:1")
    filled.cases.assign(case.id, "Inès", actor="Inès", now=NOW)
    with pytest.raises(StaleError):
        acts.take(context_of(filled), case)


def test_what_the_worker_wrote_since_does_not_stand_in_the_way(filled: Store) -> None:
    from dataclasses import replace

    case = case_of(filled, "x:1")
    filled.cases.act(case.id, lambda c: replace(c, first_reply_at=NOW), "replied", actor="comptoir", now=NOW)
    acts.resolve(context_of(filled), case)
    assert filled.cases.get(case.id).status is Status.RESOLVED  # type: ignore[union-attr]


def test_a_message_that_came_since_does(filled: Store) -> None:
    from dataclasses import replace

    case = case_of(filled, "x:1")
    later = NOW + timedelta(minutes=1)
    filled.cases.act(case.id, lambda c: replace(c, last_inbound_at=later), "joined", actor="comptoir", now=later)
    with pytest.raises(StaleError):
        acts.resolve(context_of(filled), case)


def test_no_act_reaches_a_case_of_another_department(filled: Store) -> None:
    case, context = case_of(filled, "x:1"), context_of(filled, NADIA)
    before = filled.audit.of_case(case.id)
    for act in (
        lambda: acts.take(context, case),
        lambda: acts.release(context, case),
        lambda: acts.snooze(context, case, NOW + timedelta(days=1)),
        lambda: acts.resolve(context, case),
        lambda: acts.reopen(context, case.id),
        lambda: acts.transfer(context, case.id, "finance"),
        lambda: acts.merge(context, case.id, case_of(filled, "mail:3").id),
        lambda: acts.merge(context, case_of(filled, "mail:3").id, case.id),
        lambda: acts.reply(context, case.id, MentionId("x:1"), "Bonjour", f"reply:{case.id}:1"),
        lambda: acts.note(context, case.id, "mine"),
        lambda: acts.send_again(context, case.id, "k"),
    ):
        with pytest.raises(NotYoursError):
            act()
    assert filled.audit.of_case(case.id) == before
    assert not outbox_keys(filled, case.id)


def test_a_double_click_sends_once(filled: Store) -> None:
    context, case = context_of(filled), case_of(filled, "x:1")
    for _ in range(2):
        acts.reply(context, case.id, MentionId("x:1"), "Bonjour Léa", f"reply:{case.id}:1")
    assert len(outbox_keys(filled, case.id)) == 1
    acts.reply(context, case.id, MentionId("x:1"), "Et aussi", f"reply:{case.id}:2")
    assert len(outbox_keys(filled, case.id)) == 2


@pytest.mark.parametrize(
    ("mention_id", "text", "key", "said"),
    [
        ("x:1", "  ", "reply:{id}:1", "vide"),
        ("x:1", "a" * 281, "reply:{id}:1", "280"),
        ("blog:4", "Bonjour", "reply:{id}:1", "ne permet plus"),
        ("x:1", "Bonjour", "reply:other:1", "autre conversation"),
        ("x:2", "Bonjour", "reply:{id}:1", "ne fait plus partie"),
    ],
)
def test_what_the_browser_should_have_stopped_is_stopped_again(
    filled: Store, mention_id: str, text: str, key: str, said: str
) -> None:
    from dashboard.i18n import told

    case = case_of(filled, "blog:4" if mention_id == "blog:4" else "x:1")
    with pytest.raises(RuleError) as refused:
        acts.reply(context_of(filled), case.id, MentionId(mention_id), text, key.format(id=case.id))
    assert said in told(str(refused.value))
    assert not outbox_keys(filled, case.id)


def test_a_refused_answer_leaves_again_when_a_person_says_so(filled: Store) -> None:
    context, case = context_of(filled), case_of(filled, "x:1")
    key = f"reply:{case.id}:1"
    acts.reply(context, case.id, MentionId("x:1"), "Bonjour", key)
    filled.outbox.refused(filled.outbox.lease("reply", "s", 10, NOW), "no", NOW)
    with pytest.raises(NotYoursError):
        acts.send_again(context, case_of(filled, "mail:3").id, key)
    acts.send_again(context, case.id, key)
    assert filled.outbox.of_case(case.id)[0].state is OutboxState.PENDING


def test_snoozed_cases_come_back_at_nine_in_the_shop() -> None:
    choices_ = acts.snooze_choices(NOW, context_zone())
    assert [until.isoformat() for _, until in choices_] == [
        "2026-03-11T09:00:00+01:00",
        "2026-03-13T09:00:00+01:00",
        "2026-03-16T09:00:00+01:00",
    ]


# -- pages ---------------------------------------------------------------------------------------------------------------


def _desk(context):  # type: ignore[no-untyped-def]  # copied by AppTest into a module that knows no names
    from dashboard.pages import desk

    desk.render(context)


def open_desk(context: Context, **state: Any) -> AppTest:
    at = AppTest.from_function(_desk, kwargs={"context": context}, default_timeout=30)
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def data_of(at: AppTest, name: str) -> dict[str, Any]:
    """What a component of ours was given."""
    for element in at.get("bidi_component"):
        if element.proto.component_name == f"comptoir_{name}":
            loaded: dict[str, Any] = json.loads(element.proto.json)
            return loaded
    raise LookupError(name)


def everything(at: AppTest) -> str:
    """All that the page sent to the browser."""
    return "\n".join(element.proto.json for element in at.get("bidi_component"))


def test_the_desk_opens_empty(empty: Store) -> None:
    at = open_desk(context_of(empty))
    assert data_of(at, "queue")["items"] == []
    assert data_of(at, "thread")["id"] == ""
    assert [tab["count"] for tab in data_of(at, "tabs")["tabs"]] == [0] * 7


def test_the_desk_opens_filled_with_the_first_case(filled: Store) -> None:
    at = open_desk(context_of(filled))
    items = data_of(at, "queue")["items"]
    assert len(items) == 6
    assert items[0]["why"].startswith("Priorité urgente : sécurité")
    assert data_of(at, "thread")["id"] == items[0]["id"]
    assert "case" not in at.query_params
    assert data_of(at, "composer")["allowed"] is False
    assert data_of(at, "composer")["source"] == "https://blog.example/4"


def test_the_desk_opens_while_a_source_is_in_error(filled: Store) -> None:
    filled.sources.blocked("s", "The token has expired. Nothing is lost. Renew it in Sources.", NOW)
    assert len(data_of(open_desk(context_of(filled)), "queue")["items"]) == 6


def test_the_desk_opens_in_english(filled: Store) -> None:
    at = open_desk(context_of(filled, lang="en"))
    assert data_of(at, "tabs")["tabs"][1]["title"] == "Not taken"
    assert at.button(key="desk_take").label == "Take"
    assert data_of(at, "queue")["items"][0]["why"].startswith("Priority urgent: safety")


def test_a_deep_link_opens_its_case_and_the_address_keeps_it(filled: Store) -> None:
    case = case_of(filled, "mail:3")
    at = AppTest.from_function(_desk, kwargs={"context": context_of(filled)}, default_timeout=30)
    at.query_params["case"] = case.id
    at.run()
    assert data_of(at, "thread")["id"] == case.id
    shown = [item["id"] for item in data_of(at, "queue")["items"]]
    at.button(key="desk_next").click().run()
    after = views.next_id(shown, case.id)
    assert data_of(at, "thread")["id"] == after
    assert at.query_params["case"] in (after, [after])


def test_a_link_sets_the_filters_once(filled: Store) -> None:
    at = AppTest.from_function(_desk, kwargs={"context": context_of(filled)}, default_timeout=30)
    at.query_params["network"] = "x,nowhere"
    at.query_params["view"] = "unassigned"
    at.run()
    assert {item["network"] for item in data_of(at, "queue")["items"]} == {"x"}
    assert "network" not in at.query_params
    assert at.session_state["desk_f_network"] == ["x"]


def test_taking_and_resolving_by_the_buttons(filled: Store) -> None:
    case = case_of(filled, "x:1")
    at = open_desk(context_of(filled), desk_case=case.id)
    at.button(key="desk_take").click().run()
    assert filled.cases.get(case.id).assignee == "Awa"  # type: ignore[union-attr]
    assert data_of(at, "shell")["toast"] == at.session_state["desk_toast"]
    assert at.session_state["desk_toast"]["undo"] is True
    assert data_of(at, "tabs")["tabs"][0] == {
        "key": "mine",
        "title": "À moi",
        "count": 1,
        "chosen": False,
        "warn": False,
    }
    at.button(key="desk_resolve").click().run()
    assert filled.cases.get(case.id).status is Status.RESOLVED  # type: ignore[union-attr]
    assert at.button(key="desk_reopen").label == "Rouvrir"
    assert not at.exception


def test_a_stale_click_is_explained_and_changes_nothing(filled: Store) -> None:
    case = case_of(filled, "x:1")
    at = open_desk(context_of(filled), desk_case=case.id)
    filled.cases.assign(case.id, "Inès", actor="Inès", now=NOW)
    at.button(key="desk_take").click().run()
    assert filled.cases.get(case.id).assignee == "Inès"  # type: ignore[union-attr]
    toast = at.session_state["desk_toast"]
    assert toast["bad"] and toast["text"].startswith("Quelqu'un vient de modifier cette conversation.")


def test_a_department_head_sees_only_what_is_theirs(filled: Store) -> None:
    at = open_desk(context_of(filled, KARIM))
    assert {item["department"] for item in data_of(at, "queue")["items"]} == {"Logistique"}
    assert data_of(at, "tabs")["tabs"][5]["count"] == 1
    # A browser may send any filter: it widens nothing.
    at = open_desk(context_of(filled, KARIM), desk_f_department=["finance"])
    assert {item["department"] for item in data_of(at, "queue")["items"]} == {"Logistique"}


def test_a_link_to_a_case_of_another_department_shows_nothing_of_it(filled: Store) -> None:
    case = case_of(filled, "mail:3")
    at = AppTest.from_function(_desk, kwargs={"context": context_of(filled, KARIM)}, default_timeout=30)
    at.query_params["case"] = case.id
    at.run()
    assert not at.exception
    assert data_of(at, "thread")["words"]["emptyTitle"] == "Cette conversation n'est pas pour vous"
    assert "facture" not in everything(at) and "Zoe" not in everything(at)
    assert not [button for button in at.button if button.key == "desk_take"]


def test_the_person_column_hides_conversations_of_other_departments(filled: Store) -> None:
    case = case_of(filled, "x:1")  # Léa also asked customer service for a refund
    assert [other["title"] for other in data_of(open_desk(context_of(filled), desk_case=case.id), "person")["others"]]
    assert data_of(open_desk(context_of(filled, KARIM), desk_case=case.id), "person")["others"] == []


def test_words_of_strangers_never_become_markup(filled: Store) -> None:
    case = case_of(filled, "x:5")
    at = open_desk(context_of(filled), desk_case=case.id)
    assert data_of(at, "thread")["bubbles"][0]["text"] == HOSTILE
    for kind in ("markdown", "html", "text", "caption"):
        assert all("alert(1)" not in element.value for element in at.get(kind))
    scripts = [path.read_text("utf-8") for path in Path(dashboard.__file__).parent.glob("components/*.js")]
    assert scripts
    for script in scripts:
        assert not {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} & set(script.split())
        assert "innerHTML" not in script and "insertAdjacentHTML" not in script


def test_plain_text_stays_plain_in_markdown() -> None:
    escaped = plain("**gras** [lien](x) <b> :red[x] $a$\nligne")
    assert "**" not in escaped and "[lien]" not in escaped and "<b>" not in escaped
    assert escaped.endswith("  \nligne")


def _audit(context):  # type: ignore[no-untyped-def]
    from dashboard.pages import audit

    audit.render(context)


@pytest.mark.parametrize("viewer", [AWA, KARIM, NADIA])
def test_the_journal_opens_and_keeps_to_the_viewers_departments(filled: Store, viewer: Any) -> None:
    acts.take(context_of(filled), case_of(filled, "x:1"))
    at = AppTest.from_function(_audit, kwargs={"context": context_of(filled, viewer)}, default_timeout=30).run()
    assert not at.exception
    lines = data_of(at, "history")["acts"]
    names = {line["name"] for line in lines}
    assert ("Léa Martin · Commande et livraison" in names) == viewer.sees("logistics")
    assert ("Zoe · Facture et compte" in names) == viewer.sees("finance")
    if viewer is AWA:
        assert lines[0]["actor"] == "Awa" and "en charge : – → Awa" in lines[0]["changes"]


def test_the_journal_opens_empty_and_for_one_case(empty: Store) -> None:
    at = AppTest.from_function(_audit, kwargs={"context": context_of(empty)}, default_timeout=30)
    assert data_of(at.run(), "history")["acts"] == []
    at.query_params["case"] = "cnone"
    at.run()
    assert at.info[0].value.startswith("Cette conversation n'est pas dans votre service")


def test_the_queue_is_paged_by_fifty(empty: Store) -> None:
    from tests.builders import analysis, page

    said = [mention(str(n), who=f"p{n}", after=190 + n / 100) for n in range(60)]
    empty.sources.ensure("s", "demo", "S", {})
    empty.mentions.add_page("s", page(*said), NOW)
    with empty.mentions.unanalyzed(100) as backlog:
        backlog.save([analysis(m.id) for m in backlog.mentions], NOW)
    empty.cases.route(100, NOW, lambda _case, _item, _person: ())
    queue = data_of(open_desk(context_of(empty)), "queue")
    assert (len(queue["items"]), queue["pages"]) == (50, 2)
    assert len(data_of(open_desk(context_of(empty), desk_page=1), "queue")["items"]) == 10
    assert empty.queue.counts(QueueFilter(), me="", now=NOW)[View.OPEN] == 60
