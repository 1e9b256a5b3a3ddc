"""Trustpilot: public reading and private answering, one answer only, lists that shift, and what its shapes mean."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from collectors import access_tokens, trustpilot, trustpilot_read
from collectors.trustpilot import TrustpilotCollector
from collectors.trustpilot_map import heard, map_answer
from domain.contracts import IdempotencyKey, Watch
from domain.errors import ConfigurationError, OutcomeUnknownError, RefusedError
from domain.mention import Mention
from tests.fakes.http_server import serve
from tests.fakes.trustpilot import SETTINGS, UNIT, FakeTrustpilot

KEY = IdempotencyKey("key-1")
REVIEW: dict[str, Any] = {
    "id": "5e3de1b45fb06f0001790b51",
    "consumer": {"id": "c-1", "displayName": "Léa M."},
    "stars": 2,
    "title": "Bof",
    "text": "Livraison lente",
    "language": "fr",
    "createdAt": "2026-03-01T10:00:00.000Z",
    "referenceId": "CMD-42",
    "location": {"id": "l-1", "name": "Ormelune Lyon"},
    "referralEmail": "lea@mail.example",
}
PUBLIC = {"api_secret": "", "business_user_id": "", "product_reviews": ""}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTrustpilot]:
    access_tokens.forget_tokens()
    monkeypatch.setattr(trustpilot_read, "PAGE_SIZE", 3)
    with serve(FakeTrustpilot()) as vendor:
        yield vendor


def collector(fake: FakeTrustpilot, *, timeout: float = 5.0, **settings: str) -> TrustpilotCollector:
    made = trustpilot.connect({**SETTINGS, **settings}, now=lambda: fake.clock, base=fake.base, timeout=timeout)
    assert isinstance(made, TrustpilotCollector)
    return made


def read(fake: FakeTrustpilot, **settings: str) -> list[Mention]:
    return [one for page in collector(fake, **settings).fetch(Watch(), None) for one in page.mentions]


def test_with_a_key_alone_the_public_reviews_are_read_and_nothing_is_answered(fake: FakeTrustpilot) -> None:
    for number in range(8):
        fake.write(f"Avis {number}")
    collector(fake, **PUBLIC).check()
    mentions = read(fake, **PUBLIC)
    assert {one.native_id for one in mentions} == {one.id for one in fake.reviews} and fake.granted == 0
    told = collector(fake, **PUBLIC).may_reply(mentions[0])
    assert not told.allowed and "api_secret" in told.reason
    with pytest.raises(RefusedError, match="api_secret"):
        collector(fake, **PUBLIC).reply(mentions[0], "Merci", KEY)
    assert "business_user_id" in collector(fake, business_user_id="").may_reply(mentions[0]).reason
    page = collector(fake, **PUBLIC).rehydrate(mentions)
    assert not page.deleted
    with pytest.raises(ConfigurationError, match="api_secret"):
        collector(fake, **{**PUBLIC, "product_reviews": "yes"}).check()


def test_what_is_removed_while_a_list_is_read_hides_nothing(fake: FakeTrustpilot) -> None:
    for number in range(12):
        fake.write(f"Avis {number}")
    run = collector(fake).fetch(Watch(), None)
    found = {one.native_id for one in next(run).mentions}
    for _ in range(3):
        fake.remove(fake.reviews[0])
    found |= {one.native_id for page in run for one in page.mentions}
    assert {one.id for one in fake.reviews} <= found


def test_many_reviews_of_one_second_are_all_read(fake: FakeTrustpilot) -> None:
    for _ in range(11):
        fake.write("Lancement !", after=0)
    fake.write("Après")
    assert len(read(fake)) == 12


def test_another_answer_of_ours_is_never_overwritten(fake: FakeTrustpilot) -> None:
    review = fake.write("Bof", 2)
    [mention] = read(fake)
    fake.answer(review, "Répondu sur Trustpilot même.")
    with pytest.raises(RefusedError, match="another answer of ours"):
        collector(fake).reply(mention, "Bonjour.", KEY)
    assert collector(fake).reply(mention, "Répondu sur Trustpilot même", KEY) and fake.sent == []


def test_it_cannot_be_looked_whether_we_answered_so_nothing_is_sent(fake: FakeTrustpilot) -> None:
    fake.write("Bof", 2)
    [mention] = read(fake)
    fake.fail("status", path="/v1/private/reviews/", method="GET", status=503)
    with pytest.raises(Exception, match="out of order") as caught:
        collector(fake).reply(mention, "Bonjour.", KEY)
    assert not isinstance(caught.value, OutcomeUnknownError) and fake.sent == []


def test_reviews_of_products_are_heard_and_answered_elsewhere(fake: FakeTrustpilot) -> None:
    fake.write("Trop grand", 3, where="products")
    [mention] = read(fake)
    assert (mention.product, mention.order_ref, mention.store) == ("PULL-01", "CMD-77", None)
    assert mention.url == "https://ormelune.example/p/1"
    told = collector(fake).may_reply(mention)
    assert not told.allowed and "Trustpilot Business" in told.reason
    assert read(fake, product_reviews="no") == []


def test_an_edited_review_of_a_product_comes_again(fake: FakeTrustpilot) -> None:
    review = fake.write("Trop grand", 3, where="products")
    cursor = list(collector(fake).fetch(Watch(), None))[-1].cursor
    fake.wait(days=90)
    fake.edit(review, "Échangé, merci", 5)
    fake.wait(minutes=1)
    changed = [one for page in collector(fake).fetch(Watch(), cursor) for one in page.changed]
    assert [(one.text, one.rating) for one in changed] == [("Échangé, merci", 5)]


def test_a_shop_that_is_not_known_is_named(fake: FakeTrustpilot) -> None:
    with pytest.raises(ConfigurationError, match=r"knows no shop “nowhere\.example”"):
        collector(fake, business_units="nowhere.example").check()
    with pytest.raises(ConfigurationError, match="does not know the shop"):
        collector(fake, business_units="5f0000000000000000000009").check()
    collector(fake, business_units=UNIT).check()
    with pytest.raises(ConfigurationError, match="product_reviews says “maybe”"):
        collector(fake, product_reviews="maybe")


def test_a_user_who_may_not_answer_is_told(fake: FakeTrustpilot) -> None:
    fake.write("Bof")
    [mention] = read(fake)
    with pytest.raises(ConfigurationError, match=r"Refused with 403.*business_user_id"):
        collector(fake, business_user_id="user-2").reply(mention, "Merci", KEY)


def test_what_a_review_means() -> None:
    reply = {"text": "Désolés", "createdAt": "2026-03-02T10:00:00Z", "authorBusinessUserName": "Awa"}
    review, ours = heard({**REVIEW, "companyReply": reply})
    assert (review.rating, review.title, review.text, review.lang_hint) == (2, "Bof", "Livraison lente", "fr")
    assert (review.store, review.order_ref) == ("Ormelune Lyon", "CMD-42")
    assert review.author and (review.author.native_id, review.author.name) == ("c-1", "Léa M.")
    assert review.url == "https://www.trustpilot.com/reviews/5e3de1b45fb06f0001790b51"
    assert "lea@mail.example" not in str(review.raw)
    assert ours.created_at - review.created_at == timedelta(days=1) and ours.raw["authorBusinessUserName"] == "Awa"
    assert heard({**REVIEW, "consumer": {"displayName": "Léa"}})[0].author != replace(review).author


@pytest.mark.parametrize(
    ("body", "count", "reasons"),
    [
        ({"links": [], "reviews": [REVIEW]}, 1, []),
        ({"productReviews": [{**REVIEW, "content": "Bien", "product": {"sku": "A"}}]}, 1, []),
        (REVIEW, 1, []),
        (
            {"reviews": [{"id": "a", "rating": 4, "dates": {"publishedDate": "2025-01-01T10:00:00Z"}, "consumer": {}}]},
            1,
            [],
        ),
        ({"reviews": [{**REVIEW, "reply": {"message": "Merci", "publishedDate": "2026-03-02T10:00:00Z"}}]}, 2, []),
        ({"reviews": [{**REVIEW, "createdAt": None}, {**REVIEW, "id": []}, None]}, 0, ["date", "id", "object"]),
        ({"reviews": [{**REVIEW, "title": "", "text": None, "stars": 9}]}, 0, ["neither words nor stars"]),
        ({"fault": {"faultstring": "Invalid API key"}}, 0, ["Invalid API key"]),
        ({"links": [], "reviews": []}, 0, []),
    ],
)
def test_saved_answers(body: Any, count: int, reasons: list[str]) -> None:
    mapped = map_answer(body)
    assert len(mapped.mentions) == count and len(mapped.rejects) == len(reasons), mapped
    for reject, reason in zip(mapped.rejects, reasons, strict=True):
        assert reason in reject.reason
