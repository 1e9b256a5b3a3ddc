"""Reading a Page: threads, late comments, edits, removals, runs that die, lists in any order, limits, gaps."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from collectors import facebook
from collectors.facebook import FacebookCollector
from domain.contracts import (
    CanModerate,
    CanReadBack,
    CanRehydrate,
    CanReplyPrivately,
    Cursor,
    HearsWebhooks,
    Page,
    Watch,
)
from domain.errors import ConfigurationError, ContractError, TransientError
from domain.mention import Mention, MentionKind
from tests.contracts.bench_facebook import told
from tests.fakes.meta import PAGE, SETTINGS, TOKEN, FakeMeta, serve


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def connected(fake: FakeMeta, **settings: str) -> FacebookCollector:
    made = facebook.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock, base=fake.base, timeout=10.0)
    assert isinstance(made, FacebookCollector)
    return made


def read(fake: FakeMeta, since: Cursor | None = None, **settings: str) -> list[Page]:
    return list(connected(fake, **settings).fetch(Watch(), since))


def heard(pages: list[Page]) -> dict[str, Mention]:
    return {one.text or one.title: one for page in pages for one in page.mentions}


def last(pages: list[Page]) -> Cursor:
    cursor = pages[-1].cursor
    assert cursor is not None
    return cursor


def test_its_powers() -> None:
    with serve(FakeMeta()) as fake:
        made = connected(fake)
    for power in (CanReadBack, CanReplyPrivately, CanModerate, CanRehydrate, HearsWebhooks):
        assert isinstance(made, power), power


# -- threads ---------------------------------------------------------------------------------------------------------------


def test_a_conversation_below_our_post_is_one_thread_and_another_comment_is_another(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    first = world.comment(post, "Où est mon colis ?", "Léa")
    second = world.comment(post, "Quel numéro ?", "Ormelune", parent=first)
    third = world.comment(post, "4711", "Léa", parent=second)  # an answer to an answer
    world.comment(post, "Il arrive demain", "Ormelune", parent=third)
    world.comment(post, "Très jolis pulls", "Paul")
    found = heard(read(fake))
    turns = [found[text] for text in ("Où est mon colis ?", "Quel numéro ?", "4711", "Il arrive demain")]
    assert {one.thread_id for one in turns} == {f"facebook:{first.id}"}
    assert [one.outbound for one in turns] == [False, True, False, True]
    assert [one.parent_id for one in turns] == [post.id, first.id, second.id, third.id]
    assert found["Très jolis pulls"].conversation_id == found["Très jolis pulls"].native_id
    assert (found["Soldes"].outbound, found["Soldes"].conversation_id) == (True, post.id)
    assert turns[0].url.startswith("https://www.facebook.com/") and turns[0].author.name == "Léa"  # type: ignore[union-attr]


@pytest.mark.parametrize("sort", ["visitor", "tagged", "rating"])
def test_what_was_said_to_us_is_one_thread_with_all_below_it(fake: FakeMeta, sort: str) -> None:
    world = fake.world
    make = {"visitor": world.post, "tagged": world.tag, "rating": world.rate}[sort]
    said = make("Très déçu", "Paul")
    comment = world.comment(said, "Pardon Paul, que s'est-il passé ?", "Ormelune")
    world.comment(said, "Rien n'est arrivé", "Paul", parent=comment)
    world.comment(said, "Pareil", "Zoé")
    found = heard(read(fake))
    assert {one.conversation_id for one in found.values()} == {said.id}
    assert [one.outbound for one in found.values()].count(True) == 1
    assert found["Très déçu"].raw["sort"] == sort


def test_recommendations_have_stars_only_where_there_is_a_number(fake: FakeMeta) -> None:
    world = fake.world
    world.rate("Super", "Max")
    world.rate("", "Tom", "negative")
    world.rate("Bof", "Ève", rating=2, recommendation_type=None)
    found = heard(read(fake))
    assert {text: (one.rating, one.raw.get("recommendation_type")) for text, one in found.items()} == {
        "Super": (None, "positive"),
        "Not recommended": (None, "negative"),
        "Bof": (2, None),
    }
    assert {one.kind for one in found.values()} == {MentionKind.REVIEW}


@pytest.mark.parametrize("counted", [True, False])
def test_answers_below_recommendations_arrive_whether_or_not_they_are_counted(fake: FakeMeta, counted: bool) -> None:
    world = fake.world
    fake.counts_below_ratings = counted
    rated = [world.rate(f"Super {number}", f"client {number}") for number in range(3)]
    pages = read(fake)
    world.wait(hours=2)
    fake.requests.clear()
    world.comment(rated[1], "Merci !", "Ormelune")
    later = read(fake, last(pages))
    assert set(heard(later)) == {"Merci !"} and heard(later)["Merci !"].conversation_id == rated[1].id
    below = [one for one in fake.requests if one.path.endswith("/comments")]
    assert len(below) == (1 if counted else 3)
    fake.requests.clear()
    assert read(fake, last(later)) == []
    assert [one for one in fake.requests if one.path.endswith("/comments")] == []


def test_a_recommendation_that_was_changed_replaces_the_old_one(fake: FakeMeta) -> None:
    world = fake.world
    rated = world.rate("Bof", "Max", "negative")
    pages = read(fake)
    world.wait(hours=2)
    rated.text, rated.at, rated.fields["recommendation_type"] = "Finalement super", world.clock, "positive"
    later = read(fake, last(pages))
    assert [(one.text, one.native_id) for page in later for one in page.changed] == [("Finalement super", rated.id)]


def test_a_messenger_conversation_is_one_thread(fake: FakeMeta) -> None:
    world = fake.world
    for number in range(30):
        world.write(f"message {number}", "Nina")
    world.write("Bonjour Nina", "", to="Nina")
    world.write("Autre chose", "Léo")
    found = heard(read(fake))
    assert len(found) == 32, "more than the twenty that come along with a conversation"
    nina = world.person("Nina")
    assert found["message 0"].conversation_id == found["Bonjour Nina"].conversation_id == nina
    assert found["Bonjour Nina"].outbound and not found["message 0"].outbound
    assert found["Autre chose"].conversation_id == world.person("Léo")


def test_what_is_not_published_is_nobodys_word(fake: FakeMeta) -> None:
    fake.world.post("Brouillon", is_published=False)
    fake.world.post("Publié")
    assert set(heard(read(fake))) == {"Publié"}


def test_people_whom_facebook_does_not_name(fake: FakeMeta) -> None:
    post = fake.world.post("Merci", "Inconnu", **{"from": None})
    fake.world.comment(post, "Bonjour", "Inconnu", **{"from": None})
    found = heard(read(fake))
    assert {(one.author, one.outbound, one.conversation_id) for one in found.values()} == {(None, False, post.id)}


def test_pictures_are_links_with_their_alternative_text(fake: FakeMeta) -> None:
    attached = {
        "data": [
            {
                "media_type": "album",
                "type": "album",
                "subattachments": {
                    "data": [
                        {"media_type": "photo", "type": "photo", "description": "Un pull bleu",
                         "media": {"image": {"src": "https://scontent.example/1.jpg", "height": 9, "width": 9}}},
                        {"media_type": "video", "type": "video_inline",
                         "media": {"image": {"src": "https://scontent.example/2.jpg"}, "source": "https://v.example/2.mp4"}},
                    ]
                },
            }
        ]
    }  # fmt: skip
    fake.world.post("", "Anna", attachments=attached)
    (mention,) = heard(read(fake)).values()
    assert mention.raw["media"] == [
        {"url": "https://scontent.example/1.jpg", "alt": "Un pull bleu", "kind": "photo"},
        {"url": "https://v.example/2.mp4", "alt": "", "kind": "video"},
    ]
    assert (mention.text, mention.title) == ("", "Un pull bleu")


# -- what comes later ------------------------------------------------------------------------------------------------------


def test_a_quiet_run_brings_nothing_and_asks_little(fake: FakeMeta) -> None:
    told(fake)
    pages = read(fake)
    fake.requests.clear()
    assert read(fake, last(pages)) == []
    assert len(fake.requests) == 5  # one for each list


def test_a_comment_on_one_of_the_last_hundred_posts_arrives_at_once(fake: FakeMeta) -> None:
    world = fake.world
    old = world.post("Notre histoire")
    for number in range(40):
        world.post(f"Annonce {number}", after=60 * 24)
    first = read(fake)
    world.comment(old, "Je découvre seulement", "Inès")
    assert set(heard(read(fake, last(first)))) == {"Je découvre seulement"}


def test_a_late_comment_on_an_old_post_arrives(fake: FakeMeta) -> None:
    world = fake.world
    old = world.post("Notre histoire")
    for number in range(40):
        world.post(f"Annonce {number}", after=60 * 24)
    first = read(fake)
    world.wait(hours=2)
    world.comment(old, "Je découvre seulement", "Inès")
    later = read(fake, last(first))
    assert set(heard(later)) == {"Je découvre seulement"}
    world.wait(hours=2)
    answer = world.comment(old, "Mieux vaut tard", "Ormelune", parent=world.all("comment")[0])
    assert answer.text in heard(read(fake, last(later)))


def test_a_comment_on_a_post_older_than_the_first_reading_arrives_without_the_post(fake: FakeMeta) -> None:
    world = fake.world
    old = world.post("Notre histoire")
    world.comment(old, "Ancien", "Inès")
    world.wait(days=45)  # history 30, follow 90
    world.post("Soldes")
    pages = read(fake)
    assert set(heard(pages)) == {"Soldes"}
    world.wait(hours=2)
    world.comment(old, "Nouveau", "Inès")
    assert set(heard(read(fake, last(pages)))) == {"Nouveau"}


def test_new_counts_of_a_post_replace_the_old_ones(fake: FakeMeta) -> None:
    post = fake.world.post("Soldes")
    pages = read(fake)
    assert heard(pages)["Soldes"].engagement.reply_count == 0
    fake.world.comment(post, "Bonjour", "Léa")
    later = read(fake, last(pages))
    changed = [one for page in later for one in page.changed]
    assert [(one.native_id, one.engagement.reply_count) for one in changed] == [(post.id, 1)]


def test_edits_of_the_last_week_arrive_within_a_day(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    comment = world.comment(post, "Bonsoir", "Léa")
    pages = read(fake)
    world.edit(comment, "Bonsoir, où est mon colis ?")
    world.wait(hours=25)
    later = read(fake, last(pages))
    assert [one.text for page in later for one in page.changed] == ["Bonsoir, où est mon colis ?"]


def test_a_post_that_was_removed_while_it_was_followed_is_told(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    world.comment(post, "Bonjour", "Léa")
    pages = read(fake)
    world.delete(post)
    world.wait(hours=25)
    later = read(fake, last(pages))
    assert [one for page in later for one in page.deleted] == [f"facebook:{post.id}"]
    assert read(fake, last(later)) == []


def test_kept_mentions_are_looked_up_again(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Très déçu", "Paul")
    kept = [world.comment(post, f"n° {number}", "Léa") for number in range(60)]
    rated = world.rate("Super", "Max")
    mentions = list(heard(read(fake)).values())
    world.edit(kept[0], "n° 0, corrigé")
    kept[1].hidden = True
    world.delete(kept[2])
    fake.requests.clear()
    page = connected(fake).rehydrate(mentions)
    assert set(page.deleted) == {f"facebook:{kept[2].id}"}
    by_text = {one.text: one for one in page.changed}
    assert set(by_text) == {"n° 0, corrigé", "n° 1", "Très déçu"}  # the post has one comment less
    assert by_text["n° 1"].raw["is_hidden"] is True and by_text["n° 1"].conversation_id == post.id
    assert len(fake.requests) == 2 and page.spent.call_count == 61  # a batch counts what is in it
    assert page.notes == ("Messages and recommendations that cannot be looked up one by one: 1.",)
    assert rated.id in {one.native_id for one in mentions}


def test_a_closed_list_below_somebody_elses_post_is_told_once_and_the_rest_goes_on(fake: FakeMeta) -> None:
    world = fake.world
    tagged = world.tag("Chez Ormelune", "Zoé")
    world.comment(tagged, "Où ?", "Luc")
    world.write("Bonjour", "Nina")
    body = {"error": {"code": 10, "message": "(#10) not for this app", "type": "OAuthException"}}
    fake.fail("status", path=f"/v26.0/{tagged.id}/comments", status=400, data=body, times=9)
    pages = read(fake)
    notes = [note for page in pages for note in page.notes]
    assert len(notes) == 1 and tagged.id in notes[0]
    assert "Bonjour" in heard(pages)
    world.wait(hours=30)
    assert [note for page in read(fake, last(pages)) for note in page.notes] == []


def test_broken_items_are_told_once(fake: FakeMeta) -> None:
    post = fake.world.post("Soldes")
    fake.world.comment(post, "", "Muet")
    fake.world.post("", "Rien")
    pages = read(fake)
    assert sorted(one.reason for page in pages for one in page.rejects) == [
        "the comment says nothing",
        "the post says nothing",
    ]
    fake.world.wait(hours=25)
    assert [one for page in read(fake, last(pages)) for one in page.rejects] == []


# -- runs that die, lists in any order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stopped_after", range(1, 12))
def test_what_is_said_while_a_run_is_dead_is_heard_by_the_next(stopped_after: int) -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        world = fake.world
        run = connected(fake).fetch(Watch(), None)
        stored = [page for _, page in zip(range(stopped_after), run, strict=False)]
        del run
        lively = world.all("post")[-2]
        world.comment(lively, "Pendant la panne", "Luc")
        world.post("Aussi pendant la panne")
        world.write("Et en privé", "nina 1")
        pages = [*stored, *read(fake, last(stored))]
        world.wait(hours=1)  # as often as old posts are looked through that do not come along anyway
        pages += read(fake, last(pages))
        everything = {one.id for page in read(fake) for one in page.mentions}
        assert {one.id for page in pages for one in page.mentions} == everything
        assert {"Pendant la panne", "Aussi pendant la panne", "Et en privé"} <= set(heard(pages))


def test_two_orders_of_paging_tell_the_same_story() -> None:
    stories = []
    for oldest_first, page_limit in ((False, 3), (True, 3), (False, 100), (True, 7)):
        with serve(told(FakeMeta(page_limit=page_limit, oldest_first=oldest_first))) as fake:
            first = read(fake)
            post = fake.world.all("post")[-1]
            fake.world.comment(post, "Plus tard", "Luc", after=120)
            mentions = [one for page in (*first, *read(fake, last(first))) for one in page.mentions]
            stories.append({(one.id, one.thread_id, one.text, one.created_at) for one in mentions})
    assert all(story == stories[0] for story in stories)


def test_a_mark_that_graph_no_longer_knows_begins_the_list_anew() -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        run = connected(fake).fetch(Watch(), None)
        first = next(iter(run))
        place = json.loads(first.cursor or "")
        place["lists"]["feed"]["position"] = {"after": "bm93aGVyZQ=="}
        pages = [first, *read(fake, Cursor(json.dumps(place)))]
        assert {one.id for page in pages for one in page.mentions} == {
            one.id for page in read(fake) for one in page.mentions
        }


@pytest.mark.parametrize(
    "cursor", ["", "{", "[]", "5", '{"lists": 5}', '{"threads": {"1": [null, {}]}, "lists": {"feed": []}}']
)
def test_a_damaged_cursor_begins_anew(fake: FakeMeta, cursor: str) -> None:
    fake.world.post("Soldes")
    assert set(heard(read(fake, Cursor(cursor)))) == {"Soldes"}


def test_a_gap_is_told_where_the_feed_no_longer_goes_back_far_enough(fake: FakeMeta) -> None:
    world = fake.world
    first = world.post("Première")
    pages = read(fake)
    for number in range(130):
        world.post(f"n° {number}", after=1)
    lost = [one for one in world.all("post") if one.text in {"Première", "n° 0", "n° 1"}]
    for one in lost:  # Facebook shows the newest ones only
        one.lists = ()
    later = read(fake, last(pages))
    (gap,) = [page.gap for page in later if page.gap]
    assert gap.since == first.at and gap.until > first.at
    assert "shows no more than its newest" in gap.reason


# -- limits and troubles ---------------------------------------------------------------------------------------------------


def test_reading_slows_down_after_a_page_and_goes_on_later() -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        everything = {one.id for page in read(fake) for one in page.mentions}
        fake.usage, fake.regained = 85, 7
        stored: list[Page] = []
        for _ in range(60):
            try:
                stored += read_until_error(fake, stored)
            except TransientError as error:
                assert error.retry_after == timedelta(minutes=7)
                assert "85 % of our allowance" in str(error)
            else:
                break
        else:
            pytest.fail("the reading never comes to its end")
        assert {one.id for page in stored for one in page.mentions} == everything


def read_until_error(fake: FakeMeta, stored: list[Page]) -> list[Page]:
    since = stored[-1].cursor if stored else None
    for page in connected(fake).fetch(Watch(), since):
        stored.append(page)
    return []


def test_reading_stops_where_the_rest_is_kept_for_answers(fake: FakeMeta) -> None:
    comment = fake.world.comment(fake.world.post("Soldes"), "Bonjour", "Léa")
    mention = heard(read(fake))["Bonjour"]
    fake.usage = 96
    fake.requests.clear()
    run = connected(fake)
    with pytest.raises(TransientError, match="kept for answers"):
        list(run.fetch(Watch(), None))
    assert len(fake.requests) == 1
    assert run.reply(mention, "Bonjour Léa", None) == fake.accepted[0].id  # type: ignore[arg-type]
    assert comment.id == fake.accepted[0].parent


@pytest.mark.parametrize(
    ("effect", "fields", "expected"),
    [
        ("status", {"status": 429}, TransientError),
        ("status", {"status": 503}, TransientError),
        ("html", {"status": 502}, TransientError),
        ("html", {"status": 200}, ContractError),
        ("truncated", {}, ContractError),
        ("status", {"status": 401}, ConfigurationError),
    ],
)
@pytest.mark.parametrize("call", [0, 2, 6, 9])
def test_trouble_in_the_middle_of_a_run(
    effect: str, fields: dict[str, Any], expected: type[Exception], call: int
) -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        read(fake)
        paths = [request.path for request in fake.requests]
        fake.fail(effect, path=paths[call], **fields)
        stored: list[Page] = []
        with pytest.raises(expected) as caught:
            read_until_error(fake, stored)
        assert TOKEN not in str(caught.value) and len(str(caught.value)) > 20
        everything = {one.id for page in read(fake) for one in page.mentions}
        read_until_error(fake, stored)
        assert {one.id for page in stored for one in page.mentions} == everything


def test_a_permission_that_was_revoked_stops_the_source(fake: FakeMeta) -> None:
    pages = read(told(fake))
    for permission in ("pages_read_user_content", "pages_messaging"):
        fake.permissions.discard(permission)
        with pytest.raises(ConfigurationError, match=permission):
            read(fake, last(pages))
        fake.permissions.add(permission)


def test_the_token_is_kept_nowhere(fake: FakeMeta) -> None:
    pages = read(told(fake))
    for page in pages:
        assert TOKEN not in repr(page) and "appsecret_proof" not in repr(page)
        assert all(TOKEN not in json.dumps(one.raw) for one in page.mentions)
    assert fake.leaks == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"access_token": ""}, "System users"),
        ({"access_token": "wrong"}, "no longer accepts the token"),
        ({"app_secret": ""}, "App secret"),
        ({"app_secret": "wrong"}, "appsecret_proof"),
        ({"page": ""}, "Page ID"),
        ({"page": "ormelune"}, "is a number"),
        ({"page": "104000000000009"}, "that is the token of the Page"),
        ({"version": "v12.0"}, "retired the version"),
        ({"version": "new"}, "such as v26.0"),
        ({"history": "always"}, "number of days"),
        ({"messages": "perhaps"}, "yes or no"),
        ({"api_host": "ftp://x"}, "no address"),
    ],
)
def test_check_says_what_to_do(fake: FakeMeta, settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        if "api_host" in settings:
            facebook.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock).check()
        connected(fake, **settings).check()


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("pages_read_user_content", "pages_read_user_content"),
        ("pages_messaging", r"pages_messaging.*set messages to no"),
    ],
)
def test_check_names_the_permission_that_is_missing(fake: FakeMeta, permission: str, words: str) -> None:
    connected(fake).check()
    fake.permissions.discard(permission)
    with pytest.raises(ConfigurationError, match=words):
        connected(fake).check()
    if permission == "pages_messaging":
        connected(fake, messages="no").check()
        assert read(fake, messages="no")


def test_a_page_that_is_not_there(fake: FakeMeta) -> None:
    with pytest.raises(ConfigurationError, match="104000000000009"):
        read(fake, page="104000000000009")
    assert PAGE != "104000000000009"
