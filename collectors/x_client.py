"""X's interface: tweepy's client with our own line below it, and one method for each question that Comptoir asks.

tweepy knows paths, parameters and signatures; it waits, retries and logs tokens on its own, so `request` is ours: host,
time-out, size, errors (`api_client`, `x_errors`). Field names are asked for in the dialect of the settings, ``tweet`` or
``post``; answers are dictionaries, read in both. To ask something new, add a method here that says what it costs.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import tweepy  # type: ignore[import-untyped]  # ships no types

from collectors.api_client import Answer, ApiClient
from collectors.limits import Allowance
from collectors.x_errors import RENEW, refusal
from domain.clock import Now
from domain.errors import ContractError

logging.getLogger("oauthlib").setLevel(logging.INFO)  # below that it writes the access token into the log
HOST = "https://api.x.com"
PAGE_SIZE = 100
_LEAST, _LEAST_FOUND = 5, 10  # that X takes as the size of a page: of a list, of a search
_POST_FIELDS = (
    "attachments", "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "entities", "geo",
    "in_reply_to_user_id", "lang", "note_tweet", "possibly_sensitive", "public_metrics", "referenced_tweets",
    "reply_settings", "withheld",
)  # fmt: skip
_EXPANSIONS = ("author_id", "attachments.media_keys", "geo.place_id")
_USER_FIELDS = ("name", "username", "protected", "public_metrics")
_MEDIA_FIELDS = ("alt_text", "media_key", "preview_image_url", "type", "url", "variants")
_PLACE_FIELDS = ("country_code", "full_name", "name", "place_type")
_EVENT_FIELDS = (
    "attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id", "referenced_tweets", "sender_id",
    "text",
)  # fmt: skip
_RENAMED = {"note_tweet": "note_post", "referenced_tweets.id": "referenced_posts"}
# What the newer names no longer ask for: it comes by itself, or with the expansion of the same name.
_NOT_ASKED = frozenset({"author_id", "edit_history_tweet_ids", "in_reply_to_user_id", "referenced_tweets", "sender_id"})
_ID_IN_PATH = re.compile(r"(?<=.)/\d[\d-]*")


@dataclass(frozen=True, slots=True)
class Keys:
    """Who we are for X; never in a message or a log."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)
    bearer_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a list: ids above `since` and below `until`, newest first; `token` is the next page's."""

    since: str | None = None
    until: str | None = None
    token: str | None = None
    size: int = PAGE_SIZE


class _Client(tweepy.Client):  # type: ignore[misc]  # tweepy ships no types
    """tweepy over our own line."""

    def __init__(self, line: ApiClient, keys: Keys, dialect: str, allowances: "Allowances") -> None:
        super().__init__(
            keys.bearer_token,
            keys.consumer_key,
            keys.consumer_secret,
            keys.access_token,
            keys.access_token_secret,
            return_type=dict,
            wait_on_rate_limit=False,
        )
        self._line, self._dialect, self._allowances = line, dialect, allowances

    def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = False,
    ) -> "_Body":
        """One request, no second try. The signature is made for the host that is really asked."""
        path = f"{route}?{urlencode(params, quote_via=quote, safe='')}" if params else route
        if user_auth:
            signer = tweepy.OAuth1UserHandler(
                self.consumer_key, self.consumer_secret, self.access_token, self.access_token_secret
            ).apply_auth()
            _, headers, _ = signer.client.sign(self._line.base.rstrip("/") + path, http_method=method)
        else:
            headers = {"Authorization": f"Bearer {self.bearer_token}"}
        if method == "GET":
            self._allowances.must_last(route)
        # Deleting and hiding twice is doing it once: only what is posted can be posted twice.
        answer = self._line.json(method, path, body=json, headers=headers, write=method == "POST")
        return _Body(answer.data)

    def _process_params(self, params: dict[str, Any], endpoint_parameters: Sequence[str]) -> dict[str, Any]:
        processed: dict[str, Any] = super()._process_params(params, endpoint_parameters)
        return processed if self._dialect == "tweet" else renamed(processed)


@dataclass(frozen=True, slots=True)
class _Body:
    """What tweepy wants of an answer."""

    data: Any

    def json(self) -> dict[str, Any]:
        if not isinstance(self.data, dict):
            raise ContractError(
                "X answered in a shape that is not known. Nothing of it was kept; it is asked for again."
            )
        return self.data


