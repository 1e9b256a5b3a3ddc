"""X on this machine: API v2 as far as Comptoir asks it, with limits, prices, rules for answers and signatures.

Built from X's OpenAPI descriptions 2.157 and 2.167 (paths, parameters, shapes), and docs.x.com as of 2026-08-22: "Timelines"
(800 mentions, newest first), "Search Posts" (seven days, 512 characters), "Manage Posts" (only who is summoned may answer),
"Rate Limits", "Response Codes & Errors". Bodies of 402 (credits) and of the 403s for duplicates and missing summons are as
developers published them in 2026. It keeps what it took, and counts what it would bill.
"""

import base64
import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from oauthlib.oauth1.rfc5849 import signature as oauth

from tests.fakes.http_server import FakeVendor, Reply, Request, serve
from tests.fakes.x_search import BadQueryError, matcher
from tests.fakes.x_world import BY_EXPANSION, NEW, OLD, POST_DEFAULTS, Post, World, moment_of, snowflake

__all__ = ["NEW", "NOW", "OLD", "SETTINGS", "FakeX", "serve"]

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
OWNER = "1111111111"
SETTINGS = {
    "account": "ormelune",
    "consumer_key": "consumer-key-1",
    "consumer_secret": "consumer-secret-1",
    "access_token": f"{OWNER}-access-token-1",
    "access_token_secret": "access-token-secret-1",
    "bearer_token": "bearer-token-1",
}
_PROBLEMS = "https://api.x.com/2/problems"
_MENTIONS_LISTED = 800
_SEARCHED = timedelta(days=7)


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_FIELDS = {
    OLD: _names(
        "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
        "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
        "note_tweet possibly_sensitive public_metrics referenced_tweets reply_settings scopes source text withheld"
    ),
    NEW: _names(
        "article article_title attachments card_uri community_id context_annotations conversation_id created_at "
        "display_text_range edit_controls entities geo id lang media_metadata note_post paid_partnership "
        "possibly_sensitive public_metrics reply_settings scopes source text withheld"
    ),
}
_EXPANSIONS = {
    OLD: _names(
        "attachments.media_keys author_id edit_history_tweet_ids entities.mentions.username geo.place_id "
        "in_reply_to_user_id referenced_tweets.id referenced_tweets.id.author_id"
    ),
    NEW: _names(
        "attachments.media_keys author_id edit_history_post_ids entities.mentions.username geo.place_id "
        "in_reply_to_user_id referenced_posts username"
    ),
}
_EVENT_FIELDS = {
    OLD: _names(
        "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets sender_id "
        "text"
    ),
    NEW: _names("attachments created_at dm_conversation_id entities event_type id text"),
}
_EVENT_EXPANSIONS = frozenset({"attachments.media_keys", "participant_ids", "sender_id", "referenced_posts"})
_PAGE = frozenset({"max_results", "since_id", "until_id", "start_time", "end_time"})


