"""X (Twitter), through tweepy: the door. What it is (SPEC), how it is connected, and which part does what.

Reading is x_read.py, the past x_past.py, answering x_write.py under the rules of x_rules.py, deliveries x_webhook.py, and
the mapping of X's answers x_answer.py with x_map.py. Every read has a price (x_prices.py); nothing waits or retries here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from collectors import x_webhook, x_write
from collectors.wire import at, text_of
from collectors.x_answer import map_answer
from collectors.x_beside import Own, recalled
from collectors.x_errors import PERMISSION
from collectors.x_prices import PRICING, Item, Meter, dollars
from collectors.x_query import ARCHIVE_LENGTH, ENTERPRISE_LENGTH, RECENT_LENGTH
from collectors.x_rules import ENTERPRISE_RULES, PRIVATE_RULES, RULES, is_message
from collectors.x_settings import KEYS, Chosen, required
from collectors.x_text import ID
from domain.clock import Now, utc_now
from domain.contracts import (
    Act,
    Collector,
    CollectorSpec,
    Cursor,
    Delivery,
    Estimate,
    IdempotencyKey,
    Page,
    Permission,
    RemoteId,
    Search,
    Setting,
    Spend,
    Watch,
    WebhookAnswer,
)
from domain.errors import ConfigurationError, RefusedError
from domain.mention import Mention
from domain.permission import decide

if TYPE_CHECKING:
    from collectors.x_client import Keys, XApi
    from collectors.x_past import Past

__all__ = ["RULES", "SPEC", "connect", "map_answer"]

_DAY = timedelta(days=1)
SPEC = CollectorSpec(
    key="x",
    title="X (Twitter)",
    settings=(
        Setting("account", "Handle of the account, without @"),
        Setting("consumer_key", "API key of the app", secret=True),
        Setting("consumer_secret", "API key secret of the app", secret=True),
        Setting("access_token", "Access token of the account", secret=True),
        Setting("access_token_secret", "Access token secret of the account", secret=True),
        Setting("bearer_token", "Bearer token of the app: needed for counts and the full archive", False, secret=True),
        Setting("plan", "payg (default), basic, pro or enterprise", required=False),
        Setting("owns_app", "yes where the account itself owns the app: its mentions then cost $0.001", required=False),
        Setting("messages", "no to leave direct messages unread", required=False),
        Setting("context", "no to save the price of posts that are answered or quoted", required=False),
        Setting("history", "Days that the first reading goes back, 7 unless given", required=False),
        Setting("follow", "Days for which conversations of ours are read on, 14 unless given", required=False),
        Setting("archive", "yes to read further back than seven days when filling in the past", required=False),
        Setting("country", "Two letters: posts withheld there are no longer shown; FR unless given", required=False),
        Setting("text_limit", "Characters of a post, for verified accounts; 280 unless given", required=False),
        Setting("fields", "Names in which fields are asked for: tweet (default) or post", required=False),
        Setting("api_host", "Address of the interface, https://api.x.com unless given", required=False),
        Setting("allow_private", "yes for a server in your own network", required=False),
    ),
    lookback=timedelta(days=7),
    permissions=("Read and write and Direct message",),
    price_per_read=dollars(Item.POST),
    can_reply=True,
    reads="Mentions and answers of the account, its own posts and what is said below them, keyword searches of the last "
    "seven days, quotes, direct messages that are not encrypted; by webhook also at once, with deletions.",
    answers="Public answer to who mentions, quotes or answers the account; direct message; hiding answers in own "
    "conversations; taking back own words.",
    access=(
        "Log in on console.x.com with the account of the brand, so that it owns the app and its mentions cost less.",
        "Create a project and an app, and buy credits (pay-per-use).",
        "Under “User authentication settings”, choose “Read and write and Direct message”.",
        "Under “Keys and tokens”, make API key, access token and bearer token, and put them into the environment.",
        "For webhooks: register the address in the console and subscribe to post.mention.create, post.reply.create, "
        "post.quote.create, post.create, post.delete, dm.received and dm.sent.",
    ),
    limits="In 15 minutes: 300 pages of mentions, 300 of searches, 900 of own posts, 15 of direct messages, 100 answers. "
    "Mentions: the last 800. Searches: seven days, 512 characters. 3 million posts a month.",
    retention="What is deleted, made private, suspended or withheld on X must go here too: within 24 hours of a request, and "
    "all of it within ten working days after the access ends. Linking an account on X to a customer needs their consent.",
    facts=(
        f"{PRICING}; read 2026-11-26",
        "X API docs, “X API Rate Limits”, as of 2026-08-22; read 2026-11-26",
        "X API docs, “Timelines” and “Search Operators”, as of 2026-08-22; read 2026-11-26",
        "X API docs, “Manage Posts: integration guide”, and changelog of 2026-02-23; read 2026-11-26",
        "X API docs, “Webhooks: Quickstart” and “Event payloads”, as of 2026-08-22; read 2026-11-26",
        "X Developer Policy, as of 2026-08-22; read 2026-11-26",
        "OpenAPI descriptions 2.157 and 2.167 of the X API v2",
    ),
    rehydrate_every=_DAY,
)


def connect(
    settings: Mapping[str, str],
    *,
    now: Now = utc_now,
    base: str | None = None,
    timeout: float = 10.0,
    page_size: int = 100,
) -> Collector:
    """The collector of one account.

    Args:
        base: a server to ask instead of X; it may be on this machine.
        timeout: seconds without a sign of life.
        page_size: how many are asked for at once, 10 to 100.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    from collectors.x_client import HOST, Keys, XApi  # tweepy takes a second to load; mapping does not need it

    chosen = Chosen.of(settings)
    keys = Keys(**{key: required(settings, key) for key in KEYS}, bearer_token=settings.get("bearer_token", "").strip())
    if chosen.archive and not keys.bearer_token:
        raise ConfigurationError("The full archive needs the setting bearer_token. Add it, or set archive to no.")
    api = XApi(
        keys,
        base or chosen.api_host or HOST,
        now=now,
        dialect=chosen.fields,
        context=chosen.context,
        allow_private=base is not None or chosen.allow_private,
        timeout=timeout,
    )
    owner = keys.access_token.partition("-")[0]  # a token begins with the number of its account
    own = Own(owner if ID.fullmatch(owner) else "", chosen.account)
    return XCollector(api, own, chosen, keys, page_size, now)


