"""The Google Play Developer API on one machine: login, the reviews of a week, and answers.

Built from Google Play Developer API v3, resource reviews (list: the last week only, the last changed first; reply: takes the
place of an earlier one, refused above about 350 characters), “Reply to Reviews”; read 2026-11-26.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.http_server import Reply, Request
from tests.fakes.reviews import FakeReviews, Review, not_there

ACCOUNT = {
    "client_email": "shop@project.example",
    "private_key": "-----BEGIN PRIVATE KEY-----\nsecret",
    "private_key_id": "k1",
}
SETTINGS = {"packages": "com.ormelune.shop, com.ormelune.club", "service_account": json.dumps(ACCOUNT)}


def sign(message: bytes, pem: str, algorithm: str) -> bytes:
    """Stands in for `reviews_token.signature`."""
    return f"{algorithm} by {pem[-6:]}".encode()


class FakeGooglePlay(FakeReviews):
    """One Play Console with two apps."""

    places = ("com.ormelune.shop", "com.ormelune.club")

    def refusal(self, status: int) -> Any:
        return {"error": {"code": status, "message": f"Refused with {status}.", "errors": [{"reason": "odd"}]}}

    def handle(self, request: Request) -> Reply:
        if request.path == "/token":
            return self.token(request)
        if not self.let_in(request):
            return Reply(self.refusal(401), 401)
        match request.path.removeprefix("/androidpublisher/v3/applications/").split("/"):
            case [where, "reviews"] if where in self.places:
                return self.listed(request, where)
            case [_, "reviews", name] if name.endswith(":reply") and request.method == "POST":
                return self.replied(request, self.get(name.removesuffix(":reply")))
            case [_, "reviews", review_id]:
                found = self.get(review_id)
                return Reply(self.shape(found)) if found else not_there(self.refusal(404))
        return not_there(self.refusal(404))

    def token(self, request: Request) -> Reply:
        told = request.data
        if told.get("grant_type") == "refresh_token":
            good = told.get("refresh_token") == "refresh-of-the-shop"
        else:
            _, claims, signature = told["assertion"].split(".")
            said = json.loads(base64.urlsafe_b64decode(claims + "=="))
            good = said["iss"] == ACCOUNT["client_email"] and said["exp"] - said["iat"] <= 3600 and bool(signature)
        if not (good and self.open):
            return Reply({"error": "invalid_grant", "error_description": "Invalid grant: account not found"}, 400)
        return Reply({"access_token": self.grant(), "expires_in": 3599, "token_type": "Bearer"})

    def listed(self, request: Request, where: str) -> Reply:
        week = [
            one
            for one in self.shown(where, lambda one: one.changed_at)
            if self.clock - one.changed_at < timedelta(days=7)
        ]
        written = [one for one in week if one.text]
        page, following = self.piece(
            written, request.params.get("token", ""), int(request.params.get("maxResults", "10"))
        )
        body: dict[str, Any] = {"reviews": list(map(self.shape, page))} if page else {}
        return Reply({**body, "tokenPagination": {"nextPageToken": following}} if following else body)

    def replied(self, request: Request, review: Review | None) -> Reply:
        if review is None:
            return not_there(self.refusal(404))
        text = request.data["replyText"]
        if len(text) > 350:
            return Reply(self.refusal(400), 400)
        self.sent.append((review.id, text))
        self.answer(review, text)
        return Reply({"result": {"replyText": text, "lastEdited": stamp(self.clock)}})

    def shape(self, review: Review) -> dict[str, Any]:
        comment = {
            "text": f"{review.title}\t{review.text}",
            "lastModified": stamp(review.changed_at),
            "starRating": review.stars,
            "reviewerLanguage": "fr",
            "device": "panther",
            "androidOsVersion": 34,
            "appVersionCode": 812,
            "appVersionName": "8.1.2",
            "thumbsUpCount": 2,
            "thumbsDownCount": 0,
            "deviceMetadata": {"productName": "panther"},
        }
        comments: list[Any] = [{"userComment": comment}]
        if review.reply and review.reply_at:
            comments.append({"developerComment": {"text": review.reply, "lastModified": stamp(review.reply_at)}})
        return {"reviewId": review.id, "authorName": review.name, "comments": comments, **review.fields}


def stamp(moment: datetime) -> dict[str, Any]:
    return {"seconds": str(int(moment.timestamp())), "nanos": 713_000_000}