class FakeX(FakeVendor):
    """See the head of this file.

    Attributes:
        version: OLD or NEW, whose names are understood and answered.
        billed: resources that were billed, once per UTC day, e.g. ``post``, ``user``, ``count``.
        limits: route ("GET /2/users/:id/mentions") -> requests in 15 minutes.
        accepted: what was posted, in its order: (id, text, parent or conversation).
        credits: None is endless.
        level: what the keys may do; token_lives: whether they are good at all.
        page_limit: items of a page, however many are asked for; upside_down: the oldest of a page first.
    """

    def __init__(self, version: str = OLD, now: Callable[[], datetime] = lambda: NOW) -> None:
        super().__init__()
        self.version, self.now = version, now
        self.world = World()
        self.owner = self.world.user("ormelune", OWNER, name="Ormelune")
        self.accepted: list[tuple[str, str, str]] = []
        self.billed: Counter[str] = Counter()
        self.limits: dict[str, int] = {}
        self.level, self.token_lives = "read-write-directmessages", True
        self.page_limit, self.upside_down = 500, False
        self._used: Counter[tuple[str, int]] = Counter()
        self._paid: set[tuple[str, str, str]] = set()
        self.mentions_listed = _MENTIONS_LISTED

    def problem(self, status: int, kind: str, detail: str, **extra: Any) -> Reply:
        body = {
            "title": kind.replace("-", " ").title(),
            "detail": detail,
            "type": f"{_PROBLEMS}/{kind}",
            "status": status,
        }
        return Reply({**body, **extra}, status)

    def refusal(self, status: int) -> Any:
        if status == 402:
            return {
                "title": "CreditsDepleted",
                "type": "https://api.twitter.com/2/problems/credits",
                "detail": f"Your enrolled account [{OWNER}] does not have any credits to fulfill this request.",
                "account_id": OWNER,
            }
        titles = {401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests", 503: "Service Unavailable"}
        title = titles.get(status, "Error")
        return {"title": title, "type": "about:blank", "status": status, "detail": title}

    # -- requests ----------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Reply:
        user_context = request.headers.get("authorization", "").startswith("OAuth ")
        if not self.token_lives or not self._known(request, user_context):
            return Reply(self.refusal(401), 401)
        route = f"{request.method} {re.sub(r'(?<=.)/[0-9][0-9-]*', '/:id', request.path)}"
        headers = self._spend_request(route)
        if headers.get("x-rate-limit-remaining") == "-1":
            return Reply(self.refusal(429), 429, {**headers, "x-rate-limit-remaining": "0"})
        try:
            reply = self._routed(request, route, user_context)
        except BadQueryError as error:
            reply = self._invalid(str(error))
        extra = {"x-access-level": self.level} if user_context else {}
        return Reply(reply.data, reply.status, {**headers, **extra, **reply.headers})

    def _known(self, request: Request, user_context: bool) -> bool:
        given = request.headers.get("authorization", "")
        if not user_context:
            return given == f"Bearer {SETTINGS['bearer_token']}"
        parts = dict(re.findall(r'(\w+)="([^"]*)"', given))
        wanted = {"oauth_consumer_key": SETTINGS["consumer_key"], "oauth_token": SETTINGS["access_token"]}
        if any(parts.get(name) != value for name, value in wanted.items()):
            return False
        signed = oauth.collect_parameters(headers={"Authorization": given}, exclude_oauth_signature=True)
        base = oauth.signature_base_string(
            request.method,
            oauth.base_string_uri(f"{self.base}{request.path}"),
            oauth.normalize_parameters([*signed, *request.query]),
        )
        key = f"{SETTINGS['consumer_secret']}&{SETTINGS['access_token_secret']}".encode()
        expected = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        return unquote(parts.get("oauth_signature", "")) == expected

    def _spend_request(self, route: str) -> dict[str, str]:
        limit = self.limits.get(route, 300)
        window = int(self.now().timestamp()) // 900
        self._used[(route, window)] += 1
        left = limit - self._used[(route, window)]
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(left, -1)),
            "x-rate-limit-reset": str((window + 1) * 900),
        }

    def _routed(self, request: Request, route: str, user_context: bool) -> Reply:
        path, own = request.path, f"/2/users/{OWNER}"
        if route == "GET /2/users/me":
            self._bill("user", [OWNER])
            return Reply({"data": self.world.user_shown(self.owner, self.version)})
        if route == "GET /2/users/:id/mentions" and path == f"{own}/mentions":
            mine = [
                post
                for post in self.world.posts.values()
                if self.owner in self.world.names_in(post) and post.author is not self.owner
            ]
            return self._list(request, self.world.listed(mine)[: self.mentions_listed], least=5)
        if route == "GET /2/users/:id/tweets" and path == f"{own}/tweets":
            mine = [post for post in self.world.posts.values() if post.author is self.owner]
            return self._list(request, self.world.listed(mine)[:3200], least=5)
        if route == "GET /2/tweets/search/recent":
            return self._search(request, recent=True)
        if route in {"GET /2/tweets/counts/recent", "GET /2/tweets/search/all"} and user_context:
            return self.problem(403, "unsupported-authentication", "Authenticating with OAuth 1.0a is forbidden here.")
        if route == "GET /2/tweets/search/all":
            return self._search(request, recent=False)
        if route in {"GET /2/tweets/counts/recent", "GET /2/tweets/counts/all"}:
            return self._counts(request)
        if route == "GET /2/tweets":
            return self._lookup(request)
        if request.method == "GET" and path.endswith("/dm_events"):
            return self._events(request)
        return self._write(request, route)

    def _write(self, request: Request, route: str) -> Reply:
        if "write" not in self.level:
            kind = "oauth1-permissions"
            detail = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
            return self.problem(403, kind, detail)
        if route == "POST /2/tweets":
            return self._post(request.data)
        if route.startswith("POST /2/dm_conversations/") and request.path.endswith("/messages"):
            return self._message(request)
        native_id = re.sub(r"\D*2/[a-z_]+/(\d+).*", r"\1", request.path)
        post = self.world.posts.get(native_id)
        if route == "PUT /2/tweets/:id/hidden" and post:
            root = self.world.posts.get(post.conversation_id)
            if root is None or root.author is not self.owner or root is post:
                return Reply({**self.refusal(403), "detail": "You can only hide replies to your own posts."}, 403)
            post.hidden = bool(request.data["hidden"])
            return Reply({"data": {"hidden": post.hidden}})
        if route == "DELETE /2/tweets/:id" and post and post.author is self.owner:
            self.world.delete(native_id)
            return Reply({"data": {"deleted": True}})
        if route == "DELETE /2/dm_events/:id":
            self.world.events = [event for event in self.world.events if event.id != native_id]
            return Reply({"data": {"deleted": True}})
        return self.problem(404, "resource-not-found", "Not found.", resource_type="tweet", resource_id=native_id)

    # -- reading -----------------------------------------------------------------------------------------------------------

    def _list(self, request: Request, posts: list[Post], least: int) -> Reply:
        given = request.params
        fields = "tweet.fields" if self.version == OLD else "post.fields"
        allowed = {*_PAGE, fields, "expansions", "user.fields", "media.fields", "place.fields", "query", "sort_order"}
        allowed |= {"pagination_token", "next_token"} if "query" in given else {"pagination_token"}
        wrong = self._wrong(given, allowed, fields, _FIELDS[self.version], _EXPANSIONS[self.version])
        ids, times = given.keys() & {"since_id", "until_id"}, given.keys() & {"start_time", "end_time"}
        if ids and times:
            wrong = "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or 'end_time'."
        size = int(given.get("max_results", "10"))
        if not least <= size <= (500 if request.path.endswith("/all") else 100):
            wrong = f"The `max_results` query parameter value [{size}] is not between {least} and 100"
        if wrong:
            return self._invalid(wrong)
        since, until = int(given.get("since_id", "0")), int(given.get("until_id", str(2**63)))
        token = given.get("pagination_token") or given.get("next_token")
        if token:
            until = min(until, int(token.removeprefix("token"), 10))
        left = [post for post in posts if since < int(post.id) < until]
        page = left[: min(size, self.page_limit)]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if len(left) > len(page):
            meta["next_token"] = f"token{int(page[-1].id):024d}"
        owned = "post_owned" if request.path.startswith("/2/users/") else "post"
        page = page[::-1] if self.upside_down else page
        return Reply({**self._shown(page, given, fields, owned), "meta": meta})

    def _search(self, request: Request, *, recent: bool) -> Reply:
        test = matcher(request.params["query"], 512 if recent else 1024)
        oldest = snowflake(self.now() - _SEARCHED)
        since = request.params.get("since_id")
        if recent and since and int(since) < int(oldest):
            date = f"{self.now() - _SEARCHED:%Y-%m-%dT%H:%MZ}"
            return self._invalid(
                f"'since_id' must be a tweet id created after {date}. Please use a 'since_id' that is larger than {oldest}"
            )
        found = [post for post in self.world.posts.values() if not recent or int(post.id) >= int(oldest)]
        found = [post for post in found if test(self.world.searchable(post)) and not post.author.protected]
        return self._list(request, self.world.listed(found), least=10)

    def _counts(self, request: Request) -> Reply:
        given = request.params
        wrong = self._wrong(
            given, {"query", "granularity", "since_id", "until_id", "start_time", "end_time"}, "", set(), set()
        )
        if wrong:
            return self._invalid(wrong)
        test = matcher(given["query"])
        since, until = int(given.get("since_id", "0")), int(given.get("until_id", str(2**63)))
        found = [
            post
            for post in self.world.listed(self.world.posts.values())
            if since < int(post.id) < until and test(self.world.searchable(post))
        ]
        self.billed["count"] += 1
        name = "tweet_count" if self.version == OLD else "post_count"
        start, end = self.now() - _SEARCHED, self.now()
        bucket = {"start": f"{start:%Y-%m-%dT%H:%M:%S.000Z}", "end": f"{end:%Y-%m-%dT%H:%M:%S.000Z}", name: len(found)}
        return Reply({"data": [bucket], "meta": {f"total_{name}": len(found)}})

    def _lookup(self, request: Request) -> Reply:
        fields = "tweet.fields" if self.version == OLD else "post.fields"
        allowed = {"ids", fields, "expansions", "user.fields", "media.fields", "place.fields"}
        wrong = self._wrong(request.params, allowed, fields, _FIELDS[self.version], _EXPANSIONS[self.version])
        ids = request.params["ids"].split(",")
        if wrong or len(ids) > 100:
            return self._invalid(wrong or "ids: at most 100")
        found, errors = [], []
        for native_id in ids:
            post = self.world.posts.get(native_id)
            if post is None or native_id in self.world.gone or post.author.suspended:
                errors.append(self._missing(native_id, "resource-not-found", "Could not find tweet with ids: "))
            elif post.author.protected:
                kind = "not-authorized-for-resource"
                errors.append(
                    self._missing(native_id, kind, "Sorry, you are not authorized to see the Tweet with ids: ")
                )
            else:
                found.append(post)
        body = self._shown(found, request.params, fields, "post") if found else {}
        return Reply({**body, **({"errors": errors} if errors else {})})

    def _missing(self, native_id: str, kind: str, detail: str) -> dict[str, Any]:
        return {
            "value": native_id,
            "detail": f"{detail}[{native_id}].",
            "title": "Not Found Error" if "found" in kind else "Authorization Error",
            "resource_type": "tweet" if self.version == OLD else "post",
            "parameter": "ids",
            "resource_id": native_id,
            "section": "data",
            "type": f"{_PROBLEMS}/{kind}",
        }

    def _shown(self, posts: list[Post], given: dict[str, str], fields: str, billed_as: str) -> dict[str, Any]:
        """Data, includes and partial errors, with the fields that were asked for."""
        wanted = {*POST_DEFAULTS[self.version], *given.get(fields, "").split(",")}
        expansions = set(given.get("expansions", "").split(","))
        if self.version == NEW:
            wanted |= {name for name, expansion in BY_EXPANSION.items() if expansion in expansions}
        data = [self._cut(post, wanted) for post in posts]
        users: dict[str, Any] = {}
        others: dict[str, Any] = {}
        errors = []
        if "author_id" in expansions:
            users = {post.author.id: post.author for post in posts}
        if expansions & {"referenced_tweets.id", "referenced_posts"}:
            for post in posts:
                for target in (post.parent, post.quoted, post.repeated):
                    if target and target in self.world.posts and target not in self.world.gone:
                        inner = wanted if self.version == OLD else wanted - {"author_id", "referenced_posts"}
                        others[target] = self._cut(self.world.posts[target], inner)
                    elif target:
                        missing = self._missing(
                            target, "resource-not-found", "Could not find tweet with referenced_tweets.id: "
                        )
                        errors.append({**missing, "section": "includes", "parameter": "referenced_tweets.id"})
        includes = {
            "users": [self.world.user_shown(user, self.version) for user in users.values()],
            "tweets" if self.version == OLD else "posts": list(others.values()),
            "media": [dict(one) for post in posts for one in post.media]
            if "attachments.media_keys" in expansions
            else [],
            "places": [dict(post.place) for post in posts if post.place] if "geo.place_id" in expansions else [],
        }
        includes = {name: value for name, value in includes.items() if value}
        self._bill(billed_as, [post.id for post in posts])
        self._bill("post", [one for one in others if one not in {post.id for post in posts}])
        self._bill("user", list(users))
        body: dict[str, Any] = {"data": data} if data else {}
        body |= {"includes": includes} if includes else {}
        return body | ({"errors": errors} if errors else {})

    def _cut(self, post: Post, wanted: set[str]) -> dict[str, Any]:
        return {name: value for name, value in self.world.whole(post, self.version).items() if name in wanted}

    def _events(self, request: Request) -> Reply:
        given = request.params
        if "directmessages" not in self.level:
            return self.problem(403, "oauth1-permissions", "The app lacks the permission for direct messages.")
        allowed = {"max_results", "pagination_token", "event_types", "dm_event.fields", "expansions", "user.fields"}
        allowed |= {"media.fields"}
        wrong = self._wrong(given, allowed, "dm_event.fields", _EVENT_FIELDS[self.version], _EVENT_EXPANSIONS)
        if wrong:
            return self._invalid(wrong)
        events = [
            one
            for one in self.world.events
            if OWNER in one.conversation_id.split("-") or "-" not in one.conversation_id
        ]
        events = [one for one in events if moment_of(one.id) > self.now() - timedelta(days=30)]
        person = re.fullmatch(r"/2/dm_conversations/with/(\d+)/dm_events", request.path)
        conversation = re.fullmatch(r"/2/dm_conversations/([\d-]+)/dm_events", request.path)
        if person:
            events = [one for one in events if person[1] in one.conversation_id.split("-")]
        elif conversation:
            events = [one for one in events if one.conversation_id == conversation[1]]
        events.sort(key=lambda one: -int(one.id))
        token = given.get("pagination_token", "")
        if token:
            if not token.startswith("token"):
                return self._invalid("The `pagination_token` query parameter value is not valid")
            events = [one for one in events if int(one.id) < int(token.removeprefix("token"))]
        size = int(given.get("max_results", "100"))
        page = events[:size]
        users = {one.sender.id: one.sender for one in page}
        self._bill("event", [one.id for one in page])
        self._bill("user", list(users))
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(events) > size:
            meta["next_token"] = f"token{int(page[-1].id):024d}"
        if not page:
            return Reply({"meta": meta})
        shown = [self.world.user_shown(user, self.version) for user in users.values()]
        return Reply(
            {
                "data": [self.world.event_shown(one, self.version) for one in page],
                "includes": {"users": shown},
                "meta": meta,
            }
        )

    # -- writing -----------------------------------------------------------------------------------------------------------

    def _post(self, body: Any) -> Reply:
        text, parent = body.get("text", ""), body.get("reply", {}).get("in_reply_to_tweet_id")
        answered = self.world.posts.get(parent or "")
        if parent and (answered is None or parent in self.world.gone):
            return self._forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if answered and not self._summoned(answered):
            return self._forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
                "author of the post you are replying to."
            )
        if any(text == said for _, said, _ in self.accepted):
            return self._forbidden("You are not allowed to create a Tweet with duplicate content.")
        made = self.world.say(self.owner, text, self.now(), parent=parent)
        self.accepted.append((made.id, text, parent or ""))
        shown = self.world.whole(made, self.version)
        self._bill("answer" if parent else "post_create", [made.id])
        history = {} if self.version == OLD else {"edit_history_post_ids": [made.id]}
        return Reply({"data": {"id": made.id, "text": shown["text"], **history}}, 201)

    def _summoned(self, answered: Post) -> bool:
        if answered.author is self.owner or self.owner in self.world.names_in(answered):
            return True
        quoted = self.world.posts.get(answered.quoted or "")
        return quoted is not None and quoted.author is self.owner

    def _message(self, request: Request) -> Reply:
        text = request.data["text"]
        person = re.fullmatch(r"/2/dm_conversations/with/(\d+)/messages", request.path)
        known = [user for user in self.world.users.values() if person and user.id == person[1]]
        if person and (not known or known[0].protected):
            return self._forbidden("You cannot send messages to this user.")
        if person:
            made = self.world.write(self.owner, known, text, self.now())
        else:
            conversation = request.path.split("/")[3]
            others = [self.world.users[one] for one in conversation.split("-") if one in self.world.users]
            made = self.world.write(self.owner, others, text, self.now())
        self.accepted.append((made.id, text, made.conversation_id))
        self._bill("message", [made.id])
        return Reply({"data": {"dm_conversation_id": made.conversation_id, "dm_event_id": made.id}}, 201)

    def _forbidden(self, detail: str) -> Reply:
        return Reply({"title": "Forbidden", "type": "about:blank", "status": 403, "detail": detail}, 403)

    # -- small things ------------------------------------------------------------------------------------------------------

    def _wrong(
        self, given: dict[str, str], allowed: set[str], fields: str, names: Iterable[str], expansions: Iterable[str]
    ) -> str:
        unknown = given.keys() - allowed
        if unknown:
            return f"The query parameter [{sorted(unknown)[0]}] is not one of [{','.join(sorted(allowed))}]"
        for name, known in ((fields, set(names)), ("expansions", set(expansions))):
            bad = set(given.get(name, "").split(",")) - known - {""}
            if bad:
                return (
                    f"The `{name}` query parameter value [{sorted(bad)[0]}] is not one of [{','.join(sorted(known))}]"
                )
        return ""

    def _invalid(self, message: str) -> Reply:
        detail = "One or more parameters to your request was invalid."
        errors = [{"parameters": {}, "message": message}]
        return self.problem(400, "invalid-request", detail, errors=errors)

    def _bill(self, item: str, ids: Iterable[str]) -> None:
        day = self.now().date().isoformat()
        kind = "post" if item == "post_owned" else item
        for native_id in ids:
            if (day, kind, native_id) not in self._paid:
                self._paid.add((day, kind, native_id))
                self.billed[item] += 1

    def signed(self, body: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        digest = hmac.new(SETTINGS["consumer_secret"].encode(), raw, hashlib.sha256).digest()
        return {"x-twitter-webhooks-signature": "sha256=" + base64.b64encode(digest).decode()}, raw
