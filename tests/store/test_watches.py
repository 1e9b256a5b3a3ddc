"""Watches, previews, back-fills and messages of the past in the store, on both backends."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.contracts import Cursor, Estimate, Gap, Page, Search, Spend, Watch
from domain.errors import InputError, StaleError
from domain.mention import Mention
from domain.watch import MAX_LENGTH, parse
from store import Store
from store.backfill_rows import Backfill, BackfillState
from store.backfills import LEASE
from store.previews import FRESH, KEPT_FOR, MOST_LOOKED_AT, PreviewState
from store.previews import LEASE as PREVIEW_LEASE
from store.queue import QueueFilter
from store.watches import ADDED, CHANGED, REMOVED, WatchKind
from tests.builders import analysis, mention, page
from tests.conftest import NOW

DAY = timedelta(days=1)
ME = {"by": "Awa", "at": NOW}


# -- watches ---------------------------------------------------------------------------------------------------------------


def test_a_watch_is_kept_changed_and_removed_and_the_audit_tells(store: Store) -> None:
    added = store.watches.add(
        "  Rivaux ", "belle  aube\nOU pondichelle", kind=WatchKind.COMPETITOR, sources=["x"], **ME
    )
    assert (added.name, added.query, added.sources, added.enabled) == (
        "Rivaux",
        "belle aube OU pondichelle",
        ("x",),
        True,
    )
    assert store.watches.all() == [added] == [store.watches.named("rivaux")]
    changed = store.watches.change(added.id, by="Inès", at=NOW + DAY, query='"belle aube"', enabled=False)
    assert (
        store.watches.get(added.id)
        == changed
        == replace(added, query='"belle aube"', enabled=False, changed_at=NOW + DAY)
    )
    assert store.watches.change(added.id, by="Inès", at=NOW + 2 * DAY, enabled=False) == changed, "nothing moved"
    store.watches.remove(added.id, by="Awa", at=NOW + 3 * DAY)
    assert store.watches.all() == [] and store.watches.get(added.id) is None
    told = store.watches.history(added.id)
    assert [(row.action, row.actor) for row in told] == [(ADDED, "Awa"), (CHANGED, "Inès"), (REMOVED, "Awa")]
    assert told[1].data["changes"] == {"query": ["belle aube OU pondichelle", '"belle aube"'], "enabled": [True, False]}
    for act in (store.watches.remove, store.watches.change):
        with pytest.raises(InputError, match="no longer there"):
            act(added.id, **ME)


@pytest.mark.parametrize(
    ("name", "query", "says"),
    [
        ("", "colis", "needs a name"),
        ("n" * 81, "colis", "81 characters"),
        ("a", "(colis", "character 1 is never closed"),
        ("a", "", "empty"),
        ("a", "-colis", "leave out"),
    ],
)
def test_what_cannot_be_listened_to_is_refused_and_nothing_kept(store: Store, name: str, query: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        store.watches.add(name, query, **ME)
    assert store.watches.all() == [] and store.audit.latest() == []


def test_names_are_told_apart_without_their_capitals(store: Store) -> None:
    store.watches.add("Marque", "ormelune", **ME)
    with pytest.raises(InputError, match="already"):
        store.watches.add("MARQUE", "autre", **ME)
    other = store.watches.add("Autre", "autre", **ME)
    with pytest.raises(InputError, match="already"):
        store.watches.change(other.id, name="marque", **ME)


def test_a_source_gets_what_is_enabled_for_it_beside_the_settings(store: Store) -> None:
    store.watches.add("a", "colis OU paquet", **ME)
    store.watches.add("b", "belle aube SAUF concours", sources=["x"], **ME)
    store.watches.add("c", "jamais", enabled=False, **ME)
    default = Watch(terms=("ormelune",), accounts=("shop",), query="note:<=2")
    x, mail = store.watches.of_source("x", default), store.watches.of_source("mail", default)
    assert (x.terms, x.accounts) == (("ormelune",), ("shop",))
    assert x.query == "note:<=2 OR colis OU paquet OR belle aube SAUF concours"
    assert mail.query == "note:<=2 OR colis OU paquet"
    heard = parse(x.query)
    assert len(heard.parts) == 4, "alternatives stay side by side, so that networks ask each one by itself"  # type: ignore[union-attr]
    assert store.watches.of_source("mail", Watch()) == Watch(query="colis OU paquet")


def test_no_watch_at_all_leaves_the_settings_as_they_are(store: Store) -> None:
    assert store.watches.of_source("x", Watch()) == Watch()


def test_together_they_stay_short_enough_to_be_read(store: Store) -> None:
    long = " OU ".join(f"mot{n}" for n in range(300))
    assert MAX_LENGTH / 2 < len(long) < MAX_LENGTH
    store.watches.add("a", long, **ME)
    apart = store.watches.add("b", f"{long} OU autre", enabled=False, **ME)
    with pytest.raises(InputError, match="Together"):
        store.watches.change(apart.id, enabled=True, **ME)
    with pytest.raises(InputError, match="Together"):
        store.watches.add("c", f"encore {long}", sources=["x"], **ME)
    store.watches.change(store.watches.named("a").id, sources=["mail"], **ME)  # type: ignore[union-attr]
    store.watches.change(apart.id, enabled=True, sources=["x"], **ME)
    parse(store.watches.of_source("x", Watch()).query)


def test_a_watch_may_name_another_and_follows_it(store: Store) -> None:
    rivals = store.watches.add(
        "Nos Concurrents", '"belle aube" OU @rival', **ME, kind=WatchKind.COMPETITOR, enabled=False
    )
    store.watches.add("Promos", "promo -liste:nos-concurrents", **ME)
    assert store.watches.of_source("s", Watch()).query == 'promo -("belle aube" OU @rival)'
    store.watches.change(rivals.id, query="belleaube", **ME)
    assert store.watches.of_source("s", Watch()).query == "promo -(belleaube)"
    assert store.watches.expanded("a OU list:Nos-Concurrents") == "a OU (belleaube)"
    for change in ({"query": "x list:promos"}, {"query": "y" * 3_995}, {"name": "Autres"}):
        with pytest.raises(InputError, match=r"names this one|leads back"):
            store.watches.change(rivals.id, **change, **ME)
    with pytest.raises(InputError, match="The watch “Promos” names this one"):
        store.watches.remove(rivals.id, **ME)
    with pytest.raises(InputError, match=r"no list “nowhere” .at character 3"):
        store.watches.add("c", "a list:nowhere", **ME)
    with pytest.raises(InputError, match="no list"):
        store.watches.add("self", "a list:self", **ME)
    assert [row.query for row in store.watches.all()] == ["belleaube", "promo -liste:nos-concurrents"]


# -- previews --------------------------------------------------------------------------------------------------------------


def test_a_preview_is_asked_leased_and_answered_source_by_source(store: Store) -> None:
    wish = store.previews.ask("colis", ["x", "mail", "x"], NOW - 7 * DAY, NOW, **ME)
    assert [(p.source_key, p.state, p.settled) for p in store.previews.of(wish)] == [
        ("x", PreviewState.ASKED, False),
        ("mail", PreviewState.ASKED, False),
    ]
    first, second = store.previews.lease(NOW), store.previews.lease(NOW)
    assert first is not None and second is not None and (first.source_key, second.source_key) == ("x", "mail")
    assert store.previews.lease(NOW) is None
    found = Estimate(312, 1.56, tuple(mention(str(n), "colis " * 200) for n in range(9)), "About.", Spend(price=0.05))
    store.previews.answer(first, found, NOW, search=Search(("colis -from:us",), True, ("lang:fr",), "Narrow."))
    store.previews.fail(second, "The password is wrong.", NOW)
    x, mail = store.previews.of(wish)
    assert (x.state, x.found_count, x.price, x.spent, x.note) == (PreviewState.DONE, 312, 1.56, 0.05, "About.")
    assert len(x.samples) == 6 and len(x.samples[0].text) == 401 and x.samples[0].author == "lea"
    assert x.search == Search(("colis -from:us",), True, ("lang:fr",), "Narrow.") and mail.search is None
    assert (mail.state, mail.error) == (PreviewState.FAILED, "The password is wrong.")
    store.previews.answer(replace(second), Estimate(1, 0.0), NOW)
    assert store.previews.of(wish)[1].state is PreviewState.FAILED, "an answer that comes too late changes nothing"


def test_a_question_whose_answerer_died_is_asked_again(store: Store) -> None:
    store.previews.ask("colis", ["x"], NOW - DAY, NOW, **ME)
    first = store.previews.lease(NOW)
    assert store.previews.lease(NOW + PREVIEW_LEASE / 2) is None
    again = store.previews.lease(NOW + PREVIEW_LEASE)
    assert first is not None and again is not None and again.id == first.id


def test_the_same_question_within_minutes_is_not_paid_twice(store: Store) -> None:
    store.previews.ask("colis", ["x"], NOW - 7 * DAY, NOW, **ME)
    first = store.previews.lease(NOW)
    assert first is not None
    store.previews.answer(first, Estimate(3, 0.5, spent=Spend(price=0.05)), NOW)
    soon, later = NOW + FRESH / 2, NOW + FRESH
    [known] = store.previews.of(store.previews.ask("colis", ["x"], soon - 7 * DAY, soon, by="Inès", at=soon))
    assert (known.state, known.found_count, known.spent) == (PreviewState.DONE, 3, 0.0)
    for query, days in (("paquet", 7), ("colis", 30)):
        [fresh] = store.previews.of(store.previews.ask(query, ["x"], soon - days * DAY, soon, by="Inès", at=soon))
        assert fresh.state is PreviewState.ASKED
    [old] = store.previews.of(store.previews.ask("colis", ["x"], later - 7 * DAY, later, by="Inès", at=later))
    assert old.state is PreviewState.ASKED


def test_an_expression_that_cannot_be_read_is_not_asked(store: Store) -> None:
    with pytest.raises(InputError, match="never closed"):
        store.previews.ask('"colis', ["x"], NOW - DAY, NOW, **ME)
    assert store.previews.lease(NOW) is None


def test_words_of_strangers_are_forgotten_after_a_day(store: Store) -> None:
    wish = store.previews.ask("colis", ["x"], NOW - DAY, NOW, **ME)
    assert store.previews.forget(NOW + KEPT_FOR / 2) == 0 and store.previews.of(wish)
    assert store.previews.forget(NOW + KEPT_FOR) == 1 and store.previews.of(wish) == []


def test_kept_messages_are_looked_through_with_the_same_language(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.sources.ensure("s", "demo", "S", {})
    said = [mention(str(n), f"mon COLIS n° {n}" if n % 2 else "merci", after=n) for n in range(12)]
    own = mention("own", "votre colis part", outbound=True, who=None)
    store.mentions.add_page("s", page(*said, own), NOW)
    store.mentions.add_page("t", page(mention("elsewhere", "colis")), NOW)
    since = said[2].created_at
    found, looked = store.previews.kept("colis author:@lea", "s", since, NOW)
    assert (found.count, looked, len(found.samples)) == (5, 10, 5)
    assert found.samples[0].native_id == "11", "the newest first"
    assert store.previews.kept("colis author:@noe", "s", since, NOW)[0].count == 0
    monkeypatch.setattr("store.previews.MOST_LOOKED_AT", 4)
    assert MOST_LOOKED_AT > 4 and store.previews.kept("colis", "s", since, NOW)[1] == 4


def test_what_each_watch_finds_is_counted_in_one_reading(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [mention(str(n), "mon colis" if n % 2 else "merci", after=n) for n in range(10)]
    store.mentions.add_page("s", page(*said, mention("own", "votre colis", outbound=True, who=None)), NOW)
    store.mentions.add_page(
        "t", page(mention("else", "colis", network="mail"), mention("old", "colis", after=-99)), NOW
    )
    watches = [store.watches.add("a", "colis", **ME), store.watches.add("b", "colis OU merci", sources=["t"], **ME)]
    found = store.previews.counts(watches, said[0].created_at, NOW)
    assert [dict(found.found[row.id]) for row in watches] == [{"x": 5, "mail": 1}, {"mail": 1}]
    assert (found.looked_count, found.cut) == (11, False)
    monkeypatch.setattr("store.previews.MOST_LOOKED_AT", 4)
    assert store.previews.counts(watches, said[0].created_at, NOW).cut


# -- back-fills ------------------------------------------------------------------------------------------------------------

SINCE, UNTIL = NOW - 10 * DAY, NOW - 4 * DAY


def begun(store: Store, **fields: Any) -> Backfill:
    store.sources.ensure("s", "demo", "S", {})
    asked = store.backfills.ask("s", SINCE, UNTIL, Watch(query="colis"), **ME, **fields)
    store.backfills.announce(asked.id, 50, 2.0, "About.")
    return store.backfills.confirm(asked.id, **ME)


def old(native_id: str, days: float, **fields: Any) -> Mention:
    return mention(native_id, created_at=NOW - days * DAY, **fields)


def test_a_back_fill_goes_from_wish_to_price_to_yes(store: Store) -> None:
    asked = store.backfills.ask("s", SINCE, UNTIL, Watch(("a",), ("b",), "c"), **ME)
    assert (asked.state, asked.watch, asked.opens_cases) == (BackfillState.ASKED, Watch(("a",), ("b",), "c"), False)
    assert store.backfills.asked(NOW) == [asked]
    assert store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME) == asked, "asked once"
    with pytest.raises(StaleError):
        store.backfills.confirm(asked.id, **ME)
    announced = store.backfills.announce(asked.id, 312, 1.56, "About.")
    assert (announced.state, announced.count_estimated, announced.price_estimated) == (
        BackfillState.ANNOUNCED,
        312,
        1.56,
    )
    assert store.backfills.lease("me", NOW) == [], "nothing is read before a person said yes"
    running = store.backfills.confirm(asked.id, by="Inès", at=NOW)
    assert (running.state, running.confirmed_by, running.price_limit) == (BackfillState.RUNNING, "Inès", 1.88)
    assert [row.action for row in store.audit.latest()] == ["backfill_confirmed", "backfill_asked"]


@pytest.mark.parametrize(("price", "limit"), [(None, 1.0), (0.0, None), (10.0, 12.01)])
def test_what_may_be_spent_before_a_person_is_asked_again(
    store: Store, price: float | None, limit: float | None
) -> None:
    asked = store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME)
    store.backfills.announce(asked.id, None, price, "")
    assert store.backfills.confirm(asked.id, **ME).price_limit == limit


def test_an_empty_span_is_refused_and_the_future_is_left_out(store: Store) -> None:
    for since, until in ((UNTIL, SINCE), (SINCE, SINCE), (NOW + DAY, NOW + 2 * DAY)):
        with pytest.raises(InputError, match="span is empty"):
            store.backfills.ask("s", since, until, Watch(), **ME)
    assert store.backfills.ask("s", SINCE, NOW + DAY, Watch(), **ME).until == NOW


def test_a_page_and_how_far_it_brings_us_fall_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    backfill = begun(store)
    store.mentions.add_page("s", page(cursor="live"), NOW)
    [held] = store.backfills.lease("me", NOW)
    first = Page((old("1", 9), old("2", 9)), None, spent=Spend(1, 2, 0.01), notes=("a remark",))
    result = store.backfills.add_page(held, "me", first, NOW)
    assert (result.stored, result.duplicates) == (2, 0)
    gap = Gap(SINCE, SINCE + DAY, "too far back")
    second = Page((old("2", 9), old("3", 9)), Cursor("day 1"), spent=Spend(1, 2, 0.01), gap=gap)
    store.backfills.add_page(held, "me", second, NOW)
    now = store.backfills.reach(held, "me", SINCE + DAY, NOW)
    assert (now.found_count, now.stored_count, now.price_spent, now.cursor) == (4, 3, 0.02, "day 1")
    assert now.done_share == pytest.approx(1 / 6)
    assert now.notes[0] == "a remark" and "too far back" in now.notes[1]
    source = store.sources.get("s")
    assert source is not None and source.cursor == "live" and source.notes == [], "listening goes on where it was"

    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("store.backfills.Backfills._set", broken)
    with pytest.raises(RuntimeError):
        store.backfills.add_page(backfill, "me", page(old("4", 8)), NOW)
    assert store.mention_count() == 3


def test_what_is_read_again_after_a_kill_is_counted_once(store: Store) -> None:
    begun(store)
    [held] = store.backfills.lease("first", NOW)
    store.backfills.add_page(held, "first", page(old("1", 9), old("2", 9), cursor="a"), NOW)
    store.backfills.add_page(held, "first", page(old("3", 9), cursor=None), NOW)
    assert store.backfills.lease("second", NOW + LEASE / 2) == [], "somebody is at it"
    [again] = store.backfills.lease("second", NOW + LEASE)
    assert (again.reader, again.cursor) == ("first", "a")
    store.backfills.begin_again(again.id, "second")
    for one in (page(old("3", 9), cursor=None), page(old("4", 9), cursor="b")):
        store.backfills.add_page(again, "second", one, NOW + LEASE)
    with pytest.raises(StaleError):
        store.backfills.add_page(held, "first", page(old("5", 9)), NOW + LEASE)
    now = store.backfills.get(again.id)
    assert now is not None and (now.found_count, now.stored_count) == (4, 4) and store.mention_count() == 4


def test_paused_resumed_cancelled_by_people_and_pages_that_come_too_late(store: Store) -> None:
    backfill = begun(store)
    [held] = store.backfills.lease("me", NOW)
    store.backfills.pause(backfill.id, **ME)
    with pytest.raises(StaleError):
        store.backfills.add_page(held, "me", page(old("1", 9)), NOW)
    assert store.mention_count() == 0 and store.backfills.lease("me", NOW) == []
    with pytest.raises(StaleError):
        store.backfills.pause(backfill.id, **ME)
    assert store.backfills.resume(backfill.id, **ME).state is BackfillState.RUNNING
    assert store.backfills.cancel(backfill.id, **ME).finished_at == NOW
    for act in (store.backfills.resume, store.backfills.cancel, store.backfills.confirm):
        with pytest.raises(StaleError):
            act(backfill.id, **ME)
    acts = [row.action for row in reversed(store.audit.latest())][2:]
    assert acts == ["backfill_paused", "backfill_resumed", "backfill_cancelled"]


def test_the_last_window_ends_it(store: Store) -> None:
    begun(store)
    [held] = store.backfills.lease("me", NOW)
    done = store.backfills.reach(held, "me", UNTIL, NOW)
    assert (done.state, done.done_share, done.finished_at) == (BackfillState.DONE, 1.0, NOW) and not done.open
    assert store.backfills.lease("me", NOW) == []
    assert store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME).id != done.id, "the same span may be read once more"


def test_it_stops_at_the_price_that_was_agreed_and_goes_on_when_told(store: Store) -> None:
    backfill = begun(store)
    [held] = store.backfills.lease("me", NOW)
    store.backfills.add_page(held, "me", Page((old("1", 9),), Cursor("a"), spent=Spend(price=2.50)), NOW)
    now = store.backfills.get(backfill.id)
    assert now is not None and now.state is BackfillState.PAUSED and "$2.50" in now.error
    again = store.backfills.resume(backfill.id, **ME)
    assert (again.state, again.error, again.price_limit) == (BackfillState.RUNNING, "", pytest.approx(2.50 + 2.41))


def test_troubles_are_told_and_after_many_a_person_decides(store: Store) -> None:
    begun(store)
    at = NOW
    for _ in range(8):
        [held] = store.backfills.lease("me", at)
        store.backfills.wait(held, "Too many requests.", at, None)
        assert store.backfills.lease("me", at) == []
        at += timedelta(hours=2)
    now = store.backfills.get(held.id)
    assert now is not None and (now.state, now.error) == (BackfillState.PAUSED, "Too many requests.")


def test_a_leaving_reader_hands_over_at_once(store: Store) -> None:
    begun(store)
    assert store.backfills.lease("me", NOW)
    store.backfills.release("me")
    [held] = store.backfills.lease("other", NOW)
    assert held.reader is None


def test_a_price_that_cannot_be_told_now_is_asked_for_later(store: Store) -> None:
    asked = store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME)
    store.backfills.price_later(asked.id, "Try again.", NOW, timedelta(minutes=3))
    assert store.backfills.asked(NOW) == []
    [again] = store.backfills.asked(NOW + timedelta(minutes=3))
    assert again.error == "Try again."
    assert store.backfills.announce(asked.id, 1, 0.0, "").error == ""


# -- messages of the past --------------------------------------------------------------------------------------------------


def test_old_messages_are_counted_and_open_no_case(store: Store, now: datetime) -> None:
    begun(store)
    [held] = store.backfills.lease("me", now)
    said = [old("1", 9), old("2", 2), old("3", 0.5), old("own", 8, outbound=True, who=None)]
    store.backfills.add_page(held, "me", page(*said), now)
    assert (store.mentions.unanalyzed_count(), store.past.unanalyzed_count()) == (1, 2)
    with store.mentions.unanalyzed(9) as backlog:
        assert [one.native_id for one in backlog.mentions] == ["3"], "younger than a day: it waits for an answer"
        backlog.save([analysis(one.id) for one in backlog.mentions], now)
    with store.past.unanalyzed(9) as past:
        assert [one.native_id for one in past.mentions] == ["2", "1"]
        assert past.save([analysis(one.id, "refund_return") for one in past.mentions], now) == 2
    with store.past.unanalyzed(9) as past:
        assert past.mentions == []
    assert store.cases.route(9, now, lambda *_: []).opened == 1
    assert len(store.queue.page(QueueFilter(), me="", now=now)) == store.cases.count() == 1
    assert store.rebuild_rollups(write=False) == [], "all are in the counts"
    kept = store.mentions.analysis(said[0].id)
    assert kept is not None and kept.intent.value == "refund_return"


def test_a_word_of_the_past_leaves_the_case_of_its_thread_alone(store: Store, now: datetime) -> None:
    begun(store)
    store.mentions.add_page("s", page(old("2", 0.1, conversation_id="1")), now)
    with store.mentions.unanalyzed(9) as backlog:
        backlog.save([analysis(one.id) for one in backlog.mentions], now)
    store.cases.route(9, now, lambda *_: [])
    [before] = store.queue.page(QueueFilter(), me="", now=now)
    [held] = store.backfills.lease("me", now)
    store.backfills.add_page(held, "me", page(old("1", 9), old("2", 0.1, conversation_id="1")), now)
    with store.past.unanalyzed(9) as past:
        past.save([analysis(one.id) for one in past.mentions], now)
    store.cases.route(9, now, lambda *_: [])
    [after] = store.queue.page(QueueFilter(), me="", now=now)
    assert after.case == before.case


def test_who_wants_cases_of_the_past_gets_them(store: Store, now: datetime) -> None:
    begun(store, opens_cases=True)
    [held] = store.backfills.lease("me", now)
    store.backfills.add_page(held, "me", page(old("1", 9)), now)
    assert (store.mentions.unanalyzed_count(), store.past.unanalyzed_count()) == (1, 0)


def test_a_batch_of_the_past_saved_twice_counts_once(store: Store, now: datetime) -> None:
    begun(store)
    [held] = store.backfills.lease("me", now)
    store.backfills.add_page(held, "me", page(old("1", 9)), now)
    told = [analysis("x:1")]
    with store.past.unanalyzed(9) as past:
        assert past.save(told, now) == 1
        assert past.save(told, now) == 0
    assert store.rebuild_rollups(write=False) == []
