"""What the five networks of reviews have in common, each against its own fake: reading, stopping, edits, trouble, answers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worker as steps
from collectors import access_tokens, trustpilot_read
from collectors.reviews_map import drawn, reply_id, same_words, stars
from collectors.reviews_read import Place
from domain.analysis import Analysis
from domain.contracts import CanReadBack, CanRehydrate, CanReply, Collector, Cursor, IdempotencyKey, Page, Watch
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention, MentionKind
from store import Store
from store.outbox import OutboxState
from tests.builders import MODEL, analysis
from tests.fakes.http_server import serve
from tests.fakes.reviews import FakeReviews
from tests.fakes.reviews_kinds import KINDS, Kind

KEY = IdempotencyKey("key-1")
ANSWERED = [kind for kind in KINDS if kind.writes[0]]
REPLACING = [kind for kind in ANSWERED if kind.replaces]


@pytest.fixture(autouse=True)
def _as_if_new(monkeypatch: pytest.MonkeyPatch) -> None:
    access_tokens.forget_tokens()
    monkeypatch.setattr(trustpilot_read, "PAGE_SIZE", 3)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.key)
def shop(request: pytest.FixtureRequest) -> Iterator[tuple[Kind, FakeReviews]]:
    with serve(request.param.fake()) as fake:
        yield request.param, fake


@pytest.fixture(params=ANSWERED, ids=lambda kind: kind.key)
def open_shop(request: pytest.FixtureRequest) -> Iterator[tuple[Kind, FakeReviews]]:
    with serve(request.param.fake()) as fake:
        yield request.param, fake


def read(
    kind: Kind, fake: FakeReviews, since: Cursor | None = None, **options: Any
) -> tuple[list[Page], Cursor | None]:
    pages = list(kind.connect(fake, **options).fetch(Watch(), since))
    return pages, (pages[-1].cursor if pages else since)


def said(pages: Sequence[Page]) -> dict[str, Mention]:
    return {one.native_id: one for page in pages for one in page.mentions}


def changes(pages: Sequence[Page]) -> dict[str, Mention]:
    return {one.native_id: one for page in pages for one in page.changed}


def story(fake: FakeReviews) -> None:
    first, second = fake.places
    for number in range(8):
        fake.write(f"Avis {number}", 1 + number % 5, where=first if number % 3 else second)
    fake.answer(fake.reviews[2], "Merci pour votre avis.")


# -- reading -----------------------------------------------------------------------------------------------------------------


def test_reviews_come_with_their_stars_and_their_store_or_product(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    story(fake)
    found = said(read(kind, fake)[0])
    theirs = {key: one for key, one in found.items() if not one.outbound}
    assert {key: one.rating for key, one in theirs.items()} == {one.id: one.stars for one in fake.reviews}
    assert {one.kind for one in theirs.values()} == {MentionKind.REVIEW}
    places = {(one.store, one.product) for one in theirs.values()}
    assert (
        places
        == {
            "google_business": {("LYO-01", None), ("Ormelune Nantes", None)},
            "trustpilot": {("Ormelune Lyon", None), (None, "PULL-01")},
            "avis_verifies": {(None, None), (None, "PULL-01")},
            "app_store": {(None, "com.ormelune.shop"), (None, "com.ormelune.club")},
            "google_play": {(None, "com.ormelune.shop"), (None, "com.ormelune.club")},
        }[kind.key]
    )
    [ours] = [one for one in found.values() if one.outbound]
    assert (ours.parent_id, ours.conversation_id, ours.text) == (
        fake.reviews[2].id,
        fake.reviews[2].id,
        "Merci pour votre avis.",
    )
    assert "lea@mail.example" not in json.dumps([one.raw for one in found.values()])


def test_a_run_that_dies_at_any_page_is_continued_while_people_go_on_writing(shop: tuple[Kind, FakeReviews]) -> None:
    kind, template = shop
    for dies_after in range(7):
        with serve(kind.fake()) as fake:
            story(fake)
            kept = list(islice(kind.connect(fake).fetch(Watch(), None), dies_after))
            cursor = next((page.cursor for page in reversed(kept) if page.cursor), None)
            fake.write("Entre-temps", 2)
            fake.edit(fake.reviews[4], "Tout compte fait…", 1)
            rest, cursor = read(kind, fake, cursor)
            fake.wait(hours=7)
            later, _ = read(kind, fake, cursor)
            heard = {**said(kept), **said(rest), **said(later)}
            assert {one.id for one in fake.reviews} <= set(heard), dies_after
            last = {**heard, **changes(rest), **changes(later)}
            if kind.key != "avis_verifies":  # publish_date does not move with an edit; its own test tells
                assert last[fake.reviews[4].id].text == "Tout compte fait…", dies_after
    assert template.requests == []


def test_an_unchanged_network_is_read_without_a_word_and_not_too_often(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    story(fake)
    _, cursor = read(kind, fake)
    asked = len(fake.asked(kind.lists))
    assert read(kind, fake, cursor, later=5)[0] == []
    assert len(fake.asked(kind.lists)) == asked
    pages, _ = read(kind, fake, cursor, later=60 * 7)
    assert not said(pages) and not changes(pages) and len(fake.asked(kind.lists)) > asked


def test_edits_and_new_answers_come_as_changed(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    story(fake)
    _, cursor = read(kind, fake)
    edited, answered = fake.reviews[-1], fake.reviews[-2]
    fake.edit(edited, "Remboursée, merci !", 5)
    fake.answer(answered, "Bonjour, nous regardons.")
    fake.wait(hours=7)
    pages, cursor = read(kind, fake, cursor)
    changed = changes(pages)
    assert (changed[edited.id].text, changed[edited.id].rating) == ("Remboursée, merci !", 5)
    words = {one.text for one in said(pages).values() if one.outbound}
    if kind.key != "google_business":  # there, an answer does not bring a review up again: looking it up does
        assert words == {"Bonjour, nous regardons."}
    fake.wait(hours=1)
    pages, _ = read(kind, fake, cursor)
    assert not changes(pages) and not said(pages)


def test_a_first_reading_goes_back_as_far_as_it_is_told(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    old = fake.write("Il y a longtemps")
    fake.wait(days=5)
    new = fake.write("Hier")
    assert set(said(read(kind, fake, history="2")[0])) == {new.id}
    assert set(said(read(kind, fake, history="all")[0])) == {old.id, new.id}
    with pytest.raises(ConfigurationError, match="history says “soon”"):
        kind.connect(fake, history="soon")


def test_vendors_that_forget_their_tokens_are_read_from_the_top(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    for number in range(9):
        fake.write(f"Avis {number}")
    kept = list(islice(kind.connect(fake).fetch(Watch(), None), 2))
    assert 5 <= len(said(kept)) <= 6
    fake.fail("status", path=kind.lists, status=400)
    rest, _ = read(kind, fake, kept[-1].cursor)
    assert set(said(kept)) | set(said(rest)) == {one.id for one in fake.reviews}
    fake.fail("status", path=kind.lists, status=400, times=2)
    with pytest.raises(RefusedError):
        read(kind, fake, kept[-1].cursor)


def test_items_that_are_no_reviews_are_kept_aside_once(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    names = ("reviewId", "id", "review_id")
    fake.write("Bien")
    broken = fake.write("cassé")
    broken.fields = {**dict.fromkeys(names), "name": None} if kind.key == "google_business" else dict.fromkeys(names)
    pages, cursor = read(kind, fake)
    rejects = [reject for page in pages for reject in page.rejects]
    assert [reject.reason for reject in rejects] == ["the review has no id"] and "cassé" in rejects[0].raw
    fake.wait(hours=1)
    assert not [reject for page in read(kind, fake, cursor)[0] for reject in page.rejects]


def test_cursors_that_cannot_be_read_start_again() -> None:
    for text in ("", "[]", "{", "null", '{"lists": 3}'):
        assert Place.read(Cursor(text)) == Place()
    odd = '{"lists": {"a": 1, "b": {"until": 3, "asked": "x", "walk": [], "told": {"k": [1]}}}}'
    assert [mark.until for mark in Place.read(Cursor(odd)).marks.values()] == [None, None]


def test_a_review_that_is_shown_late_is_heard_though_we_read_since(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    fake.write("Premier")
    _, cursor = read(kind, fake, later=60 * 5)
    late = fake.write("Relu par le réseau avant d'être montré", after=10)
    fake.wait(hours=6)
    assert set(said(read(kind, fake, cursor)[0])) == {late.id}


def test_a_date_in_the_future_does_not_hide_what_comes_after_it(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    odd = fake.write("Horloge folle")
    odd.at = odd.changed_at = fake.clock + timedelta(days=30)
    pages, cursor = read(kind, fake)
    assert set(said(pages)) == {odd.id}
    new = fake.write("Après")
    assert new.id in said(read(kind, fake, cursor)[0])


def test_a_long_list_does_not_make_a_long_cursor(
    shop: tuple[Kind, FakeReviews], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, fake = shop
    fake.page_limit = 100
    monkeypatch.setattr(trustpilot_read, "PAGE_SIZE", 100)
    for number in range(1_500):
        fake.write(f"Avis {number}", after=1)
    pages, cursor = read(kind, fake)
    longest = 5_000 if kind.key == "google_business" else 100_000  # by how far a list is read again
    assert len(said(pages)) == 1_500 and max(len(page.cursor or "") for page in pages) < longest
    fake.write("Encore un")
    fake.wait(hours=1)
    assert [one.text for one in said(read(kind, fake, cursor)[0]).values() if one.text == "Encore un"] == ["Encore un"]


# -- trouble -----------------------------------------------------------------------------------------------------------------


def test_check_says_what_to_do(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    kind.connect(fake).check()
    fake.open = False
    fake.expire()
    access_tokens.forget_tokens()
    with pytest.raises(ConfigurationError, match="setting") as caught:
        kind.connect(fake).check()
    assert kind.settings[kind.secret] not in str(caught.value)
    for key in kind.settings:
        if key in {"product_reviews", "business_user_id", "api_secret"}:
            continue
        with pytest.raises(ConfigurationError, match=key):
            kind.connect(fake, **{key: " "})


def test_a_token_that_ends_is_renewed_by_itself(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    story(fake)
    _, cursor = read(kind, fake)
    before = fake.granted
    fake.wait(minutes=30)
    read(kind, fake, cursor)
    if kind.key != "avis_verifies":  # its tokens last five minutes
        assert fake.granted == before, "a token that is good is asked for again"
    fake.expire()
    fake.wait(minutes=30)
    new = fake.write("Encore")
    fake.wait(minutes=30)
    assert new.id in said(read(kind, fake, cursor)[0])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"effect": "status", "status": 429, "headers": {"Retry-After": "60"}}, TransientError),
        ({"effect": "status", "status": 429}, TransientError),
        ({"effect": "status", "status": 500}, TransientError),
        ({"effect": "status", "status": 503, "headers": {"Retry-After": "60"}}, TransientError),
        ({"effect": "html", "status": 502}, TransientError),
        ({"effect": "html", "status": 200}, ContractError),
        ({"effect": "truncated"}, ContractError),
        ({"effect": "hang"}, TransientError),
        ({"effect": "status", "status": 401, "times": 2}, ConfigurationError),
        ({"effect": "status", "status": 403}, ConfigurationError),
        ({"effect": "status", "status": 200, "data": {"odd": 1, "reviews": 5, "data": 5}}, ContractError),
        ({"effect": "status", "status": 200, "data": 5}, ContractError),
    ],
)
def test_trouble_while_reading_is_told_and_loses_nothing(
    shop: tuple[Kind, FakeReviews], fault: dict[str, Any], error: type[Exception]
) -> None:
    kind, fake = shop
    story(fake)
    _, cursor = read(kind, fake)
    new = fake.write("Nouveau")
    fake.wait(hours=1)
    fake.fail(**fault, path=kind.lists)
    with pytest.raises(error) as caught:
        read(kind, fake, cursor, timeout=0.3 if fault["effect"] == "hang" else 5.0)
    assert len(str(caught.value)) > 20 and kind.settings[kind.secret] not in str(caught.value)
    if isinstance(caught.value, TransientError) and "headers" in fault:
        assert caught.value.retry_after == timedelta(seconds=60)
    assert new.id in said(read(kind, fake, cursor)[0])


def test_powers_are_as_the_spec_says(shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = shop
    made = kind.connect(fake)
    for power in (CanReply, CanReadBack, CanRehydrate):
        assert isinstance(made, power) is kind.module.SPEC.can_reply
    assert kind.module.SPEC.facts and all("://" not in fact for fact in kind.module.SPEC.facts)


# -- answers -----------------------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """A review that waits for an answer."""

    kind: Kind
    fake: FakeReviews
    mention: Mention

    def connect(self, **options: Any) -> Any:
        return self.kind.connect(self.fake, **options)

    def fail(self, effect: str, **fields: Any) -> None:
        method, path = self.kind.writes
        self.fake.fail(effect, method=method, path=path, **fields)


@pytest.fixture
def asked(open_shop: tuple[Kind, FakeReviews]) -> Asked:
    kind, fake = open_shop
    review = fake.write("Ma commande n'arrive pas", 1)
    return Asked(kind, fake, said(read(kind, fake)[0])[review.id])


def test_an_answer_arrives_and_comes_back_as_ours_under_the_same_id(asked: Asked) -> None:
    assert asked.connect().may_reply(asked.mention).allowed
    remote_id = asked.connect().reply(asked.mention, "Bonjour, elle part demain.", KEY)
    assert asked.fake.sent == [(asked.mention.native_id, "Bonjour, elle part demain.")]
    assert remote_id == reply_id(asked.mention.native_id)
    heard = said(read(asked.kind, asked.fake)[0])
    assert heard[remote_id].outbound and heard[remote_id].text == "Bonjour, elle part demain."


@pytest.mark.parametrize("effect", [{"effect": "hang"}, {"effect": "cut"}, {"effect": "html", "status": 502}])
def test_silence_after_an_answer_is_read_back_and_makes_no_second(asked: Asked, effect: dict[str, Any]) -> None:
    asked.fail(**effect, after=True)
    with pytest.raises(OutcomeUnknownError):
        asked.connect(timeout=0.3).reply(asked.mention, "Bonjour 🙂, elle part demain.", KEY)
    assert len(asked.fake.sent) == 1
    assert asked.connect().find_reply(asked.mention, "Tout autre chose", KEY) is None
    found = asked.connect().find_reply(asked.mention, "Bonjour 🙂,  elle part demain.\n", KEY)
    assert found == reply_id(asked.mention.native_id)


def test_an_answer_that_never_left_is_not_found(asked: Asked) -> None:
    asked.fail("cut")
    with pytest.raises(OutcomeUnknownError):
        asked.connect().reply(asked.mention, "Bonjour.", KEY)
    assert asked.fake.sent == [] and asked.connect().find_reply(asked.mention, "Bonjour.", KEY) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 429, "headers": {"Retry-After": "30"}}, TransientError),
        ({"status": 429}, TransientError),
        ({"status": 503}, TransientError),
        ({"status": 500}, OutcomeUnknownError),
        ({"status": 400}, RefusedError),
        ({"status": 403}, ConfigurationError),
        ({"status": 404}, RefusedError),
        ({"status": 401, "times": 2}, ConfigurationError),
    ],
)
def test_refusals_of_an_answer(asked: Asked, fault: dict[str, Any], error: type[Exception]) -> None:
    asked.connect().check()  # a token is there
    asked.fail("status", **fault)
    with pytest.raises(error) as caught:
        asked.connect().reply(asked.mention, "Bonjour.", KEY)
    assert type(caught.value) is error and asked.kind.settings[asked.kind.secret] not in str(caught.value)
    assert asked.fake.sent == []


def test_an_expired_token_does_not_cost_an_answer_nor_double_it(asked: Asked) -> None:
    asked.fake.expire()
    asked.connect().reply(asked.mention, "Bonjour.", KEY)
    assert asked.fake.sent == [(asked.mention.native_id, "Bonjour.")]


def test_an_answer_to_a_review_that_is_gone_is_refused(asked: Asked) -> None:
    asked.fake.remove(asked.fake.reviews[0])
    with pytest.raises(RefusedError, match="no longer"):
        asked.connect().reply(asked.mention, "Bonjour.", KEY)
    assert asked.connect().find_reply(asked.mention, "Bonjour.", KEY) is None


def test_an_answer_that_is_too_long_is_not_sent(asked: Asked) -> None:
    limit = asked.connect().may_reply(asked.mention).text_limit
    if limit is None:
        return
    with pytest.raises(RefusedError, match="Shorten it"):
        asked.connect().reply(asked.mention, "x" * (limit + 1), KEY)
    assert asked.fake.sent == []
    asked.connect().reply(asked.mention, "x" * limit, KEY)


def test_each_rule(asked: Asked) -> None:
    rules = {rule.key: rule for rule in asked.kind.module.RULES}
    answered = replace(asked.mention, raw={**asked.mention.raw, "reply": {"text": "Merci"}})
    cases = {
        "own words": (replace(asked.mention, outbound=True), False),
        "answered already": (answered, asked.kind.replaces),
        "review": (asked.mention, True),
    }
    if "review of a product" in rules:
        cases["review of a product"] = (replace(asked.mention, raw={"sort": "product"}), False)
    assert set(cases) == set(rules)
    for key, (mention, allowed) in cases.items():
        told = asked.connect().may_reply(mention)
        assert next(rule for rule in asked.kind.module.RULES if rule.applies(mention)).key == key
        assert (told.allowed, told.reason, told.public) == (allowed, rules[key].reason, True)
        assert rules[key].source and rules[key].read_on.year == 2026


def test_edits_answers_and_removals_are_looked_up(open_shop: tuple[Kind, FakeReviews]) -> None:
    kind, fake = open_shop
    story(fake)
    kept = list(said(read(kind, fake)[0]).values())
    edited, gone, answered = fake.reviews[1], fake.reviews[4], fake.reviews[2]
    fake.edit(edited, "Changé", 2)
    fake.remove(gone)
    fake.answer(answered, "Merci encore.")
    before = len(fake.requests)
    made = kind.connect(fake)
    assert isinstance(made, CanRehydrate)
    page = made.rehydrate(kept)
    changed = {one.native_id: one for one in page.changed}
    assert (changed[edited.id].text, changed[edited.id].rating) == ("Changé", 2)
    assert changed[reply_id(answered.id)].text == "Merci encore."
    assert set(changed) == {edited.id, answered.id, reply_id(answered.id)}
    network = kept[0].network
    assert page.deleted == (f"{network}:{gone.id}",)
    assert {(one.store, one.product) for one in changed.values()} <= {(one.store, one.product) for one in kept}
    asked = len(fake.requests) - before
    assert page.spent.call_count <= asked and page.spent.call_count >= len(fake.reviews)


# -- all the way -------------------------------------------------------------------------------------------------------------


class FlatAnalyzer:
    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(mention.id) for mention in mentions]


def shop_of(store: Store, kind: Kind, fake: FakeReviews) -> steps.Worker:
    def made(_source: Any) -> Collector:
        return kind.connect(fake, timeout=0.5)

    store.sources.ensure("s", kind.key, kind.key, {})
    return steps.Worker(store, FlatAnalyzer(), made, {}, timedelta(0), now=lambda: fake.clock + timedelta(minutes=1))


def test_a_review_is_one_case_and_is_answered_once_though_the_vendor_falls_silent(
    store: Store, open_shop: tuple[Kind, FakeReviews]
) -> None:
    """Four turns: a review, our answer, the edited review, and where the network allows it our changed answer."""
    kind, fake = open_shop
    review = fake.write("Ma commande n'arrive pas", 1)
    worker = shop_of(store, kind, fake)
    steps.run_once(worker)
    mention = next(iter(said(read(kind, fake)[0]).values()))
    [case_id] = store.mentions.case_ids([mention.id])
    fake.fail("hang", method=kind.writes[0], path=kind.writes[1], after=True)
    store.cases.reply(case_id, mention.id, "Elle part demain.", source_key="s", key="k1", actor="Awa", now=fake.clock)
    assert steps.run_once(worker).failed == 1
    for _ in range(4):
        fake.wait(minutes=30)
        steps.run_once(worker)
    assert fake.sent == [(review.id, "Elle part demain.")]
    assert [row.state for row in store.outbox.of_case(case_id)] == [OutboxState.SENT]

    fake.edit(review, "Reçue, et la vendeuse était charmante", 5)
    fake.wait(minutes=30)
    cursor = next(source.cursor for source in store.sources.all())
    changed = changes(read(kind, fake, cursor)[0])
    assert (changed[review.id].text, changed[review.id].rating) == ("Reçue, et la vendeuse était charmante", 5)
    steps.run_once(worker)

    store.cases.reply(case_id, mention.id, "Merci, à bientôt !", source_key="s", key="k2", actor="Awa", now=fake.clock)
    for _ in range(3):
        fake.wait(minutes=30)
        steps.run_once(worker)
    states = {row.key: row.state for row in store.outbox.of_case(case_id)}
    if kind.replaces:
        assert fake.sent[1:] == [(review.id, "Merci, à bientôt !")] and states["k2"] is OutboxState.SENT
        assert review.reply == "Merci, à bientôt !"
    else:
        assert fake.sent[1:] == [] and states["k2"] is OutboxState.REFUSED
    conversation = store.queue.conversation(case_id)
    assert conversation is not None and len(conversation.messages) == 2


# -- words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rating"),
    [
        (4, 4),
        ("5", 5),
        (3.0, 3),
        (0, None),
        (6, None),
        (True, None),
        (4.5, None),
        ("x", None),
        (None, None),
        ([4], None),
    ],
)
def test_stars(value: Any, rating: int | None) -> None:
    assert stars(value) == rating


def test_drawn_stars_and_same_words() -> None:
    assert drawn(4) == "★★★★☆"
    assert same_words("Bonjour,\nmerci !", "bonjour, merci") and same_words("👍", "👍") and not same_words("👍", "👎")
    assert same_words("Voir ici", "Voir <b>ici</b>") and not same_words("Bonjour", "Bonsoir")


# -- shapes that nobody has seen yet -------------------------------------------------------------------------------------------

NAMES = [
    "id", "reviewId", "review_id", "name", "reviews", "data", "comments", "userComment", "attributes", "error", "errors",
    "included", "stars", "starRating", "comment", "review", "consumer", "createdAt", "createTime", "locationReviews", "type",
    "productReviews", "moderation",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(body=JSON)
def test_no_body_makes_a_mapper_fall(kind: Kind, body: Any) -> None:
    mapped = kind.module.map_answer(body)
    for mention in mapped.mentions:
        json.dumps(mention.raw, allow_nan=False)
        assert mention.rating in {None, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_any_field_of_a_review_may_be_of_any_kind(kind: Kind) -> None:
    fake: Any = kind.fake()
    fake.write("Bonjour", title="Titre")
    fake.answer(fake.reviews[0], "Merci")
    shape = fake.shape(fake.reviews[0])
    whole = kind.module.map_answer(shape)
    assert [one.rating for one in whole.mentions if not one.outbound] == [4]
    for path in list(_paths(shape)):
        for odd in (None, 5, -1.5, True, "", "x" * 300, [], [None], {}, {"a": [1]}):
            mapped = kind.module.map_answer(_with(shape, path, odd))
            assert mapped.mentions or mapped.rejects, (path, odd)
            json.dumps([one.raw for one in mapped.mentions], allow_nan=False)


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*above, key)
        yield from _paths(one, (*above, key))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    if isinstance(value, list):
        return [_with(one, path[1:], odd) if number == path[0] else one for number, one in enumerate(value)]
    return {key: _with(one, path[1:], odd) if key == path[0] else one for key, one in value.items()}
