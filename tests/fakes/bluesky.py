"""A Bluesky service on this machine: an account's server and the view of the network in one, as https://bsky.social is.

Built from the lexicons app.bsky.feed, app.bsky.notification, com.atproto.repo, com.atproto.server and com.atproto.identity
(repository bluesky-social/atproto of 2026-08-20), and from “Rate Limits” and “Timestamps” of the Bluesky documentation
(repository bluesky-social/bsky-docs of 2026-04-21), read 2026-11-26. Tokens expire when the test says so.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

HANDLE, PASSWORD = "ormelune.example", "abcd-efgh-ijkl-mnop"
POST = "app.bsky.feed.post"
START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


def did_of(handle: str) -> str:
    """An account's lasting name, well formed and always the same."""
    digest = int.from_bytes(hashlib.sha256(handle.encode()).digest()[:15], "big")
    return "did:plc:" + "".join("abcdefghijklmnopqrstuvwxyz234567"[digest >> 5 * at & 31] for at in range(24))


BRAND = did_of(HANDLE)


def key_at(moment: datetime, number: int) -> str:
    """A record key of this time."""
    value = int(moment.timestamp() * 1_000_000) << 10 | number % 1024
    return "".join(_DIGITS[value >> shift & 31] for shift in range(60, -1, -5))


def cid_of(*told: object) -> str:
    digest = int.from_bytes(hashlib.sha256(repr(told).encode()).digest(), "big")
    return "bafyrei" + "".join("abcdefghijklmnopqrstuvwxyz234567"[digest >> 5 * at & 31] for at in range(52))


@dataclass
class Post:
    """What somebody said."""

    uri: str
    handle: str
    record: dict[str, Any]
    indexed_at: datetime
    likes: int = 0
    labels: list[str] = field(default_factory=list)
    embed: dict[str, Any] | None = None
    viewer: dict[str, Any] = field(default_factory=dict)

    @property
    def cid(self) -> str:
        return cid_of(self.uri, sorted(self.record.items(), key=str))

    @property
    def ref(self) -> dict[str, str]:
        return {"uri": self.uri, "cid": self.cid}

    @property
    def parent(self) -> str:
        return str(self.record.get("reply", {}).get("parent", {}).get("uri", ""))


