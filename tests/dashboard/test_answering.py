"""Private answers and acts on messages at the desk: what is offered, what is asked, what can be taken back."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

import collectors
from dashboard import acts, views_answering, views_case, views_sources
from dashboard.acts import NotYoursError
from dashboard.acts_moderation import moderate
from dashboard.context import Context
from dashboard.i18n import set_language
from domain.case import CaseId, RuleError
from domain.contracts import Act, Permission
from domain.mention import Mention, MentionId, MentionKind
from store import Store
from store.outbox import ASKED, OutboxRow, OutboxState
from store.queue import Message
from tests.builders import analysis, mention, page
from tests.conftest import NOW
from tests.dashboard.counter import NADIA, context_of

PARIS = ZoneInfo("Europe/Paris")
UNTIL = NOW + timedelta(days=2)
PRIVATE = Permission(True, "Once, within seven days.", UNTIL, 0.02, public=False, text_limit=1000)


def rights(said: Mention) -> Permission:
    if said.outbound:
        return Permission(False, "These are our own words. Answer what others said.", acts=(Act.DELETE,))
    return Permission(True, text_limit=8000, private=PRIVATE, acts=(Act.HIDE,))


@pytest.fixture
def case_id(empty: Store) -> CaseId:
    """A comment under our post, our answer, and a review of stars alone."""
    said = (
        mention("1", "Remboursez-moi !", network="facebook", kind=MentionKind.COMMENT, after=190),
        mention("o1", "Bonjour", who=None, network="facebook", parent_id="1", conversation_id="1", outbound=True, after=191),
        mention("2", "", network="facebook", kind=MentionKind.REVIEW, rating=4, conversation_id="1", after=192),
    )  # fmt: skip
    empty.sources.ensure("s", "demo", "S", {})
    empty.mentions.add_page("s", page(*said), NOW, rights)
    with empty.mentions.unanalyzed(9) as backlog:
        backlog.save([analysis(m.id, "refund_return") for m in backlog.mentions], NOW)
    empty.cases.route(9, NOW, lambda _case, _item, _person: ())
    [found] = empty.mentions.case_ids([MentionId("facebook:1")])
    return found


def a_message(permission: Permission | None = None, **fields: Any) -> Message:
    said = mention("1", "Bonjour", network="facebook")
    return Message(said, said.author, None, "s", permission, **fields)


def row(act: Act, state: OutboxState, key: str = "k", error: str | None = None, about: str = "facebook:1") -> OutboxRow:
    return OutboxRow(
        key, "moderation", "s", CaseId("c1"), MentionId(about), {"act": act.value}, state, 1, NOW, "Awa", error  # type: ignore[arg-type]
    )  # fmt: skip


# -- words ---------------------------------------------------------------------------------------------------------------


def test_the_private_way_tells_window_price_and_reason_before_one_writes() -> None:
    way = views_answering.private_way(a_message(rights(mention())), NOW, PARIS)
    assert way == {
        "allowed": True,
        "limit": 1000,
        "permission": "Facebook permet de répondre (une fois, dans les sept jours) · privé · 0,02\u202f$ · "
        "1\u202f000 caractères · jusqu'à jeu. 11:00",
    }
    late = views_answering.private_way(a_message(rights(mention())), UNTIL, PARIS)
    assert late is not None and not late["allowed"] and "n'accepte plus de réponse" in late["permission"]
    assert views_answering.private_way(a_message(Permission(True)), NOW, PARIS) is None
    assert views_answering.private_way(a_message(None), NOW, PARIS) is None


@pytest.mark.parametrize(
    ("acts_told", "rows", "hidden", "offered"),
    [
        ((), [], False, ()),
        ((Act.HIDE,), [], False, (Act.HIDE,)),
        ((Act.UNHIDE,), [], True, (Act.UNHIDE,)),
        ((Act.DELETE,), [], False, (Act.DELETE,)),
        ((Act.HIDE,), [row(Act.HIDE, OutboxState.PENDING)], False, ()),
        ((Act.HIDE,), [row(Act.HIDE, OutboxState.REFUSED)], False, (Act.HIDE,)),
        ((Act.HIDE,), [row(Act.HIDE, OutboxState.WITHDRAWN)], False, (Act.HIDE,)),
        ((Act.HIDE,), [row(Act.HIDE, OutboxState.PENDING, about="facebook:2")], False, (Act.HIDE,)),
        # a network that does not tell: what we did last
        ((Act.HIDE, Act.UNHIDE), [], False, (Act.HIDE,)),
        ((Act.HIDE, Act.UNHIDE), [row(Act.HIDE, OutboxState.SENT)], True, (Act.UNHIDE,)),
        ((Act.HIDE, Act.UNHIDE), [row(Act.HIDE, OutboxState.SENT), row(Act.UNHIDE, OutboxState.SENT)], False, (Act.HIDE,)),
    ],
)  # fmt: skip
def test_what_is_offered_follows_what_is(
    acts_told: tuple[Act, ...], rows: list[OutboxRow], hidden: bool, offered: tuple[Act, ...]
) -> None:
    message = a_message(Permission(True, acts=acts_told))
    assert views_answering.is_hidden(message, rows) is hidden
    assert views_answering.acts_of(message, rows) == offered
    assert bool(views_answering.standing(message, rows).get("hidden")) is hidden


def test_a_deleted_message_offers_nothing_and_says_who_deleted_it() -> None:
    gone = a_message(Permission(True, acts=(Act.HIDE,)), deleted_at=NOW)
    assert views_answering.standing(gone, []) == {"gone": "Message supprimé par son auteur"}
    ours = replace(gone, mention=replace(gone.mention, outbound=True))
    assert views_answering.standing(ours, []) == {"gone": "Message que nous avons supprimé"}
    set_language("en")
    assert views_answering.standing(gone, []) == {"gone": "Message deleted by its author"}


@pytest.mark.parametrize(
    ("state", "error", "key", "again"),
    [
        (OutboxState.PENDING, None, "pending", False),
        (OutboxState.PENDING, "503", "pending", False),
        (OutboxState.REFUSED, "The message is no longer there.", "refused", True),
        (OutboxState.UNKNOWN, None, "unknown", True),
    ],
)
def test_where_an_act_stands(state: OutboxState, error: str | None, key: str, again: bool) -> None:
    said = views_answering.act_state(row(Act.HIDE, state, error=error))
    assert said is not None and (said["key"], bool(said["again"])) == (key, again)
    assert said["row"] == "k" and bool(said["reason"]) == bool(error or state is OutboxState.UNKNOWN)


def test_what_is_done_or_taken_back_is_not_said_again() -> None:
    assert views_answering.act_state(row(Act.HIDE, OutboxState.SENT)) is None
    assert views_answering.act_state(row(Act.HIDE, OutboxState.WITHDRAWN)) is None


def test_a_replaced_answer_is_one_bubble(empty: Store, case_id: CaseId) -> None:
    for key, text in (("k1", "Bonjour"), ("k2", "C'est réglé")):
        empty.cases.reply(case_id, MentionId("facebook:1"), text, source_key="s", key=key, actor="Awa", now=NOW)
        [leased] = empty.outbox.lease(ASKED, "s", 9, NOW + timedelta(hours=1))
        empty.outbox.reply_sent(leased, mention("1", network="facebook"), "o1", NOW)
    conversation = empty.queue.conversation(case_id)
    assert conversation is not None
    rows = empty.outbox.of_case(case_id)
    shown = views_case.thread(conversation, [], rows, brand="O", now=NOW, zone=PARIS, target=None)
    [ours] = [bubble for bubble in shown if bubble["side"] == "out"]
    assert ours["id"] == "facebook:o1" and ours["state"]["key"] == "sent"


@pytest.mark.parametrize(
    ("kind", "payload", "title"),
    [
        ("private", {"text": "Bonjour"}, "Réponse privée vers s"),
        ("moderation", {"act": "hide"}, "Masquer sur s"),
        ("reply", {"text": "Bonjour"}, "Réponse vers s"),
    ],
)
def test_the_sources_page_names_what_waits(kind: str, payload: dict[str, str], title: str) -> None:
    waiting = replace(row(Act.HIDE, OutboxState.REFUSED), kind=kind, payload=payload)
    assert views_sources.sending_title(waiting) == title


# -- acts ----------------------------------------------------------------------------------------------------------------


def asked(store: Store, case_id: CaseId) -> list[tuple[str, Any, OutboxState]]:
    return [(r.kind, r.payload.get("act") or r.payload["text"], r.state) for r in store.outbox.of_case(case_id)]


def test_a_private_answer_is_asked_as_one(empty: Store, case_id: CaseId) -> None:
    context, key = context_of(empty), f"reply:{case_id}:1"
    for _ in range(2):
        done = acts.reply(context, case_id, MentionId("facebook:1"), "Votre adresse ?", key, private=True)
    assert "privée" in done.text
    assert asked(empty, case_id) == [("private", "Votre adresse ?", OutboxState.PENDING)]


def test_a_private_answer_is_held_to_its_own_limit_and_window(empty: Store, case_id: CaseId) -> None:
    key, about = f"reply:{case_id}:1", MentionId("facebook:1")
    with pytest.raises(RuleError, match="1000"):
        acts.reply(context_of(empty), case_id, about, "a" * 1001, key, private=True)
    later = context_of(empty, now=UNTIL + timedelta(seconds=1))
    with pytest.raises(RuleError, match="does not allow"):
        acts.reply(later, case_id, about, "Bonjour", key, private=True)
    acts.reply(later, case_id, about, "Bonjour", key)
    assert [kind for kind, _, _ in asked(empty, case_id)] == ["reply"]


def test_hiding_is_undone_before_it_left_and_after(empty: Store, case_id: CaseId) -> None:
    about, minute = MentionId("facebook:1"), timedelta(minutes=1)
    first, second, third = (context_of(empty, now=NOW + n * minute, clock=lambda: NOW) for n in range(3))
    done = moderate(first, case_id, about, Act.HIDE)
    assert done.undo is not None
    acts.undo(first, done.undo)
    assert asked(empty, case_id) == [("moderation", "hide", OutboxState.WITHDRAWN)]
    done = moderate(second, case_id, about, Act.HIDE)
    assert done.undo is not None
    [leased] = empty.outbox.lease(ASKED, "s", 9, second.now)
    empty.moderation.done(leased, second.now)
    acts.undo(third, done.undo)
    assert asked(empty, case_id)[1:] == [
        ("moderation", "hide", OutboxState.SENT),
        ("moderation", "unhide", OutboxState.PENDING),
    ]


def test_a_deletion_is_taken_back_in_time_or_not_at_all(empty: Store, case_id: CaseId) -> None:
    context, about = context_of(empty), MentionId("facebook:o1")
    done = moderate(context, case_id, about, Act.DELETE)
    assert done.undo is not None and not empty.outbox.lease(ASKED, "s", 9, NOW)
    acts.undo(context, done.undo)
    assert asked(empty, case_id) == [("moderation", "delete", OutboxState.WITHDRAWN)]
    done = moderate(context, case_id, about, Act.DELETE)
    assert done.undo is not None
    [leased] = empty.outbox.lease(ASKED, "s", 9, NOW + timedelta(minutes=1))
    empty.moderation.done(leased, NOW)
    with pytest.raises(RuleError, match="deleted already"):
        acts.undo(context, done.undo)


@pytest.mark.parametrize(("about", "act"), [("facebook:1", Act.DELETE), ("facebook:o1", Act.HIDE), ("x:9", Act.HIDE)])
def test_what_the_network_does_not_offer_is_not_asked(empty: Store, case_id: CaseId, about: str, act: Act) -> None:
    with pytest.raises(RuleError):
        moderate(context_of(empty), case_id, MentionId(about), act)
    assert asked(empty, case_id) == []


def test_no_act_reaches_a_message_of_another_department(empty: Store, case_id: CaseId) -> None:
    empty.cases.transfer(case_id, "logistics", actor="Awa", now=NOW)
    with pytest.raises(NotYoursError):
        moderate(context_of(empty, NADIA), case_id, MentionId("facebook:1"), Act.HIDE)
    assert asked(empty, case_id) == []


def test_a_failed_act_is_asked_again_from_its_message(empty: Store, case_id: CaseId) -> None:
    context = context_of(empty)
    moderate(context, case_id, MentionId("facebook:1"), Act.HIDE)
    empty.outbox.refused(empty.outbox.lease(ASKED, "s", 9, NOW), "Not ours to hide.", NOW)
    [failed] = empty.outbox.of_case(case_id)
    acts.send_again(context, case_id, failed.key)
    assert asked(empty, case_id) == [("moderation", "hide", OutboxState.PENDING)]


# -- the page ------------------------------------------------------------------------------------------------------------


def _desk(context):  # type: ignore[no-untyped-def]  # copied by AppTest into a module that knows no names
    from dashboard.pages import desk

    desk.render(context)


def data_of(context: Context, name: str) -> dict[str, Any]:
    """What a component of ours was given on the open desk."""
    at = AppTest.from_function(_desk, kwargs={"context": context}, default_timeout=30).run()
    assert not at.exception
    for element in at.get("bidi_component"):
        if element.proto.component_name == f"comptoir_{name}":
            loaded: dict[str, Any] = json.loads(element.proto.json)
            return loaded
    raise LookupError(name)


def test_the_desk_offers_both_ways_and_a_menu(empty: Store, case_id: CaseId) -> None:
    moderate(context_of(empty), case_id, MentionId("facebook:1"), Act.HIDE)
    composer = data_of(context_of(empty), "composer")
    assert (composer["words"]["reply"], composer["words"]["private"]) == ("Public", "Privé")
    assert composer["private"]["allowed"] and "jusqu'à" in composer["private"]["permission"]
    bubbles = {bubble["id"]: bubble for bubble in data_of(context_of(empty), "thread")["bubbles"]}
    assert bubbles["facebook:1"]["doing"]["text"] == "sera masqué dans un instant"
    assert "menu" not in bubbles["facebook:1"]
    assert [item["act"] for item in bubbles["facebook:o1"]["menu"]] == ["delete"]
    stars = bubbles["facebook:2"]
    assert (stars["stars"], stars["starsWord"], stars["text"]) == ("★★★★☆", "4 sur 5", "")


def test_one_way_is_no_choice(filled: Store) -> None:
    composer = data_of(context_of(filled), "composer")
    assert composer["private"] is None and composer["words"]["reply"] == "Répondre"


# -- networks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_network_that_is_heard_has_its_name_and_its_drawing(lang: str) -> None:
    from pathlib import Path

    from dashboard import components, views

    set_language(lang)
    source = (Path(components.__file__).parent / "_shared.js").read_text("utf-8")
    drawn = source[source.index("const GLYPHS") : source.index("function glyph")]
    kinds = {"demo", "folder"}  # ways to hear, whose messages are those of other networks
    heard = {row.key for row in collectors.COLLECTORS} - kinds | {"google", "file", "reviews", "blog", "webhook"}
    for network in heard | {"youtube", "amazon", "cdiscount", "fnac", "google_shopping"}:
        assert network in views.NETWORK_TITLES, network
        assert f"  {network}: " in drawn or f" {network}: " in drawn, network
