"""Answering on Instagram: once, also where the answer to the answer got lost; privately; hiding; what the rules say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import instagram
from collectors.instagram import InstagramCollector
from collectors.instagram_rules import HUMAN_AGENT_RULES, PRIVATE_RULES, RULES
from domain.contracts import Act, Delivery, IdempotencyKey, Watch
from domain.errors import OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Author, Mention, MentionKind
from domain.permission import ReplyRule, decide
from tests.fakes.meta import ACCOUNT, SETTINGS, FakeMeta, serve, signed
from tests.fakes.meta_world import Thing

KEY = IdempotencyKey("k1")
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
TEXT = "Bonjour ! Oui, en boutique."


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def connected(fake: FakeMeta, timeout: float = 10.0, **settings: str) -> InstagramCollector:
    made = instagram.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock, base=fake.base, timeout=timeout)
    assert isinstance(made, InstagramCollector)
    return made


def heard(fake: FakeMeta, thing: Thing) -> Mention:
    pages = connected(fake).fetch(Watch(), None)
    return next(one for page in pages for one in page.mentions if one.native_id == thing.id)


def said(fake: FakeMeta, sort: str) -> Thing:
    """Something that can be answered."""
    world = fake.world
    if sort == "message":
        return world.write("En bleu ?", "lea.m", instagram=True)
    comment = world.reply(world.media("Le pull marin"), "En bleu ?", "lea.m")
    if sort == "comment":
        return comment
    return world.reply(world.things[comment.on], "Pareil", "zoe", parent=comment)


def mentioned(fake: FakeMeta, *, in_comment: bool) -> Mention:
    """Somebody names us on their own medium; told by a webhook."""
    world = fake.world
    medium = world.media("Chez @ormelune", "zoe")
    value = {"media_id": medium.id}
    if in_comment:
        value["comment_id"] = world.reply(medium, "@ormelune en bleu ?", "luc").id
    changes = [{"field": "mentions", "value": value}]
    raw, headers = signed({"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1, "changes": changes}]})
    return connected(fake).unpack(Delivery("POST", {}, headers, raw, world.clock)).mentions[0]


SORTS = ("message", "comment", "answer to an answer")


@pytest.mark.parametrize("sort", SORTS)
def test_an_answer_arrives_in_the_thread_and_is_heard_as_ours(fake: FakeMeta, sort: str) -> None:
    mention = heard(fake, said(fake, sort))
    made = connected(fake)
    assert made.may_reply(mention).allowed
    assert made.find_reply(mention, TEXT, KEY) is None
    remote_id = made.reply(mention, TEXT, KEY)
    said_by_us = f"@zoe {TEXT}" if sort == "answer to an answer" else TEXT  # else nobody would know whom it answers
    assert [one.text for one in fake.accepted] == [said_by_us]
    assert made.find_reply(mention, TEXT, KEY) == remote_id
    assert made.find_reply(mention, "Autre chose", KEY) is None
    answer = heard(fake, fake.accepted[0])
    assert answer.outbound and answer.thread_id == mention.thread_id


@pytest.mark.parametrize("effect", ["cut", "hang", "html", "truncated"])
@pytest.mark.parametrize("sort", SORTS)
def test_an_answer_whose_confirmation_got_lost_is_found_and_not_said_twice(
    fake: FakeMeta, sort: str, effect: str
) -> None:
    mention = heard(fake, said(fake, sort))
    made = connected(fake)
    fake.fail(effect, method="POST", after=True, status=502 if effect == "html" else 200)
    with pytest.raises(OutcomeUnknownError):
        connected(fake, 0.5 if effect == "hang" else 10.0).reply(mention, TEXT, KEY)
    assert made.find_reply(mention, TEXT, KEY) == fake.accepted[0].id
    assert len(fake.accepted) == 1


def test_a_mention_in_a_comment_is_answered_but_cannot_be_looked_up(fake: FakeMeta) -> None:
    mention = mentioned(fake, in_comment=True)
    made = connected(fake)
    made.reply(mention, TEXT, KEY)
    assert [(one.on, one.parent) for one in fake.accepted] == [(mention.raw["media_id"], mention.native_id)]
    with pytest.raises(TransientError, match="Look there before sending again"):
        made.find_reply(mention, TEXT, KEY)


def test_a_mention_in_a_caption_is_answered_and_looked_up(fake: FakeMeta) -> None:
    mention = mentioned(fake, in_comment=False)
    made = connected(fake)
    assert made.find_reply(mention, TEXT, KEY) is None
    body = {
        "mentioned_media": {
            "id": mention.native_id,
            "comments": {
                "data": [
                    {"id": "179", "text": TEXT, "username": "ormelune", "timestamp": "2026-03-09T09:00:00+0000"},
                    {"id": "178", "text": TEXT, "username": "luc", "timestamp": "2026-03-09T09:00:00+0000"},
                ]
            },
        },
        "id": ACCOUNT,
    }
    made.reply(mention, TEXT, KEY)
    assert fake.accepted[0].on == mention.native_id
    fake.fail("status", method="GET", path=f"/v26.0/{ACCOUNT}", status=200, data=body)
    assert made.find_reply(mention, TEXT, KEY) == "179"


def test_a_private_answer_goes_once_and_is_found(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "comment"))
    made = connected(fake)
    assert made.may_reply_privately(mention).public is False
    fake.fail("cut", method="POST", after=True)
    with pytest.raises(OutcomeUnknownError):
        made.reply_privately(mention, TEXT, KEY)
    assert made.find_reply(mention, TEXT, KEY) == fake.accepted[0].id
    with pytest.raises(RefusedError, match="only once"):
        made.reply_privately(mention, TEXT, KEY)
    fake.world.wait(days=7)
    with pytest.raises(RefusedError, match="Too late"):
        made.reply_privately(mention, TEXT, KEY)


def test_the_windows_of_messages(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "message"))
    fake.world.wait(hours=25)
    with pytest.raises(RefusedError, match="Too late"):
        connected(fake).reply(mention, TEXT, KEY)
    connected(fake, human_agent="oui").reply(mention, TEXT, KEY)
    assert len(fake.accepted) == 1


def test_bytes_are_counted_not_characters(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "message"))
    with pytest.raises(RefusedError, match="1,200 bytes; Instagram takes 1,000"):
        connected(fake).reply(mention, "é" * 600, KEY)
    connected(fake).reply(mention, "e" * 1_000, KEY)


def test_hiding_and_taking_back(fake: FakeMeta) -> None:
    comment = said(fake, "comment")
    made = connected(fake)
    mention = heard(fake, comment)
    for _ in range(2):
        made.moderate(mention, Act.HIDE, KEY)
    hidden = heard(fake, comment)
    assert hidden.raw["hidden"] is True and made.may_moderate(hidden) == (Act.UNHIDE,)
    with pytest.raises(RefusedError, match="Show it again first"):
        made.reply(hidden, TEXT, KEY)
    made.moderate(hidden, Act.UNHIDE, KEY)
    made.reply(mention, TEXT, KEY)
    ours = heard(fake, fake.accepted[0])
    assert made.may_moderate(ours) == (Act.DELETE,)
    for _ in range(2):
        made.moderate(ours, Act.DELETE, KEY)
    assert ours.native_id not in fake.world.things
    with pytest.raises(RefusedError, match="nothing else"):
        made.moderate(mention, Act.DELETE, KEY)


# -- the rules, row by row ---------------------------------------------------------------------------------------------------


def mention(kind: MentionKind = MentionKind.COMMENT, **fields: Any) -> Mention:
    what = {MentionKind.COMMENT: "comment", MentionKind.POST: "media"}.get(kind, "message")
    raw = {"what": what, "sort": "own", **fields.pop("raw", {})}
    values = {"native_id": "1", "text": "Bonjour", "created_at": NOW, "author": Author("7"), **fields}
    return Mention(network="instagram", kind=kind, raw=raw, **values)


MESSAGE, POST = MentionKind.MESSAGE, MentionKind.POST
ROWS: list[tuple[tuple[ReplyRule, ...], str, Mention, bool, bool]] = [
    (RULES, "own words", mention(outbound=True), False, True),
    (RULES, "nobody named", mention(MESSAGE, author=None), False, False),
    (RULES, "message", mention(MESSAGE), True, False),
    (HUMAN_AGENT_RULES, "message, answered by a person", mention(MESSAGE), True, False),
    (RULES, "hidden", mention(raw={"hidden": True}), False, True),
    (RULES, "live broadcast", mention(raw={"live": True}), False, True),
    (RULES, "mention", mention(raw={"sort": "mentioned"}), True, True),
    (RULES, "mention", mention(POST, raw={"sort": "mentioned"}), True, True),
    (RULES, "tagged in a picture", mention(POST, raw={"sort": "tagged"}), False, True),
    (RULES, "found by hashtag", mention(POST, raw={"sort": "hashtag"}), False, True),
    (RULES, "comment", mention(), True, True),
    (RULES, "comment", mention(raw={"sort": ""}), True, True),
    (RULES, "somebody's medium", mention(POST, raw={"sort": ""}), False, True),
    (PRIVATE_RULES, "message", mention(MESSAGE), True, False),
    (PRIVATE_RULES, "not on our media", mention(raw={"sort": "mentioned"}), False, False),
    (PRIVATE_RULES, "not on our media", mention(POST, raw={"sort": "tagged"}), False, False),
    (PRIVATE_RULES, "private answer during a broadcast", mention(raw={"live": True}), True, False),
    (PRIVATE_RULES, "private answer", mention(), True, False),
]


@pytest.mark.parametrize(("rules", "key", "one", "allowed", "public"), ROWS)
def test_each_rule(rules: tuple[ReplyRule, ...], key: str, one: Mention, allowed: bool, public: bool) -> None:
    first = next(rule for rule in rules if rule.applies(one))
    permission = decide(rules, one, NOW + timedelta(minutes=1))
    assert (first.key, permission.allowed, permission.public) == (key, allowed, public)
    assert first.reason and first.source and first.read_on.year == 2026
    assert permission.text_limit if allowed else permission.reason
    if first.window:
        assert permission.until == NOW + first.window
        assert not decide(rules, one, NOW + first.window).allowed


def test_every_rule_has_a_row() -> None:
    assert {key for _, key, *_ in ROWS} == {rule.key for rule in (*RULES, *HUMAN_AGENT_RULES, *PRIVATE_RULES)}
