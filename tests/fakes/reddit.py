"""A Reddit with one account of ours: OAuth, inbox, own words, communities, search, threads cut short, answers.

Shapes: PRAW 8.0.3, recorded answers of its integration tests (TestInbox, TestComment, TestSubmission, TestMore, TestReddit;
repository praw-dev/praw of 2026-08-17), and the errors of the published source reddit-archive/reddit (r2/lib/errors.py), read
2026-11-26. All people and words are invented. Things are kept in the order in which they were said.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

BRAND, CLIENT_ID, CLIENT_SECRET = "Ormelune", "client-id-of-the-app", "client-secret-0123456789"
REFRESH_TOKEN, PASSWORD = "refresh-token-0123456789", "password-of-the-brand"
SETTINGS = {"username": BRAND, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
ALL_SCOPES = "identity read history privatemessages submit"
START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@dataclass
class Said:
    """A post (t3), a comment (t1) or a private message (t4)."""

    name: str
    author: str
    text: str
    at: datetime
    parent: "Said | None" = None
    title: str = ""
    community: str = "bottes"
    edited_at: datetime | None = None
    gone: str = ""  # "[deleted]" or "[removed]"
    locked: bool = False
    archived: bool = False
    score: int = 1
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.name[:2]

    @property
    def post(self) -> "Said":
        return self.parent.post if self.parent else self


class FakeReddit(FakeVendor):
    """Reddit's two hosts in one.

    Args:
        shown: comments that a thread shows before it is cut short; deepest: answers below answers.
        limit: requests in ten minutes.
    """

    def __init__(
        self,
        *,
        scopes: str = ALL_SCOPES,
        shown: int = 500,
        deepest: int = 10,
        limit: int = 1_000,
        page_limit: int = 100,
    ) -> None:
        super().__init__()
        self.scopes, self.shown, self.deepest, self.limit, self.page_limit = scopes, shown, deepest, limit, page_limit
        self.used = 0
        self.tokens: list[str] = []
        self.revoked = False
        self.said: list[Said] = []
        self.closed: dict[str, tuple[int, str]] = {}
        self.upside_down = False  # what one page holds comes the other way round
        self.clock = START

    # -- the story -------------------------------------------------------------------------------------------------------

    def say(self, author: str, text: str, *, parent: Said | None = None, after: int = 1, **fields: Any) -> Said:
        """Somebody says something, `after` minutes later: a comment below `parent`, else a post."""
        self.clock += timedelta(minutes=after)
        number = len(self.said)
        kind = fields.pop("kind", "t1" if parent else "t3")
        known = {name: fields.pop(name) for name in ("title", "locked", "archived", "score") if name in fields}
        community = fields.pop("community", parent.community if parent else "bottes")
        if kind == "t3":
            known.setdefault("title", f"Sujet {number}")
        said = Said(
            f"{kind}_k{number:04x}", author, text, self.clock, parent, community=community, fields=fields, **known
        )
        self.said.append(said)
        return said

    def edit(self, said: Said, text: str) -> None:
        """Its author changes it."""
        self.clock += timedelta(minutes=1)
        said.text, said.edited_at = text, self.clock

    def of(self, author: str) -> list[Said]:
        """What an account said, oldest first."""
        return [one for one in self.said if one.author == author]

    def get(self, name: str) -> Said | None:
        return next((one for one in self.said if one.name == name), None)

    def below(self, parent: Said) -> list[Said]:
        return [one for one in self.said if one.parent is parent]

    # -- the interface ---------------------------------------------------------------------------------------------------

    def refusal(self, status: int) -> Any:
        words = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
        return {"message": words.get(status, "Internal Server Error"), "error": status}

    def error(self, status: int, **fields: Any) -> Reply:
        return Reply({**self.refusal(status), **fields}, status)

    def handle(self, request: Request) -> Reply:
        if request.path == "/api/v1/access_token":
            return self.token(request)
        assert re.fullmatch(r"python:comptoir:v[\d.]+ \(by /u/\w+\)", request.headers["user-agent"])
        assert request.params.get("raw_json") == "1" or (request.data or {}).get("raw_json") == "1"
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self.error(401)
        self.used += 1
        reply = self.error(429) if self.used > self.limit else self.routed(request)
        left = {
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-remaining": f"{max(0, self.limit - self.used)}.0",
            "x-ratelimit-reset": "300",
        }
        return Reply(reply.data, reply.status, {**left, **reply.headers}, reply.body, reply.content_type)

    def token(self, request: Request) -> Reply:
        form = request.data or {}
        if not request.headers.get("authorization", "").startswith("Basic "):
            return self.error(401)
        if form.get("grant_type") == "refresh_token":
            good = form.get("refresh_token") == REFRESH_TOKEN and not self.revoked
        else:
            good = (form.get("username"), form.get("password")) == (BRAND, PASSWORD) and not self.revoked
        if not good:
            return Reply({"error": "invalid_grant"}, 400)
        self.tokens.append(f"access-token-{len(self.tokens)}-0123456789")
        return Reply(
            {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 86_400, "scope": self.scopes}
        )

    def routed(self, request: Request) -> Reply:
        scope = self.scope_of(request)
        if scope and scope not in self.scopes.split() and self.scopes != "*":
            return Reply(
                self.refusal(403), 403, {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
            )
        match request.path.strip("/").split("/"):
            case ["api", "v1", "me"]:
                return Reply({"name": BRAND, "id": "abc", "is_suspended": False})
            case ["message", "inbox"]:
                assert request.params["mark"] == "false" or request.params["limit"] == "1"
                return self.listing(request, [one for one in self.said if self.is_for_us(one)], inbox=True)
            case ["message", "sent"]:
                return self.listing(request, [one for one in self.of(BRAND) if one.kind == "t4"], inbox=True)
            case ["user", name, "overview"]:
                return self.listing(request, [one for one in self.of(name) if one.kind != "t4"])
            case ["user", name, "comments"]:
                return self.listing(request, [one for one in self.of(name) if one.kind == "t1"])
            case ["r", name, part]:
                if name in self.closed:
                    status, reason = self.closed[name]
                    return self.error(status, reason=reason)
                kind = {"new": "t3", "comments": "t1"}[part]
                there = [one for one in self.said if one.community == name and one.kind == kind and not one.gone]
                return self.listing(request, there)
            case ["search"]:
                return self.search(request)
            case ["comments", post, *rest]:
                return self.thread(request, f"t3_{post}", rest)
            case ["api", "morechildren"]:
                return self.more(request)
            case ["api", "info"]:
                names = request.params["id"].split(",")
                assert len(names) <= 100
                found = [self.get(name) for name in names]
                return Reply(_listing([self.thing(one) for one in found if one]))
            case ["api", "comment"]:
                return self.comment(request)
        return self.error(404)

    @staticmethod
    def scope_of(request: Request) -> str:
        starts = {
            "/api/v1/me": "identity", "/message": "privatemessages", "/user": "history", "/api/comment": "submit",
            "/r/": "read", "/search": "read", "/comments": "read", "/api/morechildren": "read", "/api/info": "read",
        }  # fmt: skip
        return next((scope for start, scope in starts.items() if request.path.startswith(start)), "")

    def is_for_us(self, one: Said) -> bool:
        if one.author == BRAND or one.gone:
            return False
        named = f"u/{BRAND}".lower() in one.text.lower()
        return one.kind == "t4" or named or bool(one.parent and one.parent.author == BRAND)

    def listing(self, request: Request, items: list[Said], *, inbox: bool = False) -> Reply:
        """Newest first, `after` gives what follows."""
        limit = min(int(request.params.get("limit", "25")), self.page_limit)
        newest = sorted(items, key=lambda one: one.at, reverse=True)[:1_000]
        names = [one.name for one in newest]
        after = request.params.get("after")
        start = names.index(after) + 1 if after in names else 0
        chosen = newest[start : start + limit]
        more = chosen[-1].name if chosen and start + limit < len(newest) else None
        chosen = chosen[::-1] if self.upside_down else chosen
        return Reply(_listing([self.inbox_thing(one) if inbox else self.thing(one) for one in chosen], after=more))

    def search(self, request: Request) -> Reply:
        assert (request.params["type"], request.params["sort"]) == ("link", "new")
        assert len(request.params["q"]) <= 512
        parts = [re.findall(r'"([^"]*)"', part) for part in re.split(r" OR ", request.params["q"])]
        posts = [one for one in self.said if one.kind == "t3" and not one.gone]
        found = [
            one
            for one in posts
            if any(words and all(word in f"{one.title} {one.text}".lower() for word in words) for words in parts)
        ]
        return self.listing(request, found)

    def thread(self, request: Request, name: str, rest: list[str]) -> Reply:
        post = self.get(name)
        if post is None:
            return self.error(404)
        if post.community in self.closed:
            status, reason = self.closed[post.community]
            return self.error(status, reason=reason)
        if rest:
            top = self.get(f"t1_{rest[-1]}")
            children = [self.nested(top, [self.shown], 0)] if top else []
        else:
            children = self.children(post, [self.shown], 0)
        return Reply([_listing([self.thing(post)]), _listing(children)])

    def children(self, parent: Said, room: list[int], depth: int) -> list[Any]:
        below = sorted(self.below(parent), key=lambda one: one.at, reverse=True)
        if below and depth >= self.deepest:
            return [_more(parent, [], 0)]
        shown, cut = [], []
        for one in below:
            if room[0] > 0:
                room[0] -= 1
                shown.append(self.nested(one, room, depth + 1))
            else:
                cut.append(one)
        if cut:
            shown.append(_more(parent, [one.name.removeprefix("t1_") for one in cut], len(cut)))
        return shown

    def nested(self, one: Said, room: list[int], depth: int) -> Any:
        thing = self.thing(one)
        children = self.children(one, room, depth)
        thing["data"]["replies"] = _listing(children) if children else ""
        return thing

    def more(self, request: Request) -> Reply:
        names = request.params["children"].split(",")
        assert len(names) <= 100 and request.params["link_id"].startswith("t3_")
        found = [one for name in names if (one := self.get(f"t1_{name}"))]
        things: list[Any] = []
        for one in found:
            things += [self.thing(one), *(self.thing(below) for below in self.below(one))]
        return Reply({"json": {"errors": [], "data": {"things": things}}})

    def comment(self, request: Request) -> Reply:
        form = request.data or {}
        assert form["api_type"] == "json"
        parent = self.get(form["thing_id"])
        if parent is None:
            return self.problem("DELETED_COMMENT", "that comment has been deleted", "parent")
        if parent.gone:
            return self.problem("DELETED_COMMENT", "that comment has been deleted", "parent")
        if parent.post.locked:
            return self.problem("THREAD_LOCKED", "Comments are locked.", "parent")
        if parent.post.archived:
            return self.problem("TOO_OLD", "that's a piece of history now; it's too late to reply to it", "parent")
        if len(form["text"]) > 10_000:
            return self.problem("TOO_LONG", "this is too long (max: 10000)", "text")
        said = self.say(BRAND, form["text"], parent=parent, kind="t4" if parent.kind == "t4" else "t1")
        return Reply({"json": {"errors": [], "data": {"things": [self.thing(said)]}}})

    @staticmethod
    def problem(name: str, words: str, about: str, **fields: Any) -> Reply:
        return Reply({"json": {"errors": [[name, words, about]], **fields}})

    # -- shapes ----------------------------------------------------------------------------------------------------------

    def thing(self, one: Said) -> dict[str, Any]:
        """As listings and threads have it."""
        made = one.at.timestamp()
        data: dict[str, Any] = {
            "id": one.name[3:],
            "name": one.name,
            "author": "[deleted]" if one.gone == "[deleted]" else one.author,
            "author_fullname": f"t2_{one.author.lower()}",
            "created_utc": made,
            "created": made,
            "edited": one.edited_at.timestamp() if one.edited_at else False,
            "score": one.score,
            "ups": one.score,
            "subreddit": one.community,
            "subreddit_name_prefixed": f"r/{one.community}",
            "subreddit_type": "public",
            "locked": one.locked,
            "archived": one.archived,
            "distinguished": None,
            "likes": None,
        }
        post = one.post
        path = f"/r/{one.community}/comments/{post.name[3:]}/sujet/"
        if one.kind == "t3":
            told = one.gone or one.text
            data |= {
                "title": one.title,
                "selftext": told,
                "selftext_html": f'<div class="md"><p>{told}</p></div>',
                "is_self": True,
                "url": f"https://www.reddit.com{path}",
                "permalink": path,
                "domain": f"self.{one.community}",
                "num_comments": sum(other.post is one and other is not one for other in self.said),
                "removed_by_category": {"[deleted]": "deleted", "[removed]": "moderator"}.get(one.gone),
            }
        elif one.kind == "t1":
            data |= {
                "body": one.gone or one.text,
                "body_html": f'<div class="md"><p>{one.gone or one.text}</p></div>',
                "link_id": post.name,
                "parent_id": one.parent.name if one.parent else None,
                "permalink": f"{path}{one.name[3:]}/",
                "link_title": post.title,
                "replies": "",
            }
        else:
            data |= {
                "body": one.text,
                "subject": "re: colis",
                "dest": BRAND,
                "parent_id": one.parent.name if one.parent else None,
                "first_message_name": post.name if one.parent else None,
                "was_comment": False,
                "context": "",
            }
        return {"kind": one.kind, "data": {**data, **one.fields}}

    def inbox_thing(self, one: Said) -> dict[str, Any]:
        """As the inbox has it: without link_id and permalink, with a context."""
        shape = self.thing(one)
        if one.kind == "t1":
            for name in ("link_id", "permalink", "locked", "archived"):
                del shape["data"][name]
            named = f"u/{BRAND}".lower() in one.text.lower()
            path = f"/r/{one.community}/comments/{one.post.name[3:]}/sujet/{one.name[3:]}/?context=3"
            kind = "username_mention" if named else "comment_reply"
            shape["data"] |= {
                "context": path,
                "was_comment": True,
                "type": kind,
                "subject": "comment reply",
                "new": True,
            }
        return shape


def _listing(children: list[Any], after: str | None = None) -> dict[str, Any]:
    data = {
        "after": after,
        "dist": len(children),
        "modhash": None,
        "geo_filter": "",
        "children": children,
        "before": None,
    }
    return {"kind": "Listing", "data": data}


def _more(parent: Said, children: list[str], count: int) -> dict[str, Any]:
    name = children[0] if children else "_"
    data = {
        "count": count, "name": f"t1_{name}", "id": name, "parent_id": parent.name, "depth": 1, "children": children,
    }  # fmt: skip
    return {"kind": "more", "data": data}