class FakeBluesky(FakeVendor):
    """One service with the brand's account on it; `upside_down`: the oldest of a page first."""

    def __init__(self, *, limit: int = 3000, knows_swaps: bool = True) -> None:
        super().__init__()
        self.limit, self.used, self.knows_swaps = limit, 0, knows_swaps
        self.posts: list[Post] = []
        self.notifications: list[dict[str, Any]] = []
        self.clock = START
        self.page_limit, self.upside_down = 100, False
        self.password = PASSWORD
        self.logins = self.refreshes = self.generation = 0
        self.access = self.refresh = ""
        self.account: dict[str, Any] = {"active": True}
        self.hidden: set[str] = set()  # posts behind a block
        self.dead: set[str] = set()  # posts that were deleted while others answer them

    # -- the story -------------------------------------------------------------------------------------------------------

    def say(self, handle: str, text: str, *, parent: Post | None = None, after: int = 1, **fields: Any) -> Post:
        """Somebody says something, `after` minutes later; whoever is named, answered or quoted hears of it."""
        self.clock += timedelta(minutes=after)
        embed, labels = fields.pop("embed", None), fields.pop("labels", [])
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": _iso(self.clock), "langs": ["fr"], **fields}
        if parent:
            root = parent.record.get("reply", {}).get("root") or parent.ref
            record["reply"] = {"root": root, "parent": parent.ref}
        return self.keep(handle, record, key_at(self.clock, len(self.posts)), embed=embed, labels=labels)

    def keep(self, handle: str, record: dict[str, Any], key: str, **fields: Any) -> Post:
        post = Post(f"at://{did_of(handle)}/{POST}/{key}", handle, record, self.clock, **fields)
        self.posts.append(post)
        quoted = str(((post.embed or {}).get("record") or {}).get("uri", ""))
        reasons = {
            "reply": post.parent.startswith(f"at://{BRAND}/"),
            "mention": f"@{HANDLE}" in str(record.get("text")),
            "quote": quoted.startswith(f"at://{BRAND}/"),
        }
        reason = next((name for name, told in reasons.items() if told), "")
        if reason and handle != HANDLE:
            self.notify(reason, post)
        return post

    def notify(self, reason: str, post: Post) -> None:
        """The brand is told of something."""
        self.notifications.append({"reason": reason, "post": post, "at": self.clock})

    def delete(self, post: Post) -> None:
        self.posts.remove(post)
        self.dead.add(post.uri)
        self.notifications = [one for one in self.notifications if one["post"] is not post]

    def of(self, handle: str) -> list[Post]:
        return [one for one in self.posts if one.handle == handle]

    def get(self, uri: str) -> Post | None:
        return next((one for one in self.posts if one.uri == uri), None)

    def expire(self, *, refresh: bool = False) -> None:
        """The session is over; with `refresh`, it cannot be renewed either."""
        self.access = ""
        if refresh:
            self.refresh = ""

    # -- the interface ---------------------------------------------------------------------------------------------------

    def refusal(self, status: int) -> Any:
        names = {
            400: ("InvalidRequest", "Input is not valid"),
            401: ("AuthenticationRequired", "Authentication Required"),
            403: ("Forbidden", "Insufficient scope"),
            429: ("RateLimitExceeded", "Rate Limit Exceeded"),
            502: ("UpstreamFailure", "Upstream Failure"),
        }
        error, message = names.get(status, ("InternalServerError", "Internal Server Error"))
        return {"error": error, "message": message}

    def handle(self, request: Request) -> Reply:
        method = request.path.removeprefix("/xrpc/")
        self.used += 1
        left = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(int((self.clock + timedelta(minutes=5)).timestamp())),
            "RateLimit-Policy": f"{self.limit};w=300",
        }
        reply = self.wrong(429) if self.used > self.limit else self.routed(method, request)
        return Reply(reply.data, reply.status, {**left, **reply.headers})

    def wrong(self, status: int, error: str = "", message: str = "") -> Reply:
        told = self.refusal(status)
        return Reply({"error": error or told["error"], "message": message or told["message"]}, status)

    def session(self) -> Reply:
        self.generation += 1
        self.access, self.refresh = f"access-{self.generation}-token", f"refresh-{self.generation}-token"
        tokens = {"accessJwt": self.access, "refreshJwt": self.refresh}
        return Reply({"did": BRAND, "handle": HANDLE, "email": "a@b.example", **tokens, **self.account})

    def routed(self, method: str, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if method == "com.atproto.server.createSession":
            self.logins += 1
            given = request.data
            if given["identifier"] not in {HANDLE, BRAND} or given["password"] != self.password:
                return self.wrong(401, "AuthenticationRequired", "Invalid identifier or password")
            return self.session()
        if method == "com.atproto.server.refreshSession":
            self.refreshes += 1
            if token != self.refresh or not token:
                return self.wrong(400, "ExpiredToken", "Token has been revoked")
            return self.session()
        if token != self.access or not token:
            return self.wrong(400, "ExpiredToken", "Token has expired")
        name = method.rpartition(".")[2]
        answer = getattr(self, f"do_{name}", None)
        if answer is None:
            return self.wrong(501, "MethodNotImplemented", "Method Not Implemented")
        made: Reply = answer(request)
        return made

    def do_listNotifications(self, request: Request) -> Reply:
        reasons = request.all("reasons")
        newest = sorted(self.notifications, key=lambda one: one["at"], reverse=True)
        page, cursor = self.paged(request, newest)
        told = [self.notification(one) for one in page if not reasons or one["reason"] in reasons]
        return Reply({"notifications": told, "seenAt": _iso(self.clock), "priority": False, **cursor})

    def do_getAuthorFeed(self, request: Request) -> Reply:
        mine = [one for one in self.posts if one.uri.startswith(f"at://{request.params['actor']}/")]
        page, cursor = self.paged(request, sorted(mine, key=lambda one: one.indexed_at, reverse=True))
        return Reply({"feed": [{"post": self.view(one)} for one in page], **cursor})

    def do_searchPosts(self, request: Request) -> Reply:
        wanted = request.params["q"].strip('"').lower()
        since, until = request.params.get("since", ""), request.params.get("until", "9999")
        found = [
            one
            for one in self.posts
            if wanted in one.record["text"].lower()
            and _bare(since) <= _bare(one.record["createdAt"]) < _bare(until)
            and one.uri not in self.hidden
        ]
        page, cursor = self.paged(request, sorted(found, key=lambda one: str(one.record["createdAt"]), reverse=True))
        return Reply({"posts": [self.view(one) for one in page], "hitsTotal": len(found), **cursor})

    def do_getPosts(self, request: Request) -> Reply:
        uris = request.all("uris")
        if len(uris) > 25:
            return self.wrong(400, "InvalidRequest", "Error: uris must not have more than 25 elements")
        found = [self.get(uri) for uri in uris if uri not in self.hidden]
        return Reply({"posts": [self.view(one) for one in found if one]})

    def do_getPostThread(self, request: Request) -> Reply:
        uri = request.params["uri"]
        post = self.get(uri)
        if post is None:
            return self.wrong(400, "NotFound", f"Post not found: {uri}")
        return Reply({"thread": self.thread(post)})

    def do_resolveHandle(self, request: Request) -> Reply:
        handle = request.params["handle"]
        if handle not in {one.handle for one in self.posts}:
            return self.wrong(400, "InvalidRequest", "Unable to resolve handle")
        return Reply({"did": did_of(handle)})

    def do_getRecord(self, request: Request) -> Reply:
        params = request.params
        post = self.get(f"at://{params['repo']}/{params['collection']}/{params['rkey']}")
        if post is None:
            return self.wrong(400, "RecordNotFound", "Could not locate record")
        return Reply({"uri": post.uri, "cid": post.cid, "value": post.record})

    def do_putRecord(self, request: Request) -> Reply:
        body = request.data
        record, key = body["record"], body["rkey"]
        if len(record["text"].encode()) > 3000:
            return self.wrong(400, "InvalidRequest", "Invalid app.bsky.feed.post record: text too big")
        known = self.get(f"at://{BRAND}/{body['collection']}/{key}")
        if known:
            if "swapRecord" in body and body["swapRecord"] is None and self.knows_swaps:
                return self.wrong(400, "InvalidSwap", f"Record was at {known.cid}")
            known.record = record
            return Reply({**known.ref, "validationStatus": "valid"})
        self.clock += timedelta(minutes=1)
        said = self.keep(HANDLE, record, key)
        return Reply({**said.ref, "validationStatus": "valid"})

    def paged(self, request: Request, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
        start = int(request.params.get("cursor", "0").removeprefix("at-"))
        limit = min(int(request.params.get("limit", "50")), self.page_limit)
        following = {"cursor": f"at-{start + limit}"} if start + limit < len(items) else {}
        page = items[start : start + limit]
        return page[::-1] if self.upside_down else page, following

    # -- shapes ----------------------------------------------------------------------------------------------------------

    def profile(self, handle: str) -> dict[str, Any]:
        return {"did": did_of(handle), "handle": handle, "displayName": handle.partition(".")[0].title(), "labels": []}

    def view(self, post: Post) -> dict[str, Any]:
        shape = {
            **post.ref,
            "author": self.profile(post.handle),
            "record": post.record,
            "replyCount": sum(one.parent == post.uri for one in self.posts),
            "repostCount": 0,
            "likeCount": post.likes,
            "quoteCount": 0,
            "indexedAt": _iso(post.indexed_at),
            "viewer": {"threadMuted": False, **post.viewer},
            "labels": [{"src": BRAND, "uri": post.uri, "val": val, "cts": _iso(START)} for val in post.labels],
        }
        return {**shape, "embed": post.embed} if post.embed else shape

    def notification(self, one: dict[str, Any]) -> dict[str, Any]:
        post: Post = one["post"]
        told = {"author": self.profile(post.handle), "record": post.record, "reason": one["reason"]}
        return {**post.ref, **told, "isRead": False, "indexedAt": _iso(one["at"]), "labels": []}

    def thread(self, post: Post) -> dict[str, Any]:
        replies: list[dict[str, Any]] = []
        for one in self.posts:
            if one.parent == post.uri and one.uri in self.hidden:
                told = {"uri": one.uri, "blocked": True, "author": {"did": did_of(one.handle)}}
                replies.append({"$type": "app.bsky.feed.defs#blockedPost", **told})
            elif one.parent == post.uri:
                replies.append(self.thread(one))
        below = {one.parent for one in self.posts} & self.dead
        for uri in sorted(below):
            if any(one.parent == uri and one.record["reply"]["root"]["uri"] == post.uri for one in self.posts):
                replies.append({"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True})
        return {"$type": "app.bsky.feed.defs#threadViewPost", "post": self.view(post), "replies": replies}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bare(moment: str) -> str:
    return moment.rstrip("Z").partition("+")[0]