def renamed(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in the names of 2026: post for tweet."""
    found = {}
    for name, value in params.items():
        wanted = str(value)
        if name.endswith(".fields") or name == "expansions":
            fields = [one for one in wanted.split(",") if name == "expansions" or one not in _NOT_ASKED]
            wanted = ",".join(_RENAMED.get(one, one) for one in fields)
        if wanted:
            found["post.fields" if name == "tweet.fields" else name] = wanted
    return found


class Allowances:
    """X's last word on each of its limits; reading stops in time, so that answers can still be looked up."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self.access_level = ""
        self._by_route: dict[str, Allowance] = {}

    def note(self, answer: Answer) -> None:
        """Remember what the headers say."""
        self.access_level = answer.headers.get("x-access-level", "") or self.access_level
        self._of(answer.path).note(answer.headers, self._now())

    def must_last(self, path: str) -> None:
        """Raises TransientError where X would refuse the next question."""
        self._of(path).must_last(self._now())

    def _of(self, path: str) -> Allowance:
        route = _ID_IN_PATH.sub("/:id", path.partition("?")[0])
        return self._by_route.setdefault(route, Allowance("X"))


class XApi:
    """The questions that Comptoir asks X; each answer is the whole body.

    Args:
        dialect: ``tweet`` or ``post``, the names in which fields are asked for.
        context: also bring the posts that are answered and quoted; each is billed.
        timeout: seconds without a sign of life.
    """

    def __init__(
        self,
        keys: Keys,
        base: str,
        *,
        now: Now,
        dialect: str = "tweet",
        context: bool = True,
        allow_private: bool = False,
        timeout: float = 10.0,
    ) -> None:
        self._allowances = allowances = Allowances(now)
        self._line = ApiClient(
            base,
            timeout=timeout,
            now=now,
            name="X",
            renew=RENEW,
            secrets=(keys.consumer_secret, keys.access_token, keys.access_token_secret, keys.bearer_token),
            allow_private=allow_private,
            on_answer=allowances.note,
            refuse=lambda answer: refusal(answer, now()),
        )
        self._client = _Client(self._line, keys, dialect, allowances)
        referenced = ("referenced_tweets.id",) if context or dialect == "post" else ()
        self._fields = {
            "tweet_fields": list(_POST_FIELDS),
            "expansions": [*_EXPANSIONS, *referenced],
            "user_fields": list(_USER_FIELDS),
            "media_fields": list(_MEDIA_FIELDS),
            "place_fields": list(_PLACE_FIELDS),
        }

    @property
    def access_level(self) -> str:
        """What X says our keys may do (``read-write-directmessages``); empty where it has not said so."""
        return self._allowances.access_level

    # -- reading -----------------------------------------------------------------------------------------------------------

    def me(self) -> dict[str, Any]:
        """Our account. One user read."""
        return self._dict(self._client.get_me(user_fields=list(_USER_FIELDS)))

    def mentions(self, user_id: str, span: Span) -> dict[str, Any]:
        """Posts that name an account: the 800 most recent ones. An owned read each, and a user read each author."""
        return self._dict(self._client.get_users_mentions(user_id, user_auth=True, **self._page(span), **self._fields))

    def posts(self, user_id: str, span: Span) -> dict[str, Any]:
        """Posts of an account: the 3,200 most recent ones. An owned read each."""
        return self._dict(self._client.get_users_tweets(user_id, user_auth=True, **self._page(span), **self._fields))

    def search(self, query: str, span: Span) -> dict[str, Any]:
        """Posts of the last seven days. A post read each, and a user read each author."""
        page = self._search_page(span)
        return self._dict(self._client.search_recent_tweets(query, user_auth=True, **page, **self._fields))

    def search_all(self, query: str, span: Span) -> dict[str, Any]:
        """Posts since 2006; needs the bearer token, and a second between two questions."""
        return self._dict(self._client.search_all_tweets(query, **self._search_page(span), **self._fields))

    def count(self, query: str, since: str, until: str | None, *, archive: bool = False) -> dict[str, Any]:
        """How many posts a search would find; billed by request, needs the bearer token."""
        ask = self._client.get_all_tweets_count if archive else self._client.get_recent_tweets_count
        return self._dict(ask(query, since_id=since, until_id=until, granularity="day"))

    def lookup(self, ids: Sequence[str]) -> dict[str, Any]:
        """Posts by id, at most 100, without their authors. A post read each."""
        return self._dict(self._client.get_tweets(list(ids), user_auth=True, tweet_fields=list(_POST_FIELDS)))

    def events(self, span: Span, *, conversation: str | None = None, person: str | None = None) -> dict[str, Any]:
        """Direct messages of the last 30 days, all or of one conversation. An event read each."""
        return self._dict(
            self._client.get_direct_message_events(
                dm_conversation_id=conversation,
                participant_id=person,
                user_auth=True,
                dm_event_fields=list(_EVENT_FIELDS),
                expansions=["sender_id", "attachments.media_keys"],
                user_fields=list(_USER_FIELDS),
                media_fields=list(_MEDIA_FIELDS),
                event_types="MessageCreate",
                max_results=span.size,
                pagination_token=span.token,
            )
        )

    # -- writing -----------------------------------------------------------------------------------------------------------

    def post(self, text: str, parent: str) -> dict[str, Any]:
        """Answer a post."""
        return self._dict(self._client.create_tweet(text=text, in_reply_to_tweet_id=parent, user_auth=True))

    def message(self, text: str, *, conversation: str | None = None, person: str | None = None) -> dict[str, Any]:
        """Send a direct message into a conversation, or to an account."""
        return self._dict(
            self._client.create_direct_message(
                dm_conversation_id=conversation, participant_id=person, text=text, user_auth=True
            )
        )

    def hide(self, native_id: str, *, hidden: bool) -> None:
        """Hide or show an answer to a post of ours."""
        (self._client.hide_reply if hidden else self._client.unhide_reply)(native_id, user_auth=True)

    def delete(self, native_id: str) -> None:
        """Take back a post of ours."""
        self._client.delete_tweet(native_id, user_auth=True)

    def delete_message(self, native_id: str) -> None:
        """Take back a direct message, for our side of the conversation."""
        self._client.request("DELETE", f"/2/dm_events/{native_id}", user_auth=True)

    @staticmethod
    def _page(span: Span) -> dict[str, Any]:
        size = max(span.size, _LEAST)
        return {"since_id": span.since, "until_id": span.until, "max_results": size, "pagination_token": span.token}

    @staticmethod
    def _search_page(span: Span) -> dict[str, Any]:
        size = max(span.size, _LEAST_FOUND)
        return {"since_id": span.since, "until_id": span.until, "max_results": size, "next_token": span.token}

    @staticmethod
    def _dict(answer: Any) -> dict[str, Any]:
        body: dict[str, Any] = answer
        return body
