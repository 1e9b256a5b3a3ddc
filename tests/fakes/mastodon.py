"""A Mastodon server on this machine, with the oddities of others that speak its interface.

Built from the Mastodon documentation (methods: notifications, statuses, accounts, timelines, search, instance, apps;
entities: Status, Notification, Error; Rate limits), repository mastodon/documentation of 2026-07-02, read 2026-11-26.
Statuses are kept in the order in which they were said; paging goes by that order, whatever their ids look like.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

BRAND, TOKEN = "ormelune", "token-of-the-brand-0123456789"
START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
ALL_SCOPES = ("read:accounts", "read:notifications", "read:statuses", "read:search", "write:statuses")

Ids = Callable[[int], str]


def snowflakes(number: int) -> str:
    """As Mastodon's: digits that grow."""
    return str(114_000_000_000_000_000 + number * 65_537)


def small_numbers(number: int) -> str:
    """Digits that do not sort as text: 9, 10."""
    return str(number + 1)


def ulids(number: int) -> str:
    """As GoToSocial's."""
    return f"01JQ{number:022X}"


def hashes(number: int) -> str:
    """As snac's: in no order at all."""
    return f"{(number * 2_654_435_761) % 2**32:08x}{number:024x}"


@dataclass
class Status:
    """What somebody said."""

    id: str
    acct: str
    text: str
    at: datetime
    parent: str | None = None
    visibility: str = "public"
    spoiler: str = ""
    language: str | None = "fr"
    edited_at: datetime | None = None
    likes: int = 0
    fields: dict[str, Any] = field(default_factory=dict)