class XCollector:
    """One account on X."""

    spec = SPEC

    def __init__(self, api: "XApi", own: Own, chosen: Chosen, keys: "Keys", page_size: int, now: Now) -> None:
        self._api, self._own, self._chosen, self._now = api, own, chosen, now
        self._keys, self._page_size = keys, page_size
        self._meter = Meter(now, billed=chosen.plan == "payg")

    # -- reading -----------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """See Collector: the keys work, and they belong to the account. Costs one user read a day."""
        me = self._me()
        level = self._api.access_level
        missing = "write" not in level or (self._chosen.messages and "directmessages" not in level)
        if level and missing:
            raise ConfigurationError(f"The keys of the X source may only do “{level}”. {PERMISSION}")
        if me.handle.lower() != self._chosen.account.lower():
            raise ConfigurationError(
                f"The keys belong to @{me.handle}, the setting account says @{self._chosen.account}. Make them agree."
            )

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector. Each page's cursor is safe: X lists the newest first, and the cursor says how far down we are."""
        from collectors.x_place import Places
        from collectors.x_read import Options, Run

        places, spent = Places.of(since), Spend()
        own = self._own if self._own.id else replace(self._own, id=places.me)
        if not own.id:
            own = self._me()
            places.me, spent = own.id, self._meter.call([(Item.USER, own.id)])
        options = Options(
            history=self._chosen.history * _DAY,
            follow=self._chosen.follow * _DAY,
            own_price=Item.OWNED_POST if self._chosen.owns_app else Item.POST,
            messages=self._chosen.messages,
            query_length=self._query_length,
            page_size=self._page_size,
        )
        own = Own(own.id, self._own.handle, places.own_threads)
        run = Run(self._api, own, self._meter, options, self._now, watch, places)
        run.spent = spent
        yield from run.pages()

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate."""
        return self._past.rehydrate(mentions)

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch."""
        return self._past.search_of(watch)

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        """See CanEstimate."""
        return self._past.estimate(watch, since, until)

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        """See CanBackfill."""
        return self._past.backfill(watch, since, until, cursor)

    # -- answering ---------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply; where X does not let us, the reason ends with the address at which a person may."""
        rules = ENTERPRISE_RULES if self._chosen.plan == "enterprise" else RULES
        permission = self._as_planned(decide(rules, recalled(mention, self._own), self._now()))
        if is_message(mention) or permission.text_limit is None:
            return permission
        if not permission.allowed:
            link = f"https://x.com/intent/post?in_reply_to={x_write.shown_id(mention)}"
            permission = replace(permission, reason=f"{permission.reason} Answer there: {link}")
        return replace(permission, text_limit=self._chosen.text_limit)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - X knows no keys
        """See CanReply. Of what was kept without X's own words on it, X decides."""
        permission = self.may_reply(mention)
        if not permission.allowed and (mention.raw or mention.outbound):
            raise RefusedError(permission.reason)
        return x_write.send(self._api, mention, text, permission.text_limit)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack: public answers first, then private ones, since the caller does not say which it was."""
        own = self._own if self._own.id else self._me()
        return x_write.find(self._api, own, mention, text, messages=self._chosen.messages)

    def may_reply_privately(self, mention: Mention) -> Permission:
        """See CanReplyPrivately."""
        return self._as_planned(decide(PRIVATE_RULES, mention, self._now()))

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002
        """See CanReplyPrivately."""
        permission = self.may_reply_privately(mention)
        if not permission.allowed:
            raise RefusedError(permission.reason)
        if is_message(mention):
            return x_write.send(self._api, mention, text, permission.text_limit)
        return x_write.send_privately(self._api, mention, text)

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """See CanModerate."""
        return x_write.acts(recalled(mention, self._own))

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:  # noqa: ARG002
        """See CanModerate."""
        x_write.act(self._api, recalled(mention, self._own), act)

    # -- being told --------------------------------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> WebhookAnswer:
        """See HearsWebhooks."""
        return x_webhook.receive(delivery, self._keys.consumer_secret)

    def unpack(self, delivery: Delivery) -> Page:
        """See HearsWebhooks."""
        return x_webhook.unpack(delivery, self._own, self._meter)

    # -- parts -------------------------------------------------------------------------------------------------------------

    def _me(self) -> Own:
        user = at(self._api.me(), "data")
        return Own(text_of(at(user, "id")), text_of(at(user, "username")))

    def _as_planned(self, permission: Permission) -> Permission:
        return permission if self._chosen.plan == "payg" else replace(permission, price=0.0)

    @property
    def _query_length(self) -> int:
        return ENTERPRISE_LENGTH if self._chosen.plan == "enterprise" else RECENT_LENGTH

    @cached_property
    def _past(self) -> "Past":
        from collectors.x_past import Past

        length = ARCHIVE_LENGTH if self._chosen.archive else RECENT_LENGTH
        return Past(
            self._api,
            self._own,
            self._meter,
            self._now,
            query_length=ENTERPRISE_LENGTH if self._chosen.plan == "enterprise" else length,
            archive=self._chosen.archive,
            can_count=bool(self._keys.bearer_token),
            country=self._chosen.country,
        )
