"""Facebook Pages, through facebook-sdk: the door. What it is (SPEC), how it is connected, and which part does what.

Reading is `facebook_read`, answering `facebook_write` under the rules of `facebook_rules`, deliveries `facebook_notices`,
and the mapping of answers `facebook_answer` with `facebook_map`. What Instagram shares with it is in the files `meta_*`;
`meta_graph` alone knows the SDK. Nothing waits or retries here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from collectors import facebook_notices, facebook_rules, meta_settings, meta_webhook
from collectors.facebook_answer import map_answer
from collectors.facebook_rules import RULES
from collectors.meta_items import Own, Sorting
from domain.clock import Now, utc_now
from domain.contracts import (
    Act,
    Collector,
    CollectorSpec,
    Cursor,
    Delivery,
    IdempotencyKey,
    Page,
    Permission,
    RemoteId,
    Setting,
    Watch,
    WebhookAnswer,
)
from domain.errors import ConfigurationError, RefusedError
from domain.mention import Mention
from domain.permission import decide

if TYPE_CHECKING:
    from collectors.facebook_read import Options
    from collectors.meta_graph import Graph
    from collectors.meta_inbox import Inbox

__all__ = ["RULES", "SPEC", "connect", "map_answer"]

_DAY = timedelta(days=1)
SPEC = CollectorSpec(
    key="facebook",
    title="Facebook Page",
    settings=(
        meta_settings.PAGE,
        meta_settings.TOKEN,
        meta_settings.SECRET,
        Setting("tagged", "no to leave posts unread that tag the Page", required=False),
        Setting("ratings", "no to leave recommendations unread", required=False),
        *meta_settings.SHARED,
    ),
    lookback=timedelta(days=7),
    permissions=(
        "pages_show_list", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content",
        "pages_manage_engagement", "pages_messaging",
    ),
    can_reply=True,
    reads="The Page's posts and visitors' posts with all comments and answers below them, posts that tag the Page, "
    "recommendations, Messenger conversations; by webhook also at once, with edits and removals.",
    answers="Comment below a post, comment or recommendation; one private answer to a comment or visitor's post within 7 days; "
    "Messenger within 24 hours, with the Human Agent feature 7 days; hiding comments, taking back own ones.",
    access=(
        "In developers.facebook.com, create an app of type “Business” with the use case “Manage everything on your Page”.",
        "In Meta Business Suite, “Settings”, “System users”, create one, give it the Page with full control and the app, and "
        "generate a token that does not expire, with the permissions listed here.",
        "With that token, read /{page}?fields=access_token in the Graph API Explorer: this is the token of the Page. Put it, "
        "the App secret and the Page ID into the settings.",
        "App Review (Advanced Access) is needed where the Page belongs to another business than the app, and for messages of "
        "people without a role on the app.",
        "For webhooks: in the app, “Webhooks”, object “Page”, give our address and the word of verify_token, subscribe to "
        "feed, mention, ratings, messages and message_echoes, then add the app to the Page (/{page}/subscribed_apps).",
    ),
    limits="With the token of a Page: 4,800 calls in 24 hours for each person who dealt with the Page in that time. The feed "
    "shows about 600 posts a year. Reading slows from 80 % of the allowance and stops at 95 %.",
    retention="What people removed must go here too, and all data of a person when they or Meta ask for it; data that the "
    "app no longer needs, or after the access ends, must be deleted (Meta Platform Terms, 3.d).",
    facts=(
        "Meta, Graph API changelog (v26.0 of 2026-07-29); stored copies, 2026-11-26",
        "Meta, Graph API reference v26.0: “Page Feed”, “Page Published Posts”, “Object Comments”, “Comment”; "
        "stored copies, 2026-11-26",
        "Meta, “Rate Limits” and “Handle Errors”; stored copies, 2026-11-26",
        "Meta, Messenger Platform: “Private Replies” (2026-04-16), “Conversations API” (2026-02-11); "
        "stored copies, 2026-11-26",
        "Meta, “Webhooks: Getting Started” and “Webhooks Reference: Page”; stored copies, 2026-11-26",
        "Fields and edges: facebook-business 26.0.3, classes Page, PagePost, Comment, Recommendation, UnifiedThread",
    ),
    rehydrate_every=_DAY,
)  # fmt: skip


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one Page.

    Args:
        base: a server to ask instead of Meta; it may be on this machine.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    from collectors.facebook_read import Options

    page = meta_settings.page_of(settings)
    graph = meta_settings.graph_of(settings, name="Facebook", now=now, base=base, timeout=timeout)
    options = Options(
        history=meta_settings.days(settings, "history"),
        follow=meta_settings.days(settings, "follow"),
        tagged=meta_settings.switch(settings, "tagged", default=True),
        ratings=meta_settings.switch(settings, "ratings", default=True),
        messages=meta_settings.switch(settings, "messages", default=True),
    )
    chosen = _Chosen(
        page,
        options,
        human_agent=meta_settings.switch(settings, "human_agent", default=False),
        app_secret=settings["app_secret"].strip(),
        verify_token=settings.get("verify_token", "").strip(),
    )
    return FacebookCollector(graph, chosen, now)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a source is set to."""

    page: str
    options: "Options"
    human_agent: bool
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)


