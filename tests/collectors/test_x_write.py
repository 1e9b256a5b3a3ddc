"""Answering on X: who may be answered at what price, that an answer arrives exactly once, hiding and taking back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from collectors import x
from collectors.x_rules import ENTERPRISE_RULES, PRIVATE_RULES, RULES
from domain.contracts import Act, IdempotencyKey, Watch
from domain.errors import ComptoirError, ConfigurationError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Author, Mention, MentionKind
from domain.permission import decide
from tests.fakes.x import NEW, NOW, OLD, SETTINGS, FakeX, serve

KEY = IdempotencyKey("k1")
TEXT = "Bonjour Léa, votre commande part demain. Awa"


@pytest.fixture(params=[OLD, NEW])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeX]:
    with serve(FakeX(request.param)) as vendor:
        yield vendor


def connect(fake: FakeX, timeout: float = 10.0, **settings: str) -> Any:
    names = {"fields": "tweet" if fake.version == OLD else "post"}
    return x.connect({**SETTINGS, **names, **settings}, now=fake.now, base=fake.base, timeout=timeout)


def heard(fake: FakeX, native_id: str, **settings: str) -> Mention:
    watch = Watch(terms=("ormelune",))
    pages = connect(fake, **settings).fetch(watch, None)
    return next(mention for page in pages for mention in page.mentions if mention.native_id == native_id)


def asked(fake: FakeX, text: str = "@ormelune ma commande ?", **fields: Any) -> Mention:
    lea = fake.world.user("lea_m", **fields)
    return heard(fake, fake.world.say(lea, text, NOW - timedelta(hours=2)).id)


def private(fake: FakeX) -> Mention:
    lea = fake.world.user("lea_m")
    return heard(fake, fake.world.write(lea, [fake.owner], "en privé ?", NOW - timedelta(hours=2)).id)


# -- rules, row by row -----------------------------------------------------------------------------------------------------


def _mention(**fields: Any) -> Mention:
    values = {"text": "a", "created_at": NOW - timedelta(days=400), "author": Author("5"), "conversation_id": "1"}
    return Mention("x", "1", **{**values, **fields})


@pytest.mark.parametrize(
    ("mention", "allowed", "price", "public", "limit", "words"),
    [
        (_mention(outbound=True), False, 0, True, None, "our own words"),
        (_mention(kind=MentionKind.MESSAGE), True, 0.015, False, 10_000, "Only the people in this conversation"),
        (_mention(raw={"summons": "mention"}), True, 0.010, True, 280, "$0.20 instead of $0.01"),
        (_mention(raw={"summons": "quote"}), True, 0.010, True, 280, "quote a post"),
        (_mention(raw={"summons": "answer"}), True, 0.010, True, 280, "X may refuse"),
        (_mention(raw={"summons": "mention", "protected": True}), True, 0.010, True, 280, "protected"),
        (_mention(raw={"protected": True}), False, 0, True, 280, "since 23 February 2026"),
        (_mention(), False, 0, True, 280, "since 23 February 2026"),
    ],
)
def test_who_may_be_answered(
    mention: Mention, allowed: bool, price: float, public: bool, limit: int | None, words: str
) -> None:
    found = decide(RULES, mention, NOW)
    assert (found.allowed, found.price, found.public, found.text_limit) == (allowed, price, public, limit)
    assert words in found.reason and found.until is None


@pytest.mark.parametrize(
    ("mention", "allowed", "price"),
    [
        (_mention(outbound=True), False, 0),
        (_mention(kind=MentionKind.MESSAGE), True, 0.015),
        (_mention(), True, 0.015),
        (_mention(author=None), False, 0),
        (_mention(author=Author("lea_m")), False, 0),
    ],
)
def test_who_may_be_written_to(mention: Mention, allowed: bool, price: float) -> None:
    found = decide(PRIVATE_RULES, mention, NOW)
    assert (found.allowed, found.price) == (allowed, price) and found.reason
    assert not found.allowed or not found.public


def test_every_rule_has_a_source_and_is_reached() -> None:
    for rules in (RULES, ENTERPRISE_RULES, PRIVATE_RULES):
        assert all(rule.source and rule.read_on and rule.reason for rule in rules)
        assert len({rule.key for rule in rules}) == len(rules)
    assert decide(ENTERPRISE_RULES, _mention(), NOW).allowed


def test_where_x_forbids_it_the_reason_leads_there(fake: FakeX) -> None:
    permission = connect(fake).may_reply(_mention(raw={"latest_id": "2"}))
    assert permission.reason.endswith("Answer there: https://x.com/intent/post?in_reply_to=2")
    with pytest.raises(RefusedError, match="mention or quote"):
        connect(fake).reply(_mention(raw={"id": "1"}), TEXT, KEY)
    assert not fake.requests


def test_plans_and_verified_accounts_differ(fake: FakeX) -> None:
    summoned = _mention(raw={"summons": "mention"})
    assert connect(fake, plan="enterprise").may_reply(_mention()).allowed
    assert connect(fake, plan="pro").may_reply(summoned).price == 0
    assert connect(fake, text_limit="4000").may_reply(summoned).text_limit == 4000
    assert connect(fake, text_limit="4000").may_reply(_mention(kind=MentionKind.MESSAGE)).text_limit == 10_000


# -- once ------------------------------------------------------------------------------------------------------------------


def test_an_answer_arrives_once_below_what_it_answers(fake: FakeX) -> None:
    mention = asked(fake)
    remote_id = connect(fake).reply(mention, TEXT, KEY)
    assert fake.accepted == [(remote_id, TEXT, mention.native_id)]
    back = heard(fake, remote_id)
    assert back.outbound and back.parent_id == mention.native_id and back.thread_id == mention.thread_id


def test_a_message_is_answered_in_its_conversation(fake: FakeX) -> None:
    mention = private(fake)
    remote_id = connect(fake).reply(mention, TEXT, KEY)
    assert fake.accepted == [(remote_id, TEXT, mention.conversation_id)]
    assert heard(fake, remote_id).thread_id == mention.thread_id


def test_a_public_word_can_be_answered_privately(fake: FakeX) -> None:
    mention = asked(fake)
    remote_id = connect(fake).reply_privately(mention, TEXT, KEY)
    assert fake.accepted == [(remote_id, TEXT, f"{fake.owner.id}-{mention.author.native_id}")]  # type: ignore[union-attr]
    assert connect(fake).find_reply(mention, TEXT, KEY) == remote_id


def test_the_newest_version_is_answered(fake: FakeX) -> None:
    lea = fake.world.user("lea_m")
    first = fake.world.say(lea, "@ormelune ma comande", NOW - timedelta(hours=1))
    newer = fake.world.edit(first, "@ormelune ma commande", NOW - timedelta(minutes=50))
    mention = heard(fake, first.id)
    remote_id = connect(fake).reply(mention, TEXT, KEY)
    assert fake.accepted == [(remote_id, TEXT, newer.id)]
    for known in (mention, replace(mention, raw={})):
        assert connect(fake).find_reply(known, TEXT, KEY) == remote_id


def test_what_was_kept_without_its_marks_can_be_answered_and_hidden(fake: FakeX) -> None:
    own = fake.world.say(fake.owner, "Bonjour à tous", NOW - timedelta(hours=5))
    lea = fake.world.user("lea_m")
    below = replace(heard(fake, fake.world.say(lea, "et moi ?", NOW - timedelta(hours=4), parent=own.id).id), raw={})
    collector = connect(fake)
    assert collector.may_reply(below).allowed and collector.may_moderate(below) == (Act.HIDE, Act.UNHIDE)
    collector.moderate(below, Act.HIDE, KEY)
    quoting = replace(
        heard(fake, fake.world.say(lea, "ormelune ?", NOW - timedelta(hours=3), quoted=own.id).id), raw={}
    )
    collector.reply(quoting, TEXT, KEY)  # X knows that it quotes us
    silent = replace(heard(fake, fake.world.say(lea, "ormelune, bof", NOW - timedelta(hours=2)).id), raw={})
    with pytest.raises(RefusedError, match="neither mentions nor quotes"):
        collector.reply(silent, "Autre chose", KEY)
    assert [text for _, text, _ in fake.accepted] == [TEXT]


@pytest.mark.parametrize("effect", ["hang", "cut", "html", "truncated", "status"])
@pytest.mark.parametrize("kind", ["public", "message", "private"])
def test_after_a_lost_answer_it_is_found_and_not_sent_again(fake: FakeX, effect: str, kind: str) -> None:
    mention = private(fake) if kind == "message" else asked(fake)
    collector = connect(fake, timeout=0.5)
    send = collector.reply_privately if kind == "private" else collector.reply
    fake.fail(effect, method="POST", after=True, status=200 if effect == "html" else 502)
    with pytest.raises(OutcomeUnknownError):
        send(mention, f"{TEXT} https://ormelune.example/suivi?a=1&b=2", KEY)
    assert len(fake.accepted) == 1
    found = connect(fake).find_reply(mention, f"{TEXT} https://ormelune.example/suivi?a=1&b=2", KEY)
    assert found == fake.accepted[0][0]
    assert connect(fake).find_reply(mention, "D'autres mots", KEY) is None


@pytest.mark.parametrize("kind", ["public", "message"])
def test_what_never_arrived_is_not_found(fake: FakeX, kind: str) -> None:
    mention = private(fake) if kind == "message" else asked(fake)
    fake.fail("hang", method="POST")
    with pytest.raises(OutcomeUnknownError):
        connect(fake, timeout=0.5).reply(mention, TEXT, KEY)
    assert connect(fake).find_reply(mention, TEXT, KEY) is None
    connect(fake).reply(mention, TEXT, KEY)
    assert len(fake.accepted) == 1


def test_the_same_words_to_somebody_else_are_not_this_answer(fake: FakeX) -> None:
    first, second = asked(fake), asked(fake, "@ormelune et la mienne ?")
    connect(fake).reply(first, TEXT, KEY)
    assert connect(fake).find_reply(second, TEXT, KEY) is None
    fake.world.write(fake.owner, [fake.world.users[second.author.native_id]], "ancien", NOW - timedelta(days=9))  # type: ignore[union-attr]
    assert connect(fake).find_reply(second, "ancien", KEY) is None


def test_an_answer_many_pages_back_is_found(fake: FakeX) -> None:
    mention = asked(fake)
    remote_id = connect(fake).reply(mention, TEXT, KEY)
    for number in range(130):
        fake.world.say(fake.owner, f"autre chose {number}", NOW + timedelta(seconds=number))
    assert connect(fake).find_reply(mention, TEXT, KEY) == remote_id


def test_a_receipt_without_a_number_is_doubtful(fake: FakeX) -> None:
    fake.fail("status", method="POST", status=201, data={"data": {}})
    with pytest.raises(OutcomeUnknownError, match="did not say its number"):
        connect(fake).reply(asked(fake), TEXT, KEY)


# -- refusals --------------------------------------------------------------------------------------------------------------


def refused(fake: FakeX, mention: Mention, text: str = TEXT) -> ComptoirError:
    with pytest.raises(ComptoirError) as caught:
        connect(fake).reply(mention, text, KEY)
    assert not any(SETTINGS[key] in str(caught.value) for key in SETTINGS if key != "account")
    return caught.value


def test_the_same_words_twice_are_refused(fake: FakeX) -> None:
    connect(fake).reply(asked(fake), TEXT, KEY)
    error = refused(fake, asked(fake, "@ormelune et moi ?"))
    assert isinstance(error, RefusedError) and "Change the wording" in str(error)


def test_who_did_not_summon_us_cannot_be_answered(fake: FakeX) -> None:
    mention = asked(fake, "j'aime ormelune")
    assert not connect(fake).may_reply(mention).allowed
    mention.raw["summons"] = "answer"  # as if we had thought so
    error = refused(fake, mention)
    assert isinstance(error, RefusedError) and "neither mentions nor quotes" in str(error)


def test_a_deleted_post_cannot_be_answered(fake: FakeX) -> None:
    mention = asked(fake)
    fake.world.delete(mention.native_id)
    error = refused(fake, mention)
    assert isinstance(error, RefusedError) and "deleted or not visible" in str(error)


def test_somebody_who_takes_no_messages(fake: FakeX) -> None:
    mention = asked(fake)
    fake.world.users[mention.author.native_id].protected = True  # type: ignore[union-attr]
    with pytest.raises(RefusedError, match="cannot send messages to this user"):
        connect(fake).reply_privately(mention, TEXT, KEY)


def test_a_text_that_is_too_long_is_not_sent(fake: FakeX) -> None:
    mention = asked(fake)
    before = len(fake.requests)
    error = refused(fake, mention, "é" * 281)
    assert isinstance(error, RefusedError) and "281 characters and takes 280" in str(error)
    assert len(fake.requests) == before
    connect(fake, text_limit="500").reply(mention, "é" * 281, KEY)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"status": 401}, ConfigurationError, "console.x.com"),
        ({"status": 402}, ConfigurationError, "credits"),
        ({"status": 429}, TransientError, "asks us to wait"),
        ({"status": 503}, OutcomeUnknownError, "may be there"),
        ({"status": 400, "data": {"detail": "Your Tweet text is too long."}}, RefusedError, "too long"),
        (
            {"status": 403, "data": {"detail": "Your account is temporarily locked."}},
            ConfigurationError,
            "Log in on x.com",
        ),
        ({"status": 403, "data": {"detail": "Something new."}}, RefusedError, "Something new"),
        (
            {
                "status": 403,
                "data": {"type": "https://api.x.com/2/problems/client-forbidden", "title": "Client Forbidden"},
            },
            ConfigurationError,
            "Read and write",
        ),
    ],
)
def test_refusals_say_what_to_do(fake: FakeX, fault: dict[str, Any], kind: type[Exception], words: str) -> None:
    mention = asked(fake)
    fake.fail("status", method="POST", **fault)
    error = refused(fake, mention)
    assert isinstance(error, kind) and words in str(error)
    assert type(error) is kind and fake.accepted == []


def test_a_limit_of_a_day_is_waited_for(fake: FakeX) -> None:
    mention = asked(fake)
    at = str(int(NOW.timestamp()) + 5 * 3600)
    headers = {"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": at, "x-rate-limit-remaining": "80"}
    fake.fail("status", method="POST", status=429, headers=headers)
    error = refused(fake, mention)
    assert isinstance(error, TransientError) and error.retry_after == timedelta(hours=5)


def test_an_app_that_may_only_read(fake: FakeX) -> None:
    mention = asked(fake)
    fake.level = "read"
    error = refused(fake, mention)
    assert isinstance(error, ConfigurationError) and "Read and write and Direct message" in str(error)


# -- hiding and taking back ------------------------------------------------------------------------------------------------


def test_answers_to_our_own_posts_can_be_hidden(fake: FakeX) -> None:
    own = fake.world.say(fake.owner, "Bonjour à tous", NOW - timedelta(hours=5))
    spam = fake.world.say(fake.world.user("spam"), "achetez", NOW - timedelta(hours=4), parent=own.id)
    mention = heard(fake, spam.id)
    collector = connect(fake)
    assert collector.may_moderate(mention) == (Act.HIDE, Act.UNHIDE)
    for act, hidden in ((Act.HIDE, True), (Act.HIDE, True), (Act.UNHIDE, False)):
        collector.moderate(mention, act, KEY)
        assert fake.world.posts[spam.id].hidden is hidden
    with pytest.raises(RefusedError):
        collector.moderate(mention, Act.DELETE, KEY)


def test_elsewhere_nothing_can_be_hidden(fake: FakeX) -> None:
    mention = asked(fake)
    assert connect(fake).may_moderate(mention) == () == connect(fake).may_moderate(private(fake))
    with pytest.raises(RefusedError):
        connect(fake).moderate(mention, Act.HIDE, KEY)


@pytest.mark.parametrize("kind", ["public", "message"])
def test_our_own_words_can_be_taken_back(fake: FakeX, kind: str) -> None:
    mention = private(fake) if kind == "message" else asked(fake)
    sent = heard(fake, connect(fake).reply(mention, TEXT, KEY))
    assert connect(fake).may_moderate(sent) == (Act.DELETE,)
    connect(fake).moderate(sent, Act.DELETE, KEY)
    assert sent.native_id in fake.world.gone or all(event.id != sent.native_id for event in fake.world.events)


def test_a_failed_hiding_may_simply_be_repeated(fake: FakeX) -> None:
    own = fake.world.say(fake.owner, "Bonjour", NOW - timedelta(hours=5))
    mention = heard(fake, fake.world.say(fake.world.user("a"), "spam", NOW - timedelta(hours=4), parent=own.id).id)
    fake.fail("cut", method="PUT", after=True)
    with pytest.raises(TransientError) as caught:
        connect(fake).moderate(mention, Act.HIDE, KEY)
    assert not isinstance(caught.value, OutcomeUnknownError)
    connect(fake).moderate(mention, Act.HIDE, KEY)
    assert fake.world.posts[mention.native_id].hidden


def test_read_back_needs_no_messages_where_they_are_left_unread(fake: FakeX) -> None:
    mention = asked(fake)
    connect(fake).reply_privately(mention, TEXT, KEY)
    assert connect(fake, messages="no").find_reply(mention, TEXT, KEY) is None
    assert not fake.asked("/2/dm_conversations/with", "GET")
