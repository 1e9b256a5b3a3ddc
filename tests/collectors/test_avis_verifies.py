"""Avis Vérifiés: two lists, three generations of shapes, and what is said below a review."""

from collections.abc import Iterator
from typing import Any

import pytest

from collectors import access_tokens, avis_verifies
from collectors.avis_verifies import AvisVerifiesCollector
from collectors.avis_verifies_map import heard, map_answer, when
from domain.contracts import CanReply, Watch
from domain.errors import ConfigurationError
from tests.fakes.avis_verifies import SETTINGS, FakeAvisVerifies
from tests.fakes.http_server import serve

REVIEW: dict[str, Any] = {
    "review_id": "5f7b1b3a-5b0b-4b5a-9b0a-5e8b1b3a5b0b",
    "review_rate": 2,
    "review_content": "Taille trop grande",
    "review_date": "2026-03-01T10:00:00Z",
    "publish_date": "2026-03-03T10:00:00Z",
    "author_firstname": "Léa",
    "author_lastname": "M.",
    "locale": "fr_FR",
    "order_reference": "CMD-42",
    "product_variation_id": "PULL-01",
}
OLD: dict[str, Any] = {
    "id_review_product": "r-9",
    "rate": "4",
    "review": "Bien",
    "review_date": "1772438400",
    "firstname": "Léa",
    "lastname": "M",
    "order_ref": "CMD-1",
    "email": "lea@mail.example",
    "moderation": [
        {"comment_date": "02/03/2026 10:00", "comment_origin": "1", "comment": "Merci !"},
        {"comment_date": "1772600000", "comment_origin": "3", "comment": "Et mon bon d'achat ?"},
        {"comment_date": "?", "comment_origin": "1", "comment": " "},
    ],
}


@pytest.fixture
def fake() -> Iterator[FakeAvisVerifies]:
    access_tokens.forget_tokens()
    with serve(FakeAvisVerifies()) as vendor:
        yield vendor


def collector(fake: FakeAvisVerifies, **settings: str) -> AvisVerifiesCollector:
    made = avis_verifies.connect({**SETTINGS, **settings}, now=lambda: fake.clock, base=fake.base)
    assert isinstance(made, AvisVerifiesCollector)
    return made


def test_only_the_lists_that_are_wanted_are_read(fake: FakeAvisVerifies) -> None:
    fake.write("Service", where="brands")
    fake.write("Pull", where="products")

    def heard_by(**settings: str) -> set[str]:
        return {one.text for page in collector(fake, **settings).fetch(Watch(), None) for one in page.mentions}

    assert heard_by() == {"Service", "Pull"}
    assert heard_by(brand_reviews="no") == {"Pull"} and heard_by(product_reviews="non") == {"Service"}
    with pytest.raises(ConfigurationError, match="nothing would be heard"):
        collector(fake, brand_reviews="no", product_reviews="no")


def test_what_was_read_is_not_asked_for_again_but_for_three_days(fake: FakeAvisVerifies) -> None:
    fake.write("Ancien")
    fake.wait(days=10)
    fake.write("Récent")
    cursor = list(collector(fake).fetch(Watch(), None))[-1].cursor
    fake.wait(hours=1)
    list(collector(fake).fetch(Watch(), cursor))
    asked = fake.asked("/verified-reviews/v1/published/brands")[-1]
    assert asked.params["publish_date.gte"] == "2026-03-09T09:00:00Z" and asked.params["limit"] == "200"


def test_the_link_to_the_next_page_leads_nowhere_else(fake: FakeAvisVerifies) -> None:
    for number in range(7):
        fake.write(f"Avis {number}")
    found = [one for page in collector(fake).fetch(Watch(), None) for one in page.mentions]
    assert len(found) == 7  # the links of the fake point to another host
    assert avis_verifies._cursor_in("nonsense") == avis_verifies._cursor_in('<https://[>; rel="next"') == ""
    assert avis_verifies._cursor_in('<https://a?cursor=p>; rel="prev", <https://a?cursor=n>; rel="next"') == "n"


def test_answers_are_given_by_hand(fake: FakeAvisVerifies) -> None:
    assert not isinstance(collector(fake), CanReply)
    assert heard(REVIEW)[0].url == "https://app.netreviews.eu/"


def test_what_a_review_means() -> None:
    [mention] = heard(REVIEW)
    assert (mention.rating, mention.text, mention.lang_hint) == (2, "Taille trop grande", "fr")
    assert (mention.product, mention.order_ref) == ("PULL-01", "CMD-42")
    assert mention.author and mention.author.name == "Léa M."
    assert mention.created_at.isoformat() == "2026-03-01T10:00:00+00:00"
    assert heard({**REVIEW, "shop_name": "Lyon"})[0].store == "Lyon"


def test_what_is_said_below_a_review_is_a_conversation() -> None:
    review, ours, theirs = heard(OLD)
    assert [one.outbound for one in (review, ours, theirs)] == [False, True, False]
    assert {one.conversation_id for one in (review, ours, theirs)} == {"r-9"} and theirs.author == review.author
    assert review.raw["reply"] == {"count": 2} and "lea@mail.example" not in str(review.raw)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00+00:00"),
        ("1772438400", "2026-03-02T08:00:00+00:00"),
        ("31/12/2025", "2025-12-31T00:00:00+00:00"),
        ("31/12/2025 10:05", "2025-12-31T10:05:00+00:00"),
        ("31/13/2025", None),
        ("hier", None),
        ("", None),
    ],
)
def test_moments(written: str, moment: str | None) -> None:
    found = when(written)
    assert (found.isoformat() if found else None) == moment


@pytest.mark.parametrize(
    ("body", "count", "reasons"),
    [
        ([REVIEW, {**REVIEW, "review_id": "2"}], 2, []),
        ({"data": {"REF-1": [REVIEW], "REF-2": None, "REF-3": [OLD]}}, 4, ["no object"]),
        ([OLD], 3, []),
        (REVIEW, 1, []),
        ({"data": []}, 0, []),
        ([], 0, []),
        (
            [{**REVIEW, "review_id": None}, {**REVIEW, "review_date": {}, "publish_date": 3}, 7],
            0,
            ["id", "date", "object"],
        ),
        ({"message": "Unauthorized", "error": "invalid_token"}, 0, ["an error of the vendor"]),
        ([{**REVIEW, "comments": "x", "media": {"a": 1}, "review_rate": {"v": 3}}], 1, []),
    ],
)
def test_saved_answers(body: Any, count: int, reasons: list[str]) -> None:
    mapped = map_answer(body)
    assert len(mapped.mentions) == count and len(mapped.rejects) == len(reasons), mapped
    for reject, reason in zip(mapped.rejects, reasons, strict=True):
        assert reason in reject.reason