class FakeMastodon(FakeVendor):
    """One server with the account of the brand on it.

    Args:
        ids: how ids look.
        honours_keys: makes no second status of one Idempotency-Key.
        min_id: what it makes of that parameter: `adjacent` pages from the oldest unread on, `floor` gives the newest above it,
            `ignored` nothing.
        version: of the interface; 0 for another server.
        length_error: status that a too long text gets.
        limit: requests per five minutes.
    """

    def __init__(
        self,
        *,
        ids: Ids = snowflakes,
        honours_keys: bool = True,
        min_id: str = "adjacent",
        version: int = 7,
        length_error: int = 422,
        max_characters: int = 500,
        has_search: bool = True,
        scopes: tuple[str, ...] = ALL_SCOPES,
        limit: int = 300,
    ) -> None:
        super().__init__()
        self.ids, self.honours_keys, self.min_id = ids, honours_keys, min_id
        self.version, self.length_error, self.max_characters = version, length_error, max_characters
        self.has_search, self.scopes, self.limit, self.used = has_search, scopes, limit, 0
        self.token = TOKEN
        self.statuses: list[Status] = []
        self.notifications: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.clock = START
        self.page_limit = 40

    # -- the story -------------------------------------------------------------------------------------------------------

    def say(self, acct: str, text: str, *, parent: Status | None = None, after: int = 1, **fields: Any) -> Status:
        """Somebody says something, `after` minutes later; whoever is named hears of it."""
        self.clock += timedelta(minutes=after)
        known = {name: fields.pop(name) for name in ("visibility", "spoiler", "language") if name in fields}
        parent_id = parent.id if parent else fields.pop("parent_id", None)
        status = Status(self.ids(len(self.statuses)), acct, text, self.clock, parent_id, **known, fields=fields)
        self.statuses.append(status)
        if f"@{BRAND}" in text and acct != BRAND:
            self.notify("mention", acct, status)
        return status

    def notify(self, kind: str, acct: str, status: Status | None) -> None:
        """Something happened that the brand is told of."""
        number = len(self.notifications)
        self.notifications.append(
            {"id": self.ids(number), "type": kind, "at": self.clock, "acct": acct, "status": status and status.id}
        )

    def edit(self, status: Status, text: str) -> None:
        """Its author changes it."""
        self.clock += timedelta(minutes=1)
        status.text, status.edited_at = text, self.clock

    def delete(self, status: Status) -> None:
        """Its author takes it back; answers to it stay."""
        self.statuses.remove(status)
        self.notifications = [one for one in self.notifications if one["status"] != status.id]
        for other in self.statuses:
            other.parent = None if other.parent == status.id else other.parent

    def of(self, acct: str) -> list[Status]:
        """What an account said, oldest first."""
        return [one for one in self.statuses if one.acct == acct]

    def get(self, status_id: str | None) -> Status | None:
        return next((one for one in self.statuses if one.id == status_id), None)

    # -- the interface ---------------------------------------------------------------------------------------------------

    def refusal(self, status: int) -> Any:
        words = {
            401: "The access token is invalid",
            403: "This action is outside the authorized scopes",
            404: "Record not found",
            429: "Too many requests",
        }
        return {"error": words.get(status, "An error occurred")}

    def handle(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.error(401)
        self.used += 1
        reply = self.error(429) if self.used > self.limit else self.routed(request)
        left = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": (self.clock + timedelta(days=1, minutes=5)).isoformat().replace("+00:00", "Z"),
        }
        return Reply(reply.data, reply.status, {**left, **reply.headers}, reply.body, reply.content_type)

    def error(self, status: int, words: str = "") -> Reply:
        return Reply({"error": words} if words else self.refusal(status), status)

    def routed(self, request: Request) -> Reply:
        path = request.path.removeprefix("/api/")
        scope = self.scope_of(request.method, path)
        if scope and not set(self.scopes) & {scope, scope.partition(":")[0]}:
            return self.error(403)
        match path.split("/"):
            case ["v1", "accounts", "verify_credentials"]:
                return Reply(self.account(BRAND))
            case ["v1", "apps", "verify_credentials"]:
                return Reply({"name": "Comptoir", "website": None, "scopes": list(self.scopes)})
            case ["v2", "instance"] if self.version:
                statuses = {"max_characters": self.max_characters, "characters_reserved_per_url": 23}
                versions = {"mastodon": self.version}
                return Reply({"configuration": {"statuses": statuses}, "api_versions": versions})
            case ["v1", "instance"]:
                return Reply({"uri": "here", "max_toot_chars": self.max_characters})
            case ["v1", "notifications"]:
                types = request.all("types")
                wanted = [one for one in self.notifications if not types or one["type"] in types]
                return self.paged(request, wanted, self.notification)
            case ["v1", "accounts", account_id, "statuses"]:
                return self.paged(request, [one for one in self.statuses if one.acct == account_id], self.status)
            case ["v1", "timelines", "tag", tag]:
                tagged = [one for one in self.statuses if f"#{tag}" in one.text and one.visibility == "public"]
                return self.paged(request, tagged, self.status)
            case ["v1", "statuses"] if request.method == "POST":
                return self.post(request)
            case ["v1", "statuses"]:
                return Reply([self.status(one) for one in map(self.get, request.all("id")) if one])
            case ["v1", "statuses", status_id]:
                found = self.get(status_id)
                return Reply(self.status(found)) if found else self.error(404)
            case ["v1", "statuses", status_id, "context"]:
                found = self.get(status_id)
                return Reply(self.context(found)) if found else self.error(404)
            case ["v2", "search"]:
                return self.search(request)
        return self.error(404, "This page does not exist")

    @staticmethod
    def scope_of(method: str, path: str) -> str:
        if path.startswith("v1/statuses"):
            return "write:statuses" if method == "POST" else "read:statuses"
        starts = {"v1/notifications": "notifications", "v2/search": "search", "v1/timelines": "statuses"}
        return next((f"read:{name}" for start, name in starts.items() if path.startswith(start)), "")

    def post(self, request: Request) -> Reply:
        form = request.data or {}
        key = request.headers.get("idempotency-key", "")
        known = self.get(self.keys.get(key)) if self.honours_keys and key else None
        if known:
            return Reply(self.status(known))
        text, parent = form.get("status", ""), form.get("in_reply_to_id")
        if len(text) > self.max_characters:
            words = f"Validation failed: Text character limit of {self.max_characters} exceeded"
            return self.error(self.length_error, words)
        if parent and self.get(parent) is None:
            return self.error(404)
        said = self.say(
            BRAND,
            text,
            parent_id=parent,
            visibility=form.get("visibility", "public"),
            spoiler=form.get("spoiler_text", ""),
            language=form.get("language"),
        )
        self.keys[key] = said.id
        return Reply(self.status(said))

    def search(self, request: Request) -> Reply:
        if not self.has_search:
            return Reply({"accounts": [], "statuses": [], "hashtags": []})
        wanted = request.params["q"].strip('"').lower()
        found = [one for one in self.statuses if wanted in one.text.lower() and one.visibility == "public"]
        above = request.params.get("min_id")
        if above:
            order = [one.id for one in self.statuses]
            found = [one for one in found if order.index(one.id) > order.index(above)]
        query = tuple(pair for pair in request.query if pair[0] != "min_id")
        page = self.paged(Request("GET", request.path, query, request.headers), found, self.status)
        return Reply({"accounts": [], "statuses": page.data, "hashtags": []})

    def paged(self, request: Request, items: list[Any], shown: Callable[[Any], Any]) -> Reply:
        """Newest first; `min_id` gives those just above it, `max_id` those just below."""
        params = request.params
        limit = min(int(params.get("limit", "20")), self.page_limit)
        ids = [one["id"] if isinstance(one, dict) else one.id for one in items]
        min_id, max_id = params.get("min_id"), params.get("max_id")
        end = ids.index(max_id) if max_id in ids else len(items)
        floor = ids.index(min_id) + 1 if min_id in ids and self.min_id != "ignored" else 0
        if min_id and self.min_id == "adjacent":
            start, end = floor, min(end, floor + limit)
        else:
            start = max(floor, end - limit)
        chosen = list(range(start, end))[::-1]
        headers = {}
        if chosen:
            base = f"{self.base}{request.path}?limit={limit}"
            newer, older = ids[chosen[0]], ids[chosen[-1]]
            headers["Link"] = f'<{base}&max_id={older}>; rel="next", <{base}&min_id={newer}>; rel="prev"'
        return Reply([shown(items[at]) for at in chosen], headers=headers)

    # -- shapes ----------------------------------------------------------------------------------------------------------

    def account(self, acct: str) -> dict[str, Any]:
        return {
            "id": acct,
            "username": acct.partition("@")[0],
            "acct": acct,
            "display_name": acct.title(),
            "locked": False,
            "bot": False,
            "url": f"https://social.example/@{acct}",
            "followers_count": len(acct),
            "note": "<p>Bio</p>",
        }

    def status(self, one: Status) -> dict[str, Any]:
        words = escape(one.text).replace(
            f"@{BRAND}", f'<span class="h-card"><a class="u-url mention">@<span>{BRAND}</span></a></span>'
        )
        parent = self.get(one.parent)
        shape = {
            "id": one.id,
            "created_at": _iso(one.at),
            "in_reply_to_id": one.parent,
            "in_reply_to_account_id": parent and parent.acct,
            "sensitive": bool(one.spoiler),
            "spoiler_text": one.spoiler,
            "visibility": one.visibility,
            "language": one.language,
            "uri": f"https://social.example/users/{one.acct}/statuses/{one.id}",
            "url": f"https://social.example/@{one.acct}/{one.id}",
            "replies_count": sum(other.parent == one.id for other in self.statuses),
            "reblogs_count": 0,
            "favourites_count": one.likes,
            "edited_at": _iso(one.edited_at) if one.edited_at else None,
            "content": f"<p>{words}</p>",
            "reblog": None,
            "account": self.account(one.acct),
            "media_attachments": [],
            "mentions": [{"id": BRAND, "username": BRAND, "acct": BRAND}] if f"@{BRAND}" in one.text else [],
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": None,
        }
        return {**shape, **one.fields}

    def notification(self, one: dict[str, Any]) -> dict[str, Any]:
        status = self.get(one["status"])
        shape = {
            "id": one["id"],
            "type": one["type"],
            "created_at": _iso(one["at"]),
            "account": self.account(one["acct"]),
        }
        return {**shape, "status": self.status(status)} if status else shape

    def context(self, one: Status) -> dict[str, Any]:
        ancestors: list[Status] = []
        above = self.get(one.parent)
        while above:
            ancestors.insert(0, above)
            above = self.get(above.parent)
        below, waiting = [], [one.id]
        while waiting:
            answers = [other for other in self.statuses if other.parent == waiting[0]]
            waiting = [*waiting[1:], *(answer.id for answer in answers)]
            below += answers
        return {"ancestors": list(map(self.status, ancestors)), "descendants": list(map(self.status, below))}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
