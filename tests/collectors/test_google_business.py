"""Google Business Profile: what its shapes mean, whose places are read, and what Google's refusals and verdicts lead to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from collectors import access_tokens, google_business
from collectors.google_business import GoogleBusinessCollector
from collectors.google_business_map import Store, heard, map_answer, own_words
from domain.contracts import IdempotencyKey, Watch
from domain.errors import ConfigurationError, InputError, RefusedError, TransientError
from domain.mention import Mention
from tests.fakes.google_business import SETTINGS, FakeGoogleBusiness
from tests.fakes.http_server import serve

REVIEW: dict[str, Any] = {
    "name": "accounts/77/locations/111/reviews/AbF",
    "reviewId": "AbF",
    "reviewer": {"displayName": "Léa M.", "isAnonymous": False},
    "starRating": "TWO",
    "comment": "Caisse lente",
    "createTime": "2026-03-01T10:00:00.123456789Z",
    "updateTime": "2026-03-02T10:00:00Z",
}
KEY = IdempotencyKey("key-1")


@pytest.fixture
def fake() -> Iterator[FakeGoogleBusiness]:
    access_tokens.forget_tokens()
    with serve(FakeGoogleBusiness()) as vendor:
        yield vendor


def collector(fake: FakeGoogleBusiness, **settings: str) -> GoogleBusinessCollector:
    made = google_business.connect({**SETTINGS, **settings}, now=lambda: fake.clock, base=fake.base)
    assert isinstance(made, GoogleBusinessCollector)
    return made


def read(fake: FakeGoogleBusiness, **settings: str) -> list[Mention]:
    return [one for page in collector(fake, **settings).fetch(Watch(), None) for one in page.mentions]


# -- what a review means -----------------------------------------------------------------------------------------------------


def test_a_review_is_a_mention_of_its_store() -> None:
    [mention] = heard(REVIEW, {"locations/111": Store("LYO-01", "https://maps.example/111")})
    assert (mention.id, mention.rating, mention.text, mention.store) == ("google:AbF", 2, "Caisse lente", "LYO-01")
    assert mention.url == "https://maps.example/111" and mention.author and mention.author.name == "Léa M."
    assert (
        heard({**REVIEW, "reviewReplyUrl": "https://business.google.com/r"})[0].url == "https://business.google.com/r"
    )
    assert heard(REVIEW)[0].store == "111"  # not one of ours: the number stands for it


def test_two_people_of_one_name_are_not_one_person() -> None:
    first, second = (heard({**REVIEW, "reviewId": number})[0] for number in ("1", "2"))
    assert first.account_id != second.account_id
    assert heard({**REVIEW, "reviewer": {"displayName": "A Google User", "isAnonymous": True}})[0].author is None


def test_a_rating_without_words_is_heard_with_its_stars() -> None:
    [mention] = heard({**REVIEW, "comment": None})
    assert (mention.text, mention.title, mention.rating) == ("", "★★☆☆☆", 2)
    with pytest.raises(InputError, match="neither words nor stars"):
        heard({**REVIEW, "comment": None, "starRating": "STAR_RATING_UNSPECIFIED"})


def test_our_answer_is_a_mention_of_ours_with_googles_verdict() -> None:
    reply = {"comment": "Merci", "updateTime": "2026-03-03T10:00:00Z", "reviewReplyState": "PENDING"}
    review, ours = heard({**REVIEW, "reviewReply": reply})
    assert (ours.outbound, ours.parent_id, ours.raw["state"]) == (True, "AbF", "PENDING")
    assert review.raw["reply"] == {"comment": "Merci", "updateTime": "2026-03-03T10:00:00Z", "state": "PENDING"}


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("Très bien\n\n(Translated by Google)\nVery good", "Très bien"),
        ("(Translated by Google) Very good\n\n(Original)\nTrès bien", "Très bien"),
        ("(Traduit par Google) Bien\n\n(Original)\nGut", "Gut"),
        ("Bien (Original)", "Bien (Original)"),
        ("(Translated by Google) Only that", "(Translated by Google) Only that"),
        ("", ""),
    ],
)
def test_googles_translation_is_not_the_authors_words(comment: str, words: str) -> None:
    assert own_words(comment) == words
    if comment != words:
        assert heard({**REVIEW, "comment": comment})[0].raw["comment"] == comment


@pytest.mark.parametrize(
    ("body", "count", "reasons"),
    [
        ({"reviews": [REVIEW, {**REVIEW, "reviewId": "2"}], "averageRating": 3}, 2, []),
        ({"locationReviews": [{"name": "accounts/77/locations/222", "review": {**REVIEW, "name": ""}}]}, 1, []),
        (REVIEW, 1, []),
        ([REVIEW, {"reviews": [{**REVIEW, "reviewId": "2"}]}], 2, []),
        (
            {"reviews": [REVIEW, None, {**REVIEW, "createTime": "soon", "updateTime": None}]},
            1,
            ["no object", "no date"],
        ),
        ({"error": {"code": 403, "message": "Not yours"}}, 0, ["an error of the vendor: Not yours"]),
        ({"averageRating": 4.1, "totalReviewCount": 0}, 0, []),
        ({"reviews": "x"}, 0, ["the list of reviews is none"]),
        ({"odd": 1}, 0, ["this is no review"]),
    ],
)
def test_saved_answers(body: Any, count: int, reasons: list[str]) -> None:
    mapped = map_answer(body)
    assert len(mapped.mentions) == count and len(mapped.rejects) == len(reasons)
    for reject, reason in zip(mapped.rejects, reasons, strict=True):
        assert reason in reject.reason


def test_the_store_of_a_batch_comes_from_its_wrapper() -> None:
    batch = {"locationReviews": [{"name": "accounts/77/locations/222", "review": {**REVIEW, "name": ""}}]}
    assert map_answer(batch).mentions[0].store == "222"


# -- whose places ------------------------------------------------------------------------------------------------------------


def test_the_only_account_is_found_and_of_several_one_must_be_named(fake: FakeGoogleBusiness) -> None:
    fake.write("Bien")
    assert len(read(fake)) == 1
    fake.accounts["accounts/88"] = "Autre enseigne"
    with pytest.raises(ConfigurationError, match=r"77 \(Ormelune\), 88 \(Autre enseigne\).*setting account"):
        read(fake)
    assert len(read(fake, account="accounts/77")) == 1
    fake.accounts.clear()
    with pytest.raises(ConfigurationError, match="manages no places"):
        read(fake)


def test_only_the_places_that_are_wanted_are_read(fake: FakeGoogleBusiness) -> None:
    fake.write("Lyon", where="111")
    fake.write("Nantes", where="222")
    assert [one.text for one in read(fake, locations="locations/222")] == ["Nantes"]
    with pytest.raises(ConfigurationError, match="no place 999"):
        read(fake, locations="999, 111")


# -- refusals ----------------------------------------------------------------------------------------------------------------


def error(status: int, reason: str, **detail: Any) -> dict[str, Any]:
    return {"error": {"code": status, "message": "No.", "details": [{"reason": reason}, detail]}}


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"status": 403, "data": error(403, "SERVICE_DISABLED")}, ConfigurationError, "quota is 0"),
        (
            {"status": 403, "data": error(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")},
            ConfigurationError,
            "owner or manager",
        ),
        ({"status": 403, "data": error(403, "RATE_LIMIT_EXCEEDED")}, TransientError, "wait"),
        ({"status": 429, "data": error(429, "", retryDelay="42s")}, TransientError, "wait"),
        ({"status": 429, "data": error(429, "", retryDelay="soon")}, TransientError, "wait"),
    ],
)
def test_what_google_means_by_its_errors(
    fake: FakeGoogleBusiness, fault: dict[str, Any], kind: type[Exception], words: str
) -> None:
    fake.fail("status", path="/v4/", **fault)
    with pytest.raises(kind, match=words) as caught:
        read(fake)
    if isinstance(caught.value, TransientError):
        waits = {"42s": timedelta(seconds=42)}
        delay = fault["data"]["error"]["details"][1].get("retryDelay")
        assert caught.value.retry_after == waits.get(delay)


def test_a_refresh_token_that_was_withdrawn_says_what_to_do(fake: FakeGoogleBusiness) -> None:
    with pytest.raises(ConfigurationError, match=r"expired or revoked.*refresh_token") as caught:
        read(fake, refresh_token="withdrawn-token")
    assert "withdrawn-token" not in str(caught.value)


def test_an_answer_that_google_does_not_show_is_told(fake: FakeGoogleBusiness) -> None:
    fake.write("Bien")
    [mention] = read(fake)
    fake.verdict = "REJECTED"
    with pytest.raises(RefusedError, match=r"OFF_TOPIC.*other words"):
        collector(fake).reply(mention, "Achetez aussi nos bottes !", KEY)


def test_the_length_of_an_answer_is_counted_in_bytes(fake: FakeGoogleBusiness) -> None:
    fake.write("Bien")
    [mention] = read(fake)
    with pytest.raises(RefusedError, match="4,098 bytes"):
        collector(fake).reply(mention, "é" * 2_049, KEY)
    assert collector(fake).reply(mention, "é" * 2_048, KEY)


def test_a_review_whose_place_is_not_known_cannot_be_answered(fake: FakeGoogleBusiness) -> None:
    [mention] = heard({**REVIEW, "name": ""})
    with pytest.raises(RefusedError, match="to which place"):
        collector(fake).reply(mention, "Merci", KEY)
    assert collector(fake).rehydrate([mention]).notes == ("Reviews that could not be looked up again: 1.",)
