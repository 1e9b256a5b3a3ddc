"""The sources page: each state in words, acts that the store keeps, rejects as plain text, sendings that wait; by role."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import acts_sources as acts
from dashboard.acts import NotYoursError
from dashboard.context import ADMIN, COMMUNITY_MANAGER, DEPARTMENT_HEAD, MANAGEMENT, Context, Viewer
from domain.clock import Calendar
from domain.contracts import CrmRecord, IdempotencyKey, RecordKind
from store import Store
from store.outbox import OutboxState
from store.queue import QueueFilter
from store.sources import SourceState
from tests.builders import analysis, mention
from tests.builders import page as page_of
from tests.dashboard import house

AWA = Viewer("Awa", COMMUNITY_MANAGER)
NOW = house.NOW


@pytest.fixture
def troubled(empty: Store) -> Store:
    """Sources of every feeling."""
    house.spoil_sources(empty)
    return empty


@pytest.fixture
def stuck(empty: Store) -> Store:
    """A refused finding, and an answer of which nobody knows whether it arrived."""
    empty.sources.ensure("s", "demo", "S", {})
    empty.mentions.add_page("s", page_of(mention("1")), NOW)
    with empty.mentions.unanalyzed(9) as backlog:
        backlog.save([analysis(m.id) for m in backlog.mentions], NOW)
    record = CrmRecord(RecordKind.FINDING, IdempotencyKey("f1"), {"intent": "x"})
    empty.cases.route(9, NOW, lambda _case, _item, _person: [("hubspot", record)])
    [row] = empty.queue.page(QueueFilter(), me="", now=NOW)
    empty.cases.reply(row.case.id, "x:1", "Bonjour", source_key="s", key="reply:1", actor="Inès", now=NOW)  # type: ignore[arg-type]
    empty.outbox.refused(empty.outbox.lease("crm", "hubspot", 9, NOW), "The property “intent” does not exist.", NOW)
    empty.outbox.unknown(empty.outbox.lease("reply", "s", 9, NOW), "The network did not answer in time.", NOW)
    return empty


def page(context: "Context") -> None:
    from dashboard.i18n import set_language
    from dashboard.pages import sources

    set_language(context.lang)
    sources.render(context)


def opened(store: Store, viewer: Viewer = AWA, lang: str = "fr") -> AppTest:
    context = house.context_of(store, viewer, lang)
    return AppTest.from_function(page, kwargs={"context": context}, default_timeout=30).run()


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\\", "")


def test_an_empty_store_says_how_to_begin(empty: Store) -> None:
    text = plain(house.shown(opened(empty)))
    assert "Aucune source n'est réglée" in text and "comptoir demo" in text
    assert "Aucun envoi n'attend de décision." in text


def test_every_feeling_is_said_in_words(troubled: Store) -> None:
    text = plain(house.shown(opened(troubled)))
    assert "4 sources : 1 bloquée, 1 réessaie d'elle-même, 1 attend son tour, 1 en pause." in text
    for words in (
        "Bloquée",
        "Nouvel essai bientôt",
        "En pause",
        "Ce qui s'est passé",
        "Ce qui est gardé",
        "Ce qu'il faut faire",
    ):
        assert words in text
    assert "the token has expired" in text  # the source's own words, where nobody has translated them yet
    assert "Le collecteur n'a pas encore tourné" in text


def test_the_worst_comes_first(troubled: Store) -> None:
    at = opened(troubled)
    titles = [m.value for m in at.markdown if m.value.startswith("**") and "sources" not in m.value]
    assert [plain(title).strip("*") for title in titles] == [
        "X (@ormelune)",
        "Blogs cuisine",
        "Avis importés",
        "Mastodon",
    ]


def test_retry_pause_and_resume_are_kept_by_the_store(troubled: Store) -> None:
    at = opened(troubled)
    at.button(key="retry_x").click().run()
    tried = troubled.sources.get("x")
    assert not at.exception and tried is not None and (tried.state, tried.retry_at) == (SourceState.NEW, None)
    assert any("sera réessayée" in toast.value for toast in at.toast)
    at.button(key="pause_feed").click().run()
    paused = troubled.sources.get("feed")
    assert paused is not None and not paused.enabled
    at.button(key="resume_feed").click().run()
    resumed = troubled.sources.get("feed")
    assert resumed is not None and resumed.enabled


def test_a_healthy_source_has_nothing_to_retry(empty: Store) -> None:
    empty.sources.ensure("x", "x", "X", {})
    empty.sources.started("x", NOW)
    empty.sources.succeeded("x", NOW)
    at = opened(empty)
    assert [button.key for button in at.button] == ["pause_x", "budget_set_x"]
    assert "À l'écoute" in plain(house.shown(at)) and "Dernier signe du collecteur" in plain(house.shown(at))


def test_rejects_are_listed_with_line_reason_and_item_as_plain_text(troubled: Store) -> None:
    at = opened(troubled)
    assert not at.code
    at.session_state["rejects_files"] = True
    at.run()
    text = plain(house.shown(at))
    assert "ligne 12 : the date “31/02/2026” does not exist" in text and "ligne 40 : le texte est vide" in text
    assert sorted(code.value for code in at.code) == ["31/02/2026;5;Très bien", '<script>alert("x")</script>']
    assert "3 dates n'avaient pas de fuseau horaire" in text
    assert "<script" not in "\n".join(str(m.value) for m in at.markdown)


def test_sendings_that_wait_are_told_and_can_leave_again(stuck: Store) -> None:
    at = opened(stuck)
    text = plain(house.shown(at))
    assert "Constat vers hubspot" in text and "Réponse vers s" in text
    assert "renvoyer peut faire un double" in text and "The property “intent” does not exist." in text
    keys = [button.key for button in at.button if button.key and button.key.startswith("again_")]
    assert len(keys) == 2
    at.button(key="again_reply:1").click().run()
    assert not at.exception and stuck.outbox.counts()["pending"] == 1
    assert [row.state for row in stuck.outbox.stuck()] == [OutboxState.REFUSED]
    sent_again = [row for row in stuck.audit.of_case(stuck.outbox.stuck()[0].case_id) if row.action == "send_again"]  # type: ignore[arg-type]
    assert [row.actor for row in sent_again] == ["Awa"]


@pytest.mark.parametrize("role", [DEPARTMENT_HEAD, MANAGEMENT])
def test_others_neither_see_nor_act(troubled: Store, role: str) -> None:
    other = Viewer("Karim", role, ("logistics",) if role == DEPARTMENT_HEAD else ())
    at = opened(troubled, other)
    assert at.error and not at.button
    context = house.context_of(troubled, other)
    for act in (acts.retry, acts.pause, acts.resume, acts.send_again):
        with pytest.raises(NotYoursError):
            act(context, "x")
    untouched = troubled.sources.get("x")
    assert untouched is not None and untouched.state is SourceState.BLOCKED and untouched.enabled


def test_a_keeper_of_some_departments_sees_their_sendings_only(stuck: Store) -> None:
    of_logistics = house.context_of(stuck, Viewer("A", ADMIN, ("logistics",)))
    of_finance = house.context_of(stuck, Viewer("B", ADMIN, ("finance",)))
    assert len(acts.stuck(of_logistics)) == 2 and acts.stuck(of_finance) == []
    with pytest.raises(NotYoursError):
        acts.send_again(of_finance, "reply:1")
    assert stuck.outbox.counts()["unknown"] == 1


def test_acts_on_what_is_gone_say_so(empty: Store) -> None:
    context = house.context_of(empty, AWA)
    with pytest.raises(NotYoursError, match="n'existe plus"):
        acts.retry(context, "nowhere")
    with pytest.raises(NotYoursError, match="n'attend plus personne"):
        acts.send_again(context, "nowhere")


def test_in_english(troubled: Store) -> None:
    text = plain(house.shown(opened(troubled, lang="en")))
    assert "4 sources: 1 blocked" in text and "What happened" in text and "What to do" in text
    for french in ("Bloquée", "gardé", "bientôt", "Aucun"):
        assert french not in text


def test_many_rejects_are_paged(tmp_path: Path, calendar: Calendar) -> None:
    from domain.contracts import Cursor, Page, Reject

    store = Store.open(f"sqlite:///{tmp_path / 'many.sqlite'}", calendar)
    store.sources.ensure("files", "files", "Avis", {}, polled=False)
    store.mentions.add_page(
        "files", Page((), Cursor("1"), tuple(Reject(f"ligne {i}", "no text", str(i)) for i in range(130))), NOW
    )
    context = house.context_of(store, AWA)
    at = AppTest.from_function(page, kwargs={"context": context}, default_timeout=30)
    at.session_state["rejects_files"] = True
    at.run()
    assert not at.exception and len(at.code) == 10
    assert any("100 éléments écartés ou plus" in expander.label for expander in at.expander)
    store.close()
