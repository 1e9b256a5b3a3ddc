"""Reddit: access that ends, limits, threads cut short, what is taken away, and answers that leave once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from collectors import access_tokens, reddit
from collectors.reddit import RedditCollector
from collectors.reddit_map import map_answer
from domain.contracts import Cursor, IdempotencyKey, Watch
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention
from tests.fakes.http_server import serve
from tests.fakes.reddit import BRAND, PASSWORD, SETTINGS, FakeReddit, Said

KEY = IdempotencyKey("k1")
TALK = f"Quelqu'un de u/{BRAND} ? Mon colis est perdu."


@pytest.fixture
def vendor() -> Iterator[FakeReddit]:
    access_tokens.forget_tokens()
    with serve(FakeReddit()) as fake:
        yield fake


def collector(vendor: FakeReddit, **settings: str) -> RedditCollector:
    made = reddit.connect({**SETTINGS, **settings}, now=lambda: vendor.clock, base=vendor.base, timeout=2.0)
    assert isinstance(made, RedditCollector)
    return made


def read(vendor: FakeReddit, since: Cursor | None = None, **settings: str) -> tuple[dict[str, Mention], Cursor | None]:
    pages = list(collector(vendor, **settings).fetch(Watch(terms=("ormelune",)), since))
    cursors = [page.cursor for page in pages if page.cursor]
    found = {one.native_id: one for page in pages for one in (*page.mentions, *page.changed)}
    return found, cursors[-1] if cursors else since


def mention_of(vendor: FakeReddit, said: Said) -> Mention:
    return map_answer(vendor.thing(said)).mentions[0]


def test_a_conversation_is_one_thread_with_late_answers(vendor: FakeReddit) -> None:
    post = vendor.say("marie_b", TALK, title="Colis")
    answer = vendor.say(BRAND, "Bonjour, quel est le numéro ?", parent=post)
    reply = vendor.say("marie_b", "4711", parent=answer)
    found, cursor = read(vendor)
    assert {one.conversation_id for one in found.values()} == {post.name}
    assert found[answer.name].outbound and not found[reply.name].outbound
    assert (found[reply.name].parent_id, found[answer.name].parent_id) == (answer.name, post.name)
    late = vendor.say("zoe_z", "Pareil chez moi", parent=reply, after=60 * 24 * 3)
    later, _ = read(vendor, cursor)
    assert late.name in later


def test_a_long_thread_is_read_to_its_end(vendor: FakeReddit) -> None:
    vendor.shown, vendor.deepest = 2, 2
    post = vendor.say("marie_b", TALK)
    vendor.say(BRAND, "Bonjour !", parent=post)
    last = post
    for number in range(5):
        last = vendor.say(f"client{number}", f"Moi aussi {number}", parent=last)
    found, _ = read(vendor)
    assert {one.name for one in vendor.said} == set(found)


def test_an_access_that_ended_is_asked_for_again_in_between(vendor: FakeReddit) -> None:
    vendor.say("marie_b", TALK)
    made = collector(vendor)
    made.check()
    vendor.tokens.clear()
    assert [one for page in made.fetch(Watch(), None) for one in page.mentions]


def test_a_revoked_access_says_what_to_do(vendor: FakeReddit) -> None:
    made = collector(vendor)
    made.check()
    vendor.tokens.clear()
    vendor.revoked = True
    with pytest.raises(ConfigurationError):
        list(made.fetch(Watch(), None))


def test_a_script_lets_in_with_a_password(vendor: FakeReddit) -> None:
    collector(vendor, refresh_token="", password=PASSWORD).check()


def test_a_missing_permission_is_named(vendor: FakeReddit) -> None:
    vendor.scopes = "identity read"
    with pytest.raises(ConfigurationError, match="history, privatemessages, submit"):
        collector(vendor).check()


@pytest.mark.parametrize(
    ("effect", "fields", "error"),
    [
        ("status", {"status": 429, "headers": {"retry-after": "60"}}, TransientError),
        ("status", {"status": 429}, TransientError),
        ("status", {"status": 503}, TransientError),
        ("html", {}, (TransientError, ContractError)),
        ("truncated", {}, (TransientError, ContractError)),
    ],
)
def test_trouble_has_a_name_and_passes(vendor: FakeReddit, effect: str, fields: dict[str, Any], error: Any) -> None:
    vendor.say("marie_b", TALK)
    vendor.fail(effect, path="/message", **fields)
    with pytest.raises(error):
        list(collector(vendor).fetch(Watch(), None))
    assert read(vendor)[0], "the next run hears it"


def test_the_limit_that_the_headers_tell_is_kept_for_answers(vendor: FakeReddit) -> None:
    said = vendor.say("marie_b", TALK)
    collector(vendor).check()
    vendor.used = vendor.limit - 5
    made = collector(vendor)
    with pytest.raises(TransientError) as caught:
        for _ in range(5):
            list(made.fetch(Watch(), None))
    assert caught.value.retry_after is not None and caught.value.retry_after <= timedelta(minutes=10)
    assert made.reply(mention_of(vendor, said), "Nous cherchons.", KEY)


def test_a_closed_community_does_not_silence_the_rest(vendor: FakeReddit) -> None:
    vendor.say("marie_b", TALK)
    vendor.say("luc_c", "Bottes", community="fermee")
    vendor.closed["fermee"] = (403, "private")
    pages = list(collector(vendor, communities="fermee").fetch(Watch(), None))
    assert [one.text for page in pages for one in page.mentions] == [TALK]
    assert any("fermee" in note for page in pages for note in page.notes)


def test_what_was_taken_away_is_told_as_deleted(vendor: FakeReddit) -> None:
    post = vendor.say("marie_b", TALK)
    edited = vendor.say("luc_c", f"u/{BRAND} ?", parent=post)
    gone = vendor.say("eve_e", f"u/{BRAND} !!!", parent=post)
    kept = list(read(vendor)[0].values())
    gone.gone = "[deleted]"
    vendor.edit(edited, "C'est réglé")
    page = collector(vendor).rehydrate(kept)
    assert page.deleted == (f"reddit:{gone.name}",)
    assert {one.native_id: one.text for one in page.changed}[edited.name] == "C'est réglé"


# -- answers ---------------------------------------------------------------------------------------------------------------


def test_an_answer_that_was_taken_without_a_word_is_found_again(vendor: FakeReddit) -> None:
    said = vendor.say("marie_b", TALK)
    vendor.fail("hang", path="/api/comment", after=True)
    mention, made = mention_of(vendor, said), collector(vendor)
    with pytest.raises(OutcomeUnknownError):
        made.reply(mention, "Bonjour, nous cherchons.", KEY)
    [answer] = vendor.of(BRAND)
    assert made.find_reply(mention, "Bonjour, nous cherchons.", KEY) == answer.name
    assert made.find_reply(mention, "Autre chose", KEY) is None


@pytest.mark.parametrize("field", ["locked", "archived"])
def test_a_closed_thread_takes_no_answers(vendor: FakeReddit, field: str) -> None:
    said = vendor.say("marie_b", TALK, **{field: True})
    mention, made = mention_of(vendor, said), collector(vendor)
    told = made.may_reply(mention)
    assert not told.allowed and field in told.reason
    with pytest.raises(RefusedError):
        made.reply(mention, "Bonjour", KEY)
    assert vendor.of(BRAND) == []


def test_each_rule_of_the_table_says_its_source(vendor: FakeReddit) -> None:
    post = vendor.say("marie_b", TALK)
    letter = vendor.say("paul_p", "en privé", kind="t4")
    made = collector(vendor)
    public, private = (made.may_reply(mention_of(vendor, one)) for one in (post, letter))
    assert public.allowed and public.public and private.allowed and not private.public
    assert all(rule.source and rule.read_on for rule in reddit.RULES)


def test_a_private_message_is_answered_in_private(vendor: FakeReddit) -> None:
    letter = vendor.say("paul_p", "en privé", kind="t4")
    found, _ = read(vendor)
    remote = collector(vendor).reply(found[letter.name], "Bonjour Paul", KEY)
    [answer] = vendor.of(BRAND)
    assert (remote, answer.kind) == (answer.name, "t4")


# -- saved answers ---------------------------------------------------------------------------------------------------------


def test_saved_answers_are_mapped_and_the_rest_is_told(vendor: FakeReddit) -> None:
    post = vendor.say("marie_b", TALK)
    gone = vendor.say("eve_e", "oups", parent=post)
    gone.gone = "[deleted]"
    body = {
        "kind": "Listing",
        "data": {
            "children": [
                vendor.thing(post),
                vendor.thing(gone),
                {"kind": "more", "data": {"children": ["abc"], "count": 1}},
                {"kind": "t1", "data": {"id": "zz", "body": "sans date"}},
                "no thing",
            ]
        },
    }
    mapped = map_answer(body)
    assert [one.native_id for one in mapped.mentions] == [post.name]
    assert mapped.deleted == (f"reddit:{gone.name}",)
    assert {one.reason for one in mapped.rejects} == {"it has no date that can be read", "this is no object"}


@pytest.mark.parametrize("body", [None, 3, "words", [], {}, {"error": 403, "message": "Forbidden"}, [[[]]]])
def test_no_saved_answer_breaks_the_mapper(body: Any) -> None:
    assert map_answer(body).mentions == ()
