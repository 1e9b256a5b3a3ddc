"""Google's Business Profile interfaces on one machine: login, accounts, places, reviews and answers.

Built from Google Business Profile APIs: REST resource accounts.locations.reviews (v4) with the methods list, get and
updateReply, “Latest updates” (reviewReplyState, reviewReplyUrl), and Google Cloud APIs, “Errors”; read 2026-11-26. Places as
My Business Business Information API v1 lists them.
"""

from typing import Any

from tests.fakes.http_server import Reply, Request
from tests.fakes.reviews import FakeReviews, Review, iso, not_there

SETTINGS = {"client_id": "client-1", "client_secret": "secret-of-the-client", "refresh_token": "refresh-of-the-shop"}
WORDS = ("", "ONE", "TWO", "THREE", "FOUR", "FIVE")
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


CODES = {"111": "LYO-01", "222": ""}
TITLES = {"111": "Ormelune Lyon", "222": "Ormelune Nantes"}


class FakeGoogleBusiness(FakeReviews):
    """One account with two places.

    Attributes:
        verdict: what Google says of new answers.
    """

    places = ("111", "222")

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"accounts/77": "Ormelune"}
        self.verdict = "APPROVED"

    def refusal(self, status: int) -> Any:
        return {
            "error": {"code": status, "message": f"Refused with {status}.", "status": STATUSES.get(status, "INTERNAL")}
        }

    def handle(self, request: Request) -> Reply:
        if request.path == "/token":
            return self.token(request)
        if not self.let_in(request):
            return Reply(self.refusal(401), 401)
        match request.path.strip("/").split("/"):
            case ["v1", "accounts"]:
                return Reply({"accounts": [{"name": key, "accountName": name} for key, name in self.accounts.items()]})
            case ["v1", "accounts", "77", "locations"]:
                return Reply({"locations": list(map(self.place, self.places))})
            case ["v4", "accounts", "77", "locations", where, "reviews"] if where in self.places:
                return self.listed(request, where)
            case ["v4", "accounts", "77", "locations", _, "reviews", review_id]:
                found = self.get(review_id)
                return Reply(self.shape(found)) if found else not_there(self.refusal(404))
            case ["v4", "accounts", "77", "locations", _, "reviews", review_id, "reply"] if request.method == "PUT":
                return self.replied(request, self.get(review_id))
        return not_there(self.refusal(404))

    def token(self, request: Request) -> Reply:
        if not self.open or {key: request.data.get(key) for key in SETTINGS} != SETTINGS:
            return Reply({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400)
        return Reply(
            {"access_token": self.grant(), "expires_in": 3599, "scope": "business.manage", "token_type": "Bearer"}
        )

    def place(self, where: str) -> dict[str, Any]:
        shape = {
            "name": f"locations/{where}",
            "title": TITLES[where],
            "metadata": {"mapsUri": f"https://maps.example/{where}"},
        }
        return {**shape, "storeCode": CODES[where]} if CODES[where] else shape

    def listed(self, request: Request, where: str) -> Reply:
        if (
            request.params.get("orderBy", "updateTime desc") != "updateTime desc"
            or int(request.params.get("pageSize", "50")) > 50
        ):
            return Reply(self.refusal(400), 400)
        items = self.shown(where, lambda one: one.changed_at)
        page, following = self.piece(items, request.params.get("pageToken", ""), int(request.params["pageSize"]))
        body: dict[str, Any] = {"averageRating": 4.1, "totalReviewCount": len(items)}
        if page:
            body["reviews"] = list(map(self.shape, page))
        return Reply({**body, "nextPageToken": following} if following else body)

    def replied(self, request: Request, review: Review | None) -> Reply:
        if review is None:
            return not_there(self.refusal(404))
        text = request.data["comment"]
        if len(text.encode()) > 4096:
            return Reply(self.refusal(400), 400)
        self.sent.append((review.id, text))
        self.answer(review, text)
        return Reply(self.reply(review))

    def reply(self, review: Review) -> dict[str, Any]:
        assert review.reply_at
        shape = {"comment": review.reply, "updateTime": iso(review.reply_at), "reviewReplyState": self.verdict}
        return {**shape, "policyViolation": "OFF_TOPIC"} if self.verdict == "REJECTED" else shape

    def shape(self, review: Review) -> dict[str, Any]:
        name = f"accounts/77/locations/{review.where}/reviews/{review.id}"
        shape: dict[str, Any] = {
            "name": name,
            "reviewId": review.id,
            "reviewer": {
                "displayName": review.name,
                "profilePhotoUrl": "https://photos.example/a",
                "isAnonymous": False,
            },
            "starRating": WORDS[review.stars],
            "createTime": iso(review.at),
            "updateTime": iso(review.changed_at),
            "reviewReplyUrl": f"https://business.google.com/reviews/{review.id}",
        }
        if review.text:
            shape["comment"] = review.text
        if review.reply:
            shape["reviewReply"] = self.reply(review)
        return {**shape, **review.fields}
