"""The App Store Connect API on one machine: tokens that we sign, the reviews of apps, and answers.

Built from App Store Connect API: “Customer Review Responses”, “Create or update a response to a customer review”,
“Identifying Rate Limits” (X-Rate-Limit), read 2026-11-26; CustomerReview, paging (links.next) and error objects as JSON:API
and public clients have them.
"""

import base64
import json
from typing import Any

from tests.fakes.http_server import Reply, Request
from tests.fakes.reviews import FakeReviews, Review, iso, not_there

SETTINGS = {
    "apps": "900001, 900002",
    "issuer_id": "issuer-1",
    "key_id": "KEY1",
    "private_key": "-----BEGIN PRIVATE KEY-----\\nsecret",
}


BUNDLES = {"900001": "com.ormelune.shop", "900002": "com.ormelune.club"}


def sign(message: bytes, pem: str, algorithm: str) -> bytes:
    """Stands in for `reviews_token.signature`."""
    return f"{algorithm} by {pem[-6:]}".encode()


class FakeAppStore(FakeReviews):
    """One team with two apps.

    Attributes:
        left: questions that the key may still ask this hour.
    """

    places = ("900001", "900002")

    def __init__(self) -> None:
        super().__init__()
        self.left = 3_500
        self.expired = False

    def refusal(self, status: int) -> Any:
        codes = {401: "NOT_AUTHORIZED", 403: "FORBIDDEN_ERROR", 404: "NOT_FOUND", 429: "RATE_LIMIT_EXCEEDED"}
        error = {
            "status": str(status),
            "code": codes.get(status, "ODD"),
            "title": "No",
            "detail": f"Refused with {status}.",
        }
        return {"errors": [error]}

    def expire(self) -> None:
        self.expired = True

    def let_in(self, request: Request) -> bool:
        parts = request.headers.get("authorization", "").removeprefix("Bearer ").split(".")
        if len(parts) != 3 or not self.open:
            return False
        if self.expired:  # the next one is new
            self.expired = False
            return False
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
        good = (header["alg"], header["kid"], claims["iss"]) == ("ES256", "KEY1", "issuer-1")
        return good and claims["aud"] == "appstoreconnect-v1" and claims["exp"] - claims["iat"] <= 1_200

    def handle(self, request: Request) -> Reply:
        reply = self.routed(request) if self.let_in(request) else Reply(self.refusal(401), 401)
        self.left -= 1
        limits = {"X-Rate-Limit": f"user-hour-lim:3500;user-hour-rem:{self.left};"}
        return Reply(reply.data, reply.status, {**limits, **reply.headers})

    def routed(self, request: Request) -> Reply:
        match request.path.strip("/").split("/"):
            case ["v1", "apps", where] if where in self.places:
                return Reply({"data": {"type": "apps", "id": where, "attributes": {"bundleId": BUNDLES[where]}}})
            case ["v1", "apps", where, "customerReviews"] if where in self.places:
                return self.listed(request, where)
            case ["v1", "customerReviews", review_id]:
                found = self.get(review_id)
                return Reply(self.body([found], one=True)) if found else not_there(self.refusal(404))
            case ["v1", "customerReviewResponses"] if request.method == "POST":
                data = request.data["data"]
                review_id = data["relationships"]["review"]["data"]["id"]
                return self.replied(data["attributes"]["responseBody"], self.get(review_id))
        return not_there(self.refusal(404))

    def listed(self, request: Request, where: str) -> Reply:
        items = self.shown(where, lambda one: one.changed_at)
        territories = request.params.get("filter[territory]", "").split(",")
        items = [one for one in items if territories == [""] or one.fields.get("territory", "FRA") in territories]
        limit = int(request.params.get("limit", "50"))
        page, following = self.piece(items, request.params.get("cursor", ""), limit)
        links = {"self": self.base + request.path}
        if following:
            links["next"] = f"{self.base}{request.path}?cursor={following}&limit={limit}&sort=-createdDate"
        return Reply({**self.body(page), "links": links, "meta": {"paging": {"total": len(items), "limit": limit}}})

    def replied(self, text: str, review: Review | None) -> Reply:
        if review is None:
            return not_there(self.refusal(404))
        if len(text) > 5_970:
            return Reply(self.refusal(409), 409)
        self.sent.append((review.id, text))
        self.answer(review, text)
        return Reply({"data": self.response(review)}, 201)

    def response(self, review: Review) -> dict[str, Any]:
        assert review.reply_at
        told = {"responseBody": review.reply, "lastModifiedDate": iso(review.reply_at), "state": "PUBLISHED"}
        about = {"review": {"data": {"type": "customerReviews", "id": review.id}}}
        return {
            "type": "customerReviewResponses",
            "id": f"answer-{review.id}",
            "attributes": told,
            "relationships": about,
        }

    def body(self, reviews: list[Review], *, one: bool = False) -> dict[str, Any]:
        items = list(map(self.shape, reviews))
        included = [self.response(review) for review in reviews if review.reply]
        body: dict[str, Any] = {"data": items[0] if one else items}
        return {**body, "included": included} if included else body

    def shape(self, review: Review) -> dict[str, Any]:
        told = {
            "rating": review.stars,
            "title": review.title or "Avis",
            "body": review.text,
            "reviewerNickname": review.name,
            "createdDate": iso(review.changed_at),
            "territory": review.fields.get("territory", "FRA"),
        }
        linked = {"type": "customerReviewResponses", "id": f"answer-{review.id}"} if review.reply else None
        relations = {"response": {"data": linked}} if linked else {"response": {"links": {}}}
        shape = {"type": "customerReviews", "id": review.id, "attributes": told, "relationships": relations}
        return {**shape, **{key: value for key, value in review.fields.items() if key != "territory"}}
