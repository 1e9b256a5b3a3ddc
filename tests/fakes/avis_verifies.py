"""Skeepers' Published API (Avis Vérifiés) on one machine: login, reviews of the shop and of its products.

Built from Skeepers API documentation, “Published API” and “Migrating to the new Published API”, read 2026-11-26; the fields of
a review, publish_date.gte and the Link header as public integrations use them. The shop's reviews are given the fields of the
products' ones: theirs could not be read.
"""

from datetime import datetime
from typing import Any

from tests.fakes.http_server import Reply, Request
from tests.fakes.reviews import FakeReviews, Review, iso, not_there

SETTINGS = {"client_id": "client-1", "client_secret": "secret-of-the-client"}


class FakeAvisVerifies(FakeReviews):
    """One account."""

    places = ("brands", "products")

    def refusal(self, status: int) -> Any:
        return {"message": f"Refused with {status}."}

    def handle(self, request: Request) -> Reply:
        if request.path == "/realms/skeepers/protocol/openid-connect/token":
            return self.token(request)
        if not self.let_in(request):
            return Reply(self.refusal(401), 401)
        match request.path.removeprefix("/verified-reviews/v1/published/").split("/"):
            case [where, "reviews"] if where in self.places:
                return self.listed(request, where)
        return not_there(self.refusal(404))

    def token(self, request: Request) -> Reply:
        wanted = {"grant_type": "client_credentials", "audience": "verified-reviews"}
        if not self.open or self.basic(request) != tuple(SETTINGS.values()) or request.data != wanted:
            return Reply({"error": "invalid_client", "error_description": "Invalid client credentials"}, 401)
        return Reply({"access_token": self.grant(), "expires_in": 300, "token_type": "Bearer"})

    def listed(self, request: Request, where: str) -> Reply:
        items = self.shown(where, lambda one: one.at, newest_first=False)
        since = request.params.get("publish_date.gte")
        if since:
            items = [one for one in items if one.at >= datetime.fromisoformat(since)]
        limit = int(request.params.get("limit", "50"))
        page, following = self.piece(items, request.params.get("cursor", ""), limit)
        link = f'<https://elsewhere.example{request.path}?cursor={following}&limit={limit}>; rel="next"'
        return Reply(list(map(self.shape, page)), headers={"Link": link} if following else {})

    def shape(self, review: Review) -> dict[str, Any]:
        shape = {
            "review_id": review.id,
            "order_reference": "CMD-42",
            "author_firstname": review.name.split(" ", maxsplit=1)[0],
            "author_lastname": review.name.split(" ")[-1],
            "review_content": review.text,
            "review_rate": review.stars,
            "locale": "fr_FR",
            "is_verified": True,
            "review_date": iso(review.at),
            "publish_date": iso(review.at),
        }
        if review.where == "products":
            shape |= {
                "product_variation_id": "PULL-01",
                "product_name": "Pull marin",
                "product_page_url": "https://shop.example/p",
            }
        if review.reply and review.reply_at:
            comment = {"comment_date": iso(review.reply_at), "comment_origin": "1", "comment": review.reply}
            shape["comments"] = [comment]
        return {**shape, **review.fields}
