"""Trustpilot's interface on one machine: login, shops, their public and private reviews, reviews of products, answers.

Built from Trustpilot Developers, “Authentication overview”, “Client credentials” and “Business Units overview”, read
2026-11-26; lists, fields and the answer as the public connector PipedreamHQ/pipedream (components/trustpilot) uses them.
Errors of the gateway come as `fault`.
"""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.http_server import Reply, Request
from tests.fakes.reviews import FakeReviews, Review, iso, not_there

SETTINGS = {
    "business_units": "ormelune.example",
    "api_key": "key-of-the-shop",
    "api_secret": "secret-of-the-shop",
    "business_user_id": "user-1",
    "product_reviews": "yes",
}
UNIT = "5f0000000000000000000001"


class FakeTrustpilot(FakeReviews):
    """One shop; `where` is the shop, or ``products``."""

    places = (UNIT, "products")

    def refusal(self, status: int) -> Any:
        return {"fault": {"faultstring": f"Refused with {status}.", "detail": {"errorcode": "odd"}}}

    def new_id(self, number: int) -> str:
        return f"{number:024x}"

    def handle(self, request: Request) -> Reply:
        path = request.path.removeprefix("/v1/")
        if path == "oauth/oauth-business-users-for-applications/accesstoken":
            return self.token(request)
        private = path.startswith("private/")
        good = self.let_in(request) if private else request.headers.get("apikey") == SETTINGS["api_key"]
        if not (good and self.open):
            return Reply(self.refusal(401), 401)
        match path.removeprefix("private/").split("/"):
            case ["business-units", "find"]:
                known = request.params.get("name") == "ormelune.example"
                return Reply({"id": UNIT, "displayName": "Ormelune"}) if known else not_there(self.refusal(404))
            case ["business-units", unit, "reviews"] if unit == UNIT:
                return self.listed(request, private)
            case ["product-reviews", "business-units", unit, "reviews"] if unit == UNIT and private:
                items = self.shown("products", lambda one: one.id, newest_first=False)
                return Reply({"productReviews": list(map(self.shape, self.numbered(request, items))), "links": []})
            case ["reviews", review_id] | ["product-reviews", review_id]:
                found = self.get(review_id)
                return Reply(self.shape(found, private)) if found else not_there(self.refusal(404))
            case ["reviews", review_id, "reply"] if request.method == "POST" and private:
                return self.replied(request, self.get(review_id))
        return not_there(self.refusal(404))

    def token(self, request: Request) -> Reply:
        good = self.basic(request) == (SETTINGS["api_key"], SETTINGS["api_secret"])
        if not (good and self.open and request.data == {"grant_type": "client_credentials"}):
            return Reply({"error": "invalid_client", "reason": "The secret is not known."}, 401)
        return Reply({"access_token": self.grant(), "expires_in": "359999"})

    def numbered(self, request: Request, items: list[Review]) -> list[Review]:
        size = int(request.params.get("perPage", "20"))
        start = (int(request.params.get("page", "1")) - 1) * size
        return items[start : start + size]

    def listed(self, request: Request, private: bool) -> Reply:
        order = request.params.get("orderBy", "createdat.desc")
        items = self.shown(UNIT, lambda one: one.at, newest_first=order.endswith("desc"))
        since = request.params.get("startDateTime") if private else None
        if since:
            floor = datetime.fromisoformat(since).replace(tzinfo=UTC)
            items = [one for one in items if one.at >= floor]
        return Reply({"links": [], "reviews": [self.shape(one, private) for one in self.numbered(request, items)]})

    def replied(self, request: Request, review: Review | None) -> Reply:
        if review is None:
            return not_there(self.refusal(404))
        if request.data.get("authorBusinessUserId") != "user-1":
            return Reply(self.refusal(403), 403)
        self.sent.append((review.id, request.data["message"]))
        self.answer(review, request.data["message"])
        return Reply(None, 201)

    def shape(self, review: Review, private: bool = True) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "links": [],
            "id": review.id,
            "consumer": {"links": [], "id": f"c-{review.id[-4:]}", "displayName": review.name, "numberOfReviews": 3},
            "stars": review.stars,
            "language": "fr",
            "createdAt": iso(review.at),
            "updatedAt": iso(review.changed_at) if review.changed_at != review.at else None,
        }
        if review.where == "products":
            product = {
                "id": "p-1",
                "sku": "PULL-01",
                "name": "Pull marin",
                "productUrl": "https://ormelune.example/p/1",
            }
            shape |= {"content": review.text, "product": product, "state": "published", "referenceId": "CMD-77"}
        else:
            unit = {"id": UNIT, "identifyingName": "ormelune.example"}
            shape |= {
                "title": review.title,
                "text": review.text,
                "businessUnit": unit,
                "status": "active",
                "numberOfLikes": 1,
            }
            shape |= (
                {"location": "Ormelune Lyon", "referenceId": "CMD-42", "referralEmail": "lea@mail.example"}
                if private
                else {}
            )
        if review.reply and review.reply_at:
            shape["companyReply"] = {"text": review.reply, "createdAt": iso(review.reply_at), "updatedAt": None}
        return {**shape, **review.fields}
