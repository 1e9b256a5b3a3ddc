"""A YouTube with one channel of ours: OAuth, comment threads, answers, moderation, search, a quota of units.

Shapes: YouTube Data API v3, resources commentThread, comment, channel and searchResult, and Google's error object with
`errors[].reason`; read 2026-11-22. That a rejected comment is shown no more was not verified. All people are invented.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

CHANNEL, BRAND = "UCormelune0000000000000000", "@ormelune"
SETTINGS = {
    "channel_id": CHANNEL,
    "client_id": "client-of-the-shop",
    "client_secret": "secret-of-the-client-0123",
    "refresh_token": "refresh-of-the-channel-0123",
}
START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
UNITS = {"search": 0, "write": 50, "list": 1}


@dataclass
class Said:
    """A comment, or an answer below one."""

    key: str
    author: str
    text: str
    at: datetime
    parent: "Said | None" = None
    updated_at: datetime | None = None
    hidden: bool = False
    can_reply: bool = True
    fields: dict[str, Any] | None = None


class FakeYoutube(FakeVendor):
    """Google's two hosts in one.

    Args:
        page_limit: items of a page; shown: answers that a thread shows.
    """

    def __init__(self, *, page_limit: int = 100, shown: int = 5, quota: int = 10_000) -> None:
        super().__init__()
        self.page_limit, self.shown, self.quota = page_limit, shown, quota
        self.used = 0
        self.searches_left = 100
        self.disabled = False
        self.tokens: list[str] = []
        self.revoked = self.limited = self.upside_down = False
        self.said: list[Said] = []
        self.videos: list[dict[str, Any]] = []
        self.clock = START

    # -- the story -------------------------------------------------------------------------------------------------------

    def say(self, author: str, text: str, *, parent: Said | None = None, after: float = 1, **fields: Any) -> Said:
        """Somebody comments, `after` minutes later; an answer to an answer hangs below the first comment."""
        self.clock += timedelta(minutes=after)
        top = parent.parent or parent if parent else None
        number = len(self.said)
        key = f"{top.key}.a{number:03}" if top else f"Ug{number:04}"
        said = Said(key, author, text, self.clock, top, **fields)
        self.said.append(said)
        return said

    def edit(self, said: Said, text: str) -> None:
        self.clock += timedelta(minutes=1)
        said.text, said.updated_at = text, self.clock

    def get(self, key: str) -> Said | None:
        return next((one for one in self.said if one.key == key), None)

    def of(self, author: str) -> list[Said]:
        return [one for one in self.said if one.author == author]

    # -- the interface ---------------------------------------------------------------------------------------------------

    def refusal(self, status: int) -> Any:
        return self.error(
            status, {401: "authError", 403: "forbidden", 429: "rateLimitExceeded"}.get(status, "backendError")
        ).data

    @staticmethod
    def error(status: int, reason: str) -> Reply:
        told = {"message": f"It failed: {reason}.", "domain": "youtube.quota", "reason": reason}
        return Reply({"error": {"code": status, "message": told["message"], "errors": [told]}}, status)

    def handle(self, request: Request) -> Reply:
        if request.path == "/token":
            return self.token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self.error(401, "authError")
        what = request.path.removeprefix("/youtube/v3/")
        self.used += (
            UNITS["search"] if what == "search" else UNITS["list"] if request.method == "GET" else UNITS["write"]
        )
        if self.used > self.quota:
            return self.error(403, "quotaExceeded")
        if self.limited:
            return self.error(403, "insufficientPermissions")
        return self.routed(request, what)

    def token(self, request: Request) -> Reply:
        form = request.data or {}
        if self.revoked or form.get("refresh_token") != SETTINGS["refresh_token"]:
            return Reply({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400)
        self.tokens.append(f"access-token-{len(self.tokens)}-0123456789")
        return Reply({"access_token": self.tokens[-1], "expires_in": 3_599, "token_type": "Bearer"})

    def routed(self, request: Request, what: str) -> Reply:
        match (request.method, what):
            case ("GET", "channels"):
                return Reply(
                    {"kind": "youtube#channelListResponse", "items": [{"kind": "youtube#channel", "id": CHANNEL}]}
                )
            case ("GET", "commentThreads"):
                assert request.params["allThreadsRelatedToChannelId"] == CHANNEL
                if self.disabled:
                    return self.error(403, "commentsDisabled")
                tops = [one for one in self.said if one.parent is None and not one.hidden]
                return self.page(
                    request, [self.thread(one) for one in sorted(tops, key=lambda one: one.at, reverse=True)]
                )
            case ("GET", "comments"):
                return self.comments(request)
            case ("GET", "search"):
                self.searches_left -= 1
                return self.page(request, self.videos) if self.searches_left >= 0 else self.error(403, "quotaExceeded")
            case ("POST", "comments"):
                return self.answer(request)
            case ("POST", "comments/setModerationStatus"):
                said = self.get(request.params["id"])
                if said is None:
                    return self.error(404, "commentNotFound")
                said.hidden = request.params["moderationStatus"] == "rejected"
                return Reply(None, 204)
            case ("DELETE", "comments"):
                said = self.get(request.params["id"])
                if said is None:
                    return self.error(404, "commentNotFound")
                self.said.remove(said)
                return Reply(None, 204)
        return self.error(404, "notFound")

    def comments(self, request: Request) -> Reply:
        if request.params.get("id"):
            keys = request.params["id"].split(",")
            assert len(keys) <= 50
            there = [self.comment(one) for key in keys if (one := self.get(key)) and not one.hidden]
            return Reply({"kind": "youtube#commentListResponse", "items": there})  # no pages where ids are asked for
        top = self.get(request.params["parentId"])
        if top is None:
            return self.error(404, "commentNotFound")
        return self.page(request, [self.comment(one) for one in self.said if one.parent is top and not one.hidden])

    def answer(self, request: Request) -> Reply:
        told = (request.data or {})["snippet"]
        top = self.get(told["parentId"])
        if top is None:
            return self.error(404, "parentCommentNotFound")
        if not top.can_reply:
            return self.error(403, "forbidden")
        return Reply(self.comment(self.say(BRAND, told["textOriginal"], parent=top, after=0)))

    def page(self, request: Request, items: list[Any]) -> Reply:
        start = int(request.params.get("pageToken") or 0)
        limit = min(int(request.params.get("maxResults", "5")), self.page_limit)
        chosen = items[start : start + limit]
        more = {"nextPageToken": str(start + limit)} if start + limit < len(items) else {}
        return Reply({"kind": "youtube#listResponse", "items": chosen[::-1] if self.upside_down else chosen, **more})

    # -- shapes ----------------------------------------------------------------------------------------------------------

    @staticmethod
    def comment(one: Said) -> dict[str, Any]:
        channel = CHANNEL if one.author == BRAND else f"UC{one.author}"
        stamp = one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        snippet = {
            "channelId": CHANNEL,
            "textDisplay": one.text,
            "textOriginal": one.text,
            "authorDisplayName": one.author if one.author.startswith("@") else f"@{one.author}",
            "authorChannelId": {"value": channel},
            "likeCount": 0,
            "publishedAt": stamp,
            "updatedAt": one.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ") if one.updated_at else stamp,
            **({"parentId": one.parent.key} if one.parent else {"videoId": "vid00000001"}),
            **(one.fields or {}),
        }
        return {"kind": "youtube#comment", "etag": "e", "id": one.key, "snippet": snippet}

    def thread(self, top: Said) -> dict[str, Any]:
        below = [one for one in self.said if one.parent is top and not one.hidden]
        snippet = {
            "channelId": CHANNEL,
            "videoId": "vid00000001",
            "topLevelComment": self.comment(top),
            "canReply": top.can_reply,
            "totalReplyCount": len(below),
            "isPublic": True,
        }
        shown = {"replies": {"comments": [self.comment(one) for one in below[: self.shown]]}} if below else {}
        return {"kind": "youtube#commentThread", "etag": "e", "id": top.key, "snippet": snippet, **shown}
