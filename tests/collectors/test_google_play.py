"""Google Play: one week and the gap beyond it, two ways in, and what its shapes mean."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import access_tokens, google_play
from collectors.google_play import REACH, GooglePlayCollector
from collectors.google_play_map import heard, map_answer
from domain.contracts import Cursor, Gap, Page, Watch
from domain.errors import ConfigurationError
from tests.fakes.google_play import SETTINGS, FakeGooglePlay, sign
from tests.fakes.http_server import serve

COMMENT: dict[str, Any] = {
    "text": "Ne s'ouvre plus\tDepuis la mise à jour",
    "lastModified": {"seconds": "1772438400", "nanos": 713000000},
    "starRating": 1,
    "reviewerLanguage": "fr",
    "thumbsUpCount": 3,
}
REVIEW: dict[str, Any] = {"reviewId": "a-1", "authorName": "Léa M.", "comments": [{"userComment": COMMENT}]}


@pytest.fixture
def fake() -> Iterator[FakeGooglePlay]:
    access_tokens.forget_tokens()
    with serve(FakeGooglePlay()) as vendor:
        yield vendor


def collector(fake: FakeGooglePlay, **settings: str) -> GooglePlayCollector:
    made = google_play.connect({**SETTINGS, **settings}, now=lambda: fake.clock, base=fake.base, sign=sign)
    assert isinstance(made, GooglePlayCollector)
    return made


def read(fake: FakeGooglePlay, since: Cursor | None = None) -> tuple[list[Page], Cursor | None]:
    pages = list(collector(fake).fetch(Watch(), since))
    return pages, pages[-1].cursor if pages else since


def test_a_silence_longer_than_a_week_leaves_a_gap_that_is_told(fake: FakeGooglePlay) -> None:
    fake.write("Bien")
    _, cursor = read(fake)
    last = fake.clock
    fake.wait(days=6)
    assert not [page.gap for page in read(fake, cursor)[0] if page.gap]
    fake.wait(days=3)
    fake.write("Encore bien", after=0)
    pages, _ = read(fake, cursor)
    gaps = [page.gap for page in pages if page.gap]
    assert gaps[0] == Gap(last, fake.clock - REACH, gaps[0].reason) and "last 7 days" in gaps[0].reason
    assert len(gaps) == 2  # of each app
    assert [one.text for page in pages for one in page.mentions] == ["Encore bien"]


def test_questions_are_counted_against_the_quota(fake: FakeGooglePlay) -> None:
    fake.write("Bien")
    pages, _ = read(fake)
    assert sum(page.spent.unit_count for page in pages) == len(fake.asked("/androidpublisher/"))


def test_an_old_review_that_is_not_found_is_not_taken_for_deleted(fake: FakeGooglePlay) -> None:
    fake.write("Ancien")
    fake.write("Récent", after=60 * 24 * 6)
    kept = [one for page in read(fake)[0] for one in page.mentions]
    fake.reviews.clear()
    fake.wait(days=2)
    page = collector(fake).rehydrate(kept)
    assert page.deleted == (f"google_play:{next(one for one in kept if one.text == 'Récent').native_id}",)
    assert page.notes == ("Reviews that could not be looked up again: 1.",)


def test_a_person_may_let_us_in_instead_of_a_service_account(fake: FakeGooglePlay) -> None:
    oauth = {"client_id": "c", "client_secret": "secret", "refresh_token": "refresh-of-the-shop", "service_account": ""}
    fake.write("Bien")
    collector(fake, **oauth).check()
    for key in ("client_id", "client_secret", "refresh_token"):
        with pytest.raises(ConfigurationError, match=key):
            collector(fake, **{**oauth, key: ""})
    with pytest.raises(ConfigurationError, match="service_account is missing"):
        collector(fake, service_account="")
    for odd in ("{", "[]", '{"client_email": "a"}', '{"client_email": 3, "private_key": []}'):
        with pytest.raises(ConfigurationError, match="holds no key"):
            collector(fake, service_account=odd)


def test_an_app_of_somebody_else_is_named(fake: FakeGooglePlay) -> None:
    with pytest.raises(ConfigurationError, match=r"com\.elsewhere\.app.*Play Console"):
        collector(fake, packages="com.elsewhere.app").check()


def test_what_a_review_means() -> None:
    [mention] = heard(REVIEW, "com.ormelune.shop")
    assert (mention.title, mention.text, mention.rating) == ("Ne s'ouvre plus", "Depuis la mise à jour", 1)
    assert mention.created_at == datetime(2026, 3, 2, 8, 0, 0, 713000, tzinfo=UTC)
    assert (mention.product, mention.lang_hint, mention.engagement.like_count) == ("com.ormelune.shop", "fr", 3)
    assert mention.url == "https://play.google.com/store/apps/details?id=com.ormelune.shop&reviewId=a-1"


def test_the_last_words_of_each_side_count_and_the_original_before_its_translation() -> None:
    later = {**COMMENT, "text": "Réparé !", "starRating": 5, "originalText": "Fixed!"}
    ours = {"text": "Merci", "lastModified": {"seconds": "1772500000"}}
    comments = [{"userComment": COMMENT}, {"developerComment": {"text": "Avant"}}, {"userComment": later}]
    review, answer = heard({**REVIEW, "comments": [*comments, {"developerComment": ours}]}, "a.b")
    assert (review.text, review.rating, answer.text) == ("Fixed!", 5, "Merci")
    assert answer.created_at - review.created_at > timedelta(hours=1)


@pytest.mark.parametrize(
    ("body", "count", "reasons"),
    [
        ({"reviews": [REVIEW], "tokenPagination": {"nextPageToken": "x"}}, 1, []),
        ({"tokenPagination": {}}, 0, []),
        (REVIEW, 1, []),
        (
            {"reviews": [{**REVIEW, "comments": None}, {"comments": [{"userComment": COMMENT}]}, 5]},
            0,
            ["date", "id", "object"],
        ),
        (
            {"reviews": [{**REVIEW, "comments": [{"userComment": {**COMMENT, "lastModified": {"seconds": "x"}}}]}]},
            0,
            ["date"],
        ),
        ({"error": {"message": "Not found"}}, 0, ["Not found"]),
    ],
)
def test_saved_answers(body: Any, count: int, reasons: list[str]) -> None:
    mapped = map_answer(body)
    assert len(mapped.mentions) == count and len(mapped.rejects) == len(reasons)
    for reject, reason in zip(mapped.rejects, reasons, strict=True):
        assert reason in reject.reason