class FacebookCollector:
    """One Page."""

    spec = SPEC

    def __init__(self, graph: "Graph", chosen: _Chosen, now: Now) -> None:
        self._graph, self._chosen, self._now = graph, chosen, now
        self._own = Own(frozenset({chosen.page}))

    # -- reading -----------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """See Collector: the token is the Page's, and each list that is to be read can be. A few calls, free of charge."""
        from collectors import facebook_check

        facebook_check.check(self._graph, self._chosen.page, self._chosen.options)

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - all of it is said to us
        """See Collector. Each page's cursor is safe. What is said on or to the Page is heard whatever is watched."""
        from collectors.facebook_read import PageRun
        from collectors.meta_errors import GoneError
        from collectors.meta_place import Place

        run = PageRun(self._graph, self._chosen.page, Place.of(since), self._chosen.options, self._now)
        try:
            yield from run.pages()
        except GoneError as error:
            raise ConfigurationError(
                f"Facebook does not show this token a Page with the number {self._chosen.page}. Check the settings page and "
                "access_token."
            ) from error

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate."""
        from collectors import facebook_again

        return facebook_again.rehydrate(self._graph, self._own, mentions)

    # -- answering ---------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        rules = facebook_rules.HUMAN_AGENT_RULES if self._chosen.human_agent else RULES
        return decide(rules, mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - Meta knows no keys
        """See CanReply."""
        from collectors import facebook_write

        _must_fit(self.may_reply(mention), text)
        return facebook_write.send(self._graph, self._chosen.page, mention, text, self._now)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack: public answers first, then private ones, since the caller does not say which it was."""
        from collectors import facebook_write

        return facebook_write.find(self._graph, self._inbox, mention, text, messages=self._chosen.options.messages)

    def may_reply_privately(self, mention: Mention) -> Permission:
        """See CanReplyPrivately."""
        chosen = self._chosen.human_agent
        rules = facebook_rules.HUMAN_AGENT_PRIVATE_RULES if chosen else facebook_rules.PRIVATE_RULES
        return decide(rules, mention, self._now())

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002
        """See CanReplyPrivately."""
        from collectors import facebook_write

        _must_fit(self.may_reply_privately(mention), text)
        return facebook_write.send_privately(self._graph, self._chosen.page, mention, text, self._now)

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """See CanModerate."""
        return facebook_rules.acts(mention)

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:  # noqa: ARG002
        """See CanModerate."""
        from collectors import facebook_write

        facebook_write.act(self._graph, mention, act)

    # -- being told --------------------------------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> WebhookAnswer:
        """See HearsWebhooks."""
        return meta_webhook.receive(
            delivery,
            network="facebook",
            kind="page",
            app_secret=self._chosen.app_secret,
            verify_token=self._chosen.verify_token,
        )

    def unpack(self, delivery: Delivery) -> Page:
        """See HearsWebhooks. Asks Facebook for what is named only by its id, and whose post an answer stands below."""
        sorting = Sorting()
        body = meta_webhook.body_of(delivery.body) or {}
        facebook_notices.map_delivery(body, self._own, sorting, _LookUp(self._graph))
        found = sorting.mapped()
        changed = tuple(sorting.changed.values())
        return Page(found.mentions, None, found.rejects, found.deleted, found.notes, changed, self._graph.spent())

    @property
    def _inbox(self) -> "Inbox":
        from collectors.meta_inbox import Inbox

        return Inbox(self._graph, "facebook", self._chosen.page, self._own)


class _LookUp:
    """Posts and comments by id; each is asked for once a delivery."""

    def __init__(self, graph: "Graph") -> None:
        self._graph = graph
        self._known: dict[str, dict[str, Any] | None] = {}

    def post(self, native_id: str) -> dict[str, Any] | None:
        """See Source."""
        from collectors.facebook_read import POST_FIELDS

        return self._get(native_id, POST_FIELDS)

    def comment(self, native_id: str) -> dict[str, Any] | None:
        """See Source."""
        from collectors.facebook_read import COMMENT_FIELDS

        return self._get(native_id, COMMENT_FIELDS)

    def _get(self, native_id: str, fields: str) -> dict[str, Any] | None:
        from collectors.meta_errors import GoneError

        if native_id not in self._known:
            try:
                self._known[native_id] = self._graph.node(native_id, fields)
            except GoneError:
                self._known[native_id] = None
        return self._known[native_id]


def _must_fit(permission: Permission, text: str) -> None:
    if not permission.allowed:
        raise RefusedError(permission.reason)
    if permission.text_limit is not None and len(text) > permission.text_limit:
        raise RefusedError(
            f"The answer has {len(text):,} characters; Facebook takes {permission.text_limit:,}. Shorten it."
        )
