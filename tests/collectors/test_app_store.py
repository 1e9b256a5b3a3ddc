"""The App Store: countries, what is left of the hour, tokens that we sign, and what its shapes mean."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from collectors import access_tokens, app_store, reviews_token
from collectors.app_store import AppStoreCollector
from collectors.app_store_map import heard, joined, map_answer
from domain.contracts import IdempotencyKey, Watch
from domain.errors import ConfigurationError, TransientError
from domain.mention import Mention
from tests.fakes.app_store import SETTINGS, FakeAppStore, sign
from tests.fakes.http_server import serve

REVIEW: dict[str, Any] = {
    "type": "customerReviews",
    "id": "r-1",
    "attributes": {
        "rating": 2,
        "title": "Bof",
        "body": "Le panier se vide",
        "reviewerNickname": "lea_m",
        "createdDate": "2026-03-01T11:00:00+01:00",
        "territory": "FRA",
    },
    "relationships": {"response": {"data": {"type": "customerReviewResponses", "id": "a-1"}}},
}
RESPONSE = {
    "type": "customerReviewResponses",
    "id": "a-1",
    "attributes": {"responseBody": "Merci", "lastModifiedDate": "2026-03-02T10:00:00Z", "state": "PENDING_PUBLISH"},
}


@pytest.fixture
def fake() -> Iterator[FakeAppStore]:
    access_tokens.forget_tokens()
    with serve(FakeAppStore()) as vendor:
        yield vendor


def collector(fake: FakeAppStore, **settings: str) -> AppStoreCollector:
    made = app_store.connect({**SETTINGS, **settings}, now=lambda: fake.clock, base=fake.base, sign=sign)
    assert isinstance(made, AppStoreCollector)
    return made


def read(fake: FakeAppStore, **settings: str) -> list[Mention]:
    return [one for page in collector(fake, **settings).fetch(Watch(), None) for one in page.mentions]


def test_only_the_countries_that_are_wanted_are_heard(fake: FakeAppStore) -> None:
    fake.write("France")
    fake.write("Belgique", territory="BEL")
    fake.write("USA", territory="USA")
    assert {one.text for one in read(fake, territories="fra, bel")} == {"France", "Belgique"}
    assert {one.raw["territory"] for one in read(fake)} == {"FRA", "BEL", "USA"}


def test_what_is_left_of_the_hour_is_kept_for_answers(fake: FakeAppStore) -> None:
    for number in range(30):
        fake.write(f"Avis {number}")
    fake.left = 355
    patient = collector(fake)
    with pytest.raises(TransientError, match="kept for answers") as caught:
        list(patient.fetch(Watch(), None))
    assert caught.value.retry_after is not None
    [mention] = heard(fake.shape(fake.reviews[0]), "900001")
    assert patient.reply(mention, "On regarde.", IdempotencyKey("key-1"))


def test_the_link_to_the_next_page_leads_nowhere_else() -> None:
    assert app_store._cursor_in("https://elsewhere.example/v1/x?limit=2&cursor=abc%2F1") == "abc/1"
    assert app_store._cursor_in("") == app_store._cursor_in("https://[") == ""


def test_an_app_that_is_no_number_or_not_ours_is_named(fake: FakeAppStore) -> None:
    with pytest.raises(ConfigurationError, match=r"“com\.ormelune\.shop”, which is no number"):
        collector(fake, apps="com.ormelune.shop")
    with pytest.raises(ConfigurationError, match="does not know the app"):
        collector(fake, apps="900009").check()


def test_what_a_review_and_our_answer_mean() -> None:
    [item] = joined({"data": [REVIEW], "included": [RESPONSE]})
    review, ours = heard(item, "900001", "com.ormelune.shop")
    assert (review.title, review.text, review.rating, review.product) == (
        "Bof",
        "Le panier se vide",
        2,
        "com.ormelune.shop",
    )
    assert review.created_at.isoformat() == "2026-03-01T10:00:00+00:00"
    assert review.url == "https://apps.apple.com/app/id900001?see-all=reviews"
    assert (ours.text, ours.raw["state"], ours.parent_id) == ("Merci", "PENDING_PUBLISH", "r-1")
    pointing = {**RESPONSE, "relationships": {"review": {"data": {"id": "r-1"}}}}
    bare = {key: value for key, value in REVIEW.items() if key != "relationships"}
    assert len(heard(joined({"data": [bare], "included": [pointing]})[0])) == 2


@pytest.mark.parametrize(
    ("body", "count", "reasons"),
    [
        ({"data": [REVIEW], "included": [RESPONSE], "links": {}}, 2, []),
        ({"data": REVIEW, "included": [RESPONSE]}, 2, []),
        ([{"data": [REVIEW]}, {"data": [{**REVIEW, "id": "r-2"}]}], 2, []),
        ({"data": []}, 0, []),
        ({"data": [REVIEW, None, "x", {"type": "apps", "id": "1"}]}, 1, ["object", "object", "no review"]),
        ({"data": [{**REVIEW, "attributes": None}, {**REVIEW, "id": None}]}, 0, ["date", "id"]),
        ({"errors": [{"title": "No", "detail": "Not yours"}]}, 0, ["Not yours"]),
        ({"data": 5}, 0, ["the list of reviews is none"]),
        ({"data": [REVIEW], "included": "x"}, 1, []),
    ],
)
def test_saved_answers(body: Any, count: int, reasons: list[str]) -> None:
    mapped = map_answer(body)
    assert len(mapped.mentions) == count and len(mapped.rejects) == len(reasons), mapped
    for reject, reason in zip(mapped.rejects, reasons, strict=True):
        assert reason in reject.reason


# -- tokens that we sign -----------------------------------------------------------------------------------------------------


def test_tokens_say_who_we_are_and_are_signed() -> None:
    token = reviews_token.jwt(
        {"iss": "me", "exp": 1}, "PEM", "ES256", key_id="K", sign=lambda m, p, a: m[-2:] + p.encode()
    )
    header, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(header) == {"alg": "ES256", "typ": "JWT", "kid": "K"}
    assert json.loads(claims) == {"iss": "me", "exp": 1} and signature.endswith(b"PEM")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_signatures_are_those_of_the_standard(algorithm: str) -> None:
    key: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for written in (pem, pem.replace("\n", "\\n"), f"  {pem.strip()}  "):  # as environments carry it
        signed = reviews_token.signature(b"message", written, algorithm)
        if algorithm == "ES256":
            assert len(signed) == 64
            der = utils.encode_dss_signature(int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big"))
            key.public_key().verify(der, b"message", ec.ECDSA(hashes.SHA256()))
        else:
            key.public_key().verify(signed, b"message", padding.PKCS1v15(), hashes.SHA256())
    other = "RS256" if algorithm == "ES256" else "ES256"
    for wrong, asked in (("no key", algorithm), ("", algorithm), (pem[:200], algorithm), (pem, other)):
        with pytest.raises(ConfigurationError, match="private key cannot be used") as caught:
            reviews_token.signature(b"message", wrong, asked)
        assert pem[30:60] not in str(caught.value)
