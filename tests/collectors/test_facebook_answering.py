"""Answering on Facebook: once, also where the answer to the answer got lost; privately; hiding; what the rules say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import facebook
from collectors.facebook import FacebookCollector
from collectors.facebook_rules import HUMAN_AGENT_RULES, PRIVATE_RULES, RULES
from domain.contracts import Act, IdempotencyKey, Permission, Watch
from domain.errors import ConfigurationError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Author, Mention, MentionKind
from domain.permission import ReplyRule, decide
from tests.fakes.meta import SETTINGS, FakeMeta, serve
from tests.fakes.meta_world import Thing

KEY = IdempotencyKey("k1")
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
TEXT = "Bonjour Léa, désolés ! Écrivez-nous : https://ormelune.example/aide"


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def connected(fake: FakeMeta, timeout: float = 10.0, **settings: str) -> FacebookCollector:
    made = facebook.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock, base=fake.base, timeout=timeout)
    assert isinstance(made, FacebookCollector)
    return made


def heard(fake: FakeMeta, thing: Thing) -> Mention:
    pages = connected(fake).fetch(Watch(), None)
    return next(one for page in pages for one in page.mentions if one.native_id == thing.id)


def said(fake: FakeMeta, sort: str) -> Thing:
    """Something that can be answered."""
    world = fake.world
    if sort == "message":
        return world.write("Où est mon colis ?", "Léa")
    if sort in {"comment", "answer to an answer"}:
        comment = world.comment(world.post("Soldes"), "Où est mon colis ?", "Léa")
        if sort == "comment":
            return comment
        answer = world.comment(world.things[comment.on], "Quel numéro ?", "Ormelune", parent=comment)
        return world.comment(world.things[comment.on], "4711", "Léa", parent=answer)
    return {"visitor": world.post, "tagged": world.tag, "rating": world.rate}[sort]("Très déçue", "Léa")


SORTS = ("message", "comment", "answer to an answer", "visitor", "tagged", "rating")


@pytest.mark.parametrize("sort", SORTS)
def test_an_answer_arrives_in_the_thread_and_is_heard_as_ours(fake: FakeMeta, sort: str) -> None:
    mention = heard(fake, said(fake, sort))
    made = connected(fake)
    assert made.may_reply(mention).allowed
    assert made.find_reply(mention, TEXT, KEY) is None
    remote_id = made.reply(mention, TEXT, KEY)
    assert [one.text for one in fake.accepted] == [TEXT]
    assert made.find_reply(mention, f"  {TEXT} ", KEY) == remote_id
    assert made.find_reply(mention, "Autre chose", KEY) is None
    answer = heard(fake, fake.accepted[0])
    assert (answer.native_id, answer.outbound) == (remote_id, True)
    assert answer.thread_id == mention.thread_id


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
    found = made.find_reply(mention, TEXT, KEY)
    assert found == fake.accepted[0].id
    assert len(fake.accepted) == 1


@pytest.mark.parametrize("sort", SORTS)
def test_an_answer_that_never_left_is_not_found(fake: FakeMeta, sort: str) -> None:
    mention = heard(fake, said(fake, sort))
    made = connected(fake)
    fake.fail("cut", method="POST")  # broken before it was carried out: nobody can know
    with pytest.raises(OutcomeUnknownError):
        made.reply(mention, TEXT, KEY)
    assert made.find_reply(mention, TEXT, KEY) is None
    made.reply(mention, TEXT, KEY)
    assert len(fake.accepted) == 1


def test_an_older_answer_with_the_same_words_is_not_taken_for_this_one(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    first = world.comment(post, "Ouvert dimanche ?", "Léa")
    world.comment(post, "Oui", "Ormelune", parent=first)
    second = world.comment(post, "Et lundi ?", "Léa", parent=first)
    mention = heard(fake, second)
    assert connected(fake).find_reply(mention, "Oui", KEY) is None
    remote_id = connected(fake).reply(mention, "Oui, aussi", KEY)
    assert connected(fake).find_reply(mention, "Oui, aussi", KEY) == remote_id


def test_an_answer_among_many_later_comments_is_found(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Très déçue", "Léa")
    mention = heard(fake, post)
    connected(fake).reply(mention, TEXT, KEY)
    for number in range(250):
        world.comment(post, f"Pareil {number}", "Luc", after=0.1)
    assert connected(fake).find_reply(mention, TEXT, KEY) == fake.accepted[0].id
    fake.page_limit = 5
    with pytest.raises(TransientError, match="cannot be checked"):
        connected(fake).find_reply(mention, TEXT, KEY)


def test_a_private_answer_goes_once_and_is_found(fake: FakeMeta) -> None:
    comment = said(fake, "comment")
    mention = heard(fake, comment)
    made = connected(fake)
    assert made.may_reply_privately(mention).public is False
    fake.fail("cut", method="POST", after=True)
    with pytest.raises(OutcomeUnknownError):
        made.reply_privately(mention, TEXT, KEY)
    assert made.find_reply(mention, TEXT, KEY) == fake.accepted[0].id
    with pytest.raises(RefusedError, match="only once"):
        made.reply_privately(mention, TEXT, KEY)
    again = heard(fake, comment)
    assert made.may_reply_privately(again) == Permission(
        False,
        "This was answered privately already; Facebook takes one private answer to a comment. Go on in that conversation.",
        public=False,
    )
    assert len(fake.accepted) == 1


def test_a_visitors_post_can_be_answered_privately(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "visitor"))
    connected(fake).reply_privately(mention, TEXT, KEY)
    assert fake.accepted[0].on == f"t_{fake.world.person('Léa')}"


def test_the_windows_of_messages(fake: FakeMeta) -> None:
    message = said(fake, "message")
    mention = heard(fake, message)
    fake.world.wait(hours=23)
    assert connected(fake).may_reply(mention).until == message.at + timedelta(days=1)
    connected(fake).reply(mention, "À temps", KEY)
    fake.world.wait(hours=2)
    with pytest.raises(RefusedError, match="Too late"):
        connected(fake).reply(mention, "Trop tard", KEY)
    agent = connected(fake, human_agent="yes")
    agent.reply(mention, "Par une personne", KEY)
    assert fake.requests[-1].data["tag"] == "HUMAN_AGENT"
    fake.world.wait(days=7)
    with pytest.raises(RefusedError, match="Too late"):
        agent.reply(mention, "Trop tard", KEY)
    assert [one.text for one in fake.accepted] == ["À temps", "Par une personne"]


def test_facebook_has_the_last_word_on_the_window(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "message"))
    made = connected(fake)
    fake.fail(
        "status", method="POST", status=400, data={"error": {"code": 10, "error_subcode": 2018278, "message": "x"}}
    )
    with pytest.raises(RefusedError, match="more than 24 hours ago"):
        made.reply(mention, TEXT, KEY)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": 429}, TransientError),
        ({"status": 401}, ConfigurationError),
        ({"status": 403}, ConfigurationError),
    ],
)
def test_an_answer_that_was_not_taken_was_certainly_not_sent(
    fake: FakeMeta, fields: dict[str, Any], expected: type[Exception]
) -> None:
    mention = heard(fake, said(fake, "comment"))
    fake.fail("status", method="POST", **fields)
    with pytest.raises(expected) as caught:
        connected(fake).reply(mention, TEXT, KEY)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert fake.accepted == []


def test_what_is_too_long_does_not_leave(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "message"))
    with pytest.raises(RefusedError, match="2,001 characters; Facebook takes 2,000"):
        connected(fake).reply(mention, "a" * 2_001, KEY)
    assert fake.asked("/", "POST") == []


def test_hiding_and_taking_back(fake: FakeMeta) -> None:
    comment = said(fake, "comment")
    made = connected(fake)
    mention = heard(fake, comment)
    assert made.may_moderate(mention) == (Act.HIDE,)
    for _ in range(2):
        made.moderate(mention, Act.HIDE, KEY)
    assert fake.world.things[comment.id].hidden
    assert made.may_moderate(heard(fake, comment)) == (Act.UNHIDE,)
    made.moderate(mention, Act.UNHIDE, KEY)
    assert not fake.world.things[comment.id].hidden
    with pytest.raises(RefusedError, match="nothing else"):
        made.moderate(mention, Act.DELETE, KEY)
    made.reply(mention, TEXT, KEY)
    ours = heard(fake, fake.accepted[0])
    assert made.may_moderate(ours) == (Act.DELETE,)
    for _ in range(2):  # gone already is as it should be
        made.moderate(ours, Act.DELETE, KEY)
    assert ours.native_id not in fake.world.things


def test_what_facebook_does_not_do_without_a_reason_is_refused(fake: FakeMeta) -> None:
    mention = heard(fake, said(fake, "comment"))
    fake.fail("status", method="POST", status=200, data={"success": False})
    with pytest.raises(RefusedError, match="gave no reason"):
        connected(fake).moderate(mention, Act.HIDE, KEY)


@pytest.mark.parametrize("sort", ["visitor", "tagged", "rating", "message"])
def test_other_things_are_not_moderated(fake: FakeMeta, sort: str) -> None:
    assert connected(fake).may_moderate(heard(fake, said(fake, sort))) == ()


# -- the rules, row by row ---------------------------------------------------------------------------------------------------


def mention(kind: MentionKind = MentionKind.COMMENT, **fields: Any) -> Mention:
    what = {MentionKind.COMMENT: "comment", MentionKind.POST: "post", MentionKind.REVIEW: "rating"}.get(kind, "message")
    raw = {"what": what, "sort": "own", **fields.pop("raw", {})}
    values = {"native_id": "1_2", "text": "Bonjour", "created_at": NOW, "author": Author("7"), **fields}
    return Mention(network="facebook", kind=kind, raw=raw, **values)


MESSAGE, POST, REVIEW = MentionKind.MESSAGE, MentionKind.POST, MentionKind.REVIEW
ROWS: list[tuple[tuple[ReplyRule, ...], str, Mention, bool, bool]] = [
    (RULES, "own words", mention(outbound=True), False, True),
    (RULES, "cannot be written to", mention(MESSAGE, raw={"can_reply": False}), False, False),
    (RULES, "nobody named", mention(MESSAGE, author=None), False, False),
    (RULES, "message", mention(MESSAGE), True, False),
    (HUMAN_AGENT_RULES, "message, answered by a person", mention(MESSAGE), True, False),
    (RULES, "comments are closed", mention(raw={"can_comment": False}), False, True),
    (RULES, "recommendation without a story", mention(REVIEW, native_id="h1"), False, True),
    (RULES, "recommendation", mention(REVIEW, native_id="5"), True, True),
    (RULES, "recommendation", mention(REVIEW, native_id="h1", raw={"story_id": "5"}), True, True),
    (RULES, "post that tags us", mention(POST, raw={"sort": "tagged"}), True, True),
    (RULES, "visitor's post", mention(POST, raw={"sort": "visitor"}), True, True),
    (RULES, "comment", mention(author=None), True, True),
    (PRIVATE_RULES, "message", mention(MESSAGE), True, False),
    (
        PRIVATE_RULES,
        "answered privately before",
        mention(raw={"private_reply_conversation": {"id": "t_1"}, "can_reply_privately": False}),
        False,
        False,
    ),
    (PRIVATE_RULES, "no private answer", mention(raw={"can_reply_privately": False}), False, False),
    (PRIVATE_RULES, "not on our Page", mention(POST, raw={"sort": "tagged"}), False, False),
    (PRIVATE_RULES, "private answer", mention(), True, False),
]


@pytest.mark.parametrize(("rules", "key", "one", "allowed", "public"), ROWS)
def test_each_rule(rules: tuple[ReplyRule, ...], key: str, one: Mention, allowed: bool, public: bool) -> None:
    first = next(rule for rule in rules if rule.applies(one))
    permission = decide(rules, one, NOW + timedelta(minutes=1))
    assert (first.key, permission.allowed, permission.public) == (key, allowed, public)
    assert first.reason and first.source and first.read_on.year == 2026
    assert permission.text_limit if allowed else permission.reason
    windows = {"message": 1, "message, answered by a person": 7, "private answer": 7}
    expected = timedelta(days=windows[key]) if key in windows else None
    assert first.window == expected
    if expected:
        assert not decide(rules, one, NOW + expected).allowed


def test_every_rule_has_a_row() -> None:
    tried = {(id(rules), key) for rules, key, *_ in ROWS}
    assert {key for _, key in tried} == {rule.key for rule in (*RULES, *HUMAN_AGENT_RULES, *PRIVATE_RULES)}
