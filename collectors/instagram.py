"""Instagram, through facebook-sdk: the door. What it is (SPEC), how it is connected, and which part does what.

Reading is `instagram_read` and `instagram_tags`, answering `instagram_write` under the rules of `instagram_rules`, deliveries
`instagram_notices`, and the mapping of answers `instagram_answer` with `instagram_map`. What Facebook shares with it is in the
files `meta_*`; `meta_graph` alone knows the SDK. Nothing waits or retries here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from collectors import instagram_notices, instagram_rules, meta_settings, meta_webhook
from collectors.instagram_answer import map_answer
from collectors.instagram_rules import MESSAGE_BYTES, RULES, is_message
from collectors.meta_items import NOBODY, Own, Sorting
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
from domain.errors import ConfigurationError, InputError, RefusedError
from domain.mention import Mention
from domain.permission import decide

if TYPE_CHECKING:
    from collectors.instagram_read import Options
    from collectors.meta_graph import Graph
    from collectors.meta_inbox import Inbox

__all__ = ["RULES", "SPEC", "connect", "map_answer"]

_DAY = timedelta(days=1)
SPEC = CollectorSpec(
    key="instagram",
    title="Instagram",
    settings=(
        meta_settings.PAGE,
        meta_settings.TOKEN,
        meta_settings.SECRET,
        Setting("account", "Number of the Instagram account; the one that is connected to the Page unless given", False),
        Setting("hashtags", "Hashtags to listen to, at most 30 in a week", required=False),
        Setting("tagged", "no to leave media unread that tag the account", required=False),
        *meta_settings.SHARED,
    ),
    lookback=timedelta(days=7),
    permissions=(
        "instagram_basic", "instagram_manage_comments", "instagram_manage_messages", "pages_show_list",
        "pages_read_engagement", "pages_manage_metadata", "Instagram Public Content Access (hashtags only)",
    ),
    can_reply=True,
    reads="Comments and answers on the account's own media, media that tag it, what bears chosen hashtags (of the last 24 "
    "hours, without authors), direct messages; by webhook also where the account is @mentioned in comments and captions of "
    "others.",
    answers="Answer to a comment on own media, or to an @mention; one private answer to a comment within 7 days; direct "
    "message within 24 hours, with the Human Agent feature 7 days; hiding comments, taking back own ones.",
    access=(
        "Make the Instagram account a professional one and connect it to a Facebook Page.",
        "In developers.facebook.com, create an app of type “Business”; in Meta Business Suite, “Settings”, “System users”, "
        "create one, give it the Page and the app, and generate a token with the permissions listed here.",
        "With that token, read /{page}?fields=access_token in the Graph API Explorer: this is the token of the Page. Put it, "
        "the App secret and the Page ID into the settings.",
        "In the Instagram app, “Settings”, “Messages”, turn on access for connected tools.",
        "App Review (Advanced Access) is needed for messages of people without a role on the app, and for hashtags the "
        "feature Instagram Public Content Access.",
        "For webhooks: in the app, “Webhooks”, object “Instagram”, give our address and the word of verify_token, subscribe "
        "to comments, live_comments, mentions and messages, then add the app to the Page (/{page}/subscribed_apps).",
    ),
    limits="4,800 calls in 24 hours for each impression of the account's content; conversations 2 calls a second. 30 "
    "different hashtags in seven days. The 10,000 newest media; 50 comments a page; the last 20 messages of a conversation. "
    "Mentions have no list: what no webhook told is not heard. No mentions in stories, none of private accounts.",
    retention="What people removed must go here too, and all data of a person when they or Meta ask for it; data that the "
    "app no longer needs, or after the access ends, must be deleted (Meta Platform Terms, 3.d).",
    facts=(
        "Meta, Instagram Platform: “IG Media Comments” (2025-01-21), “IG Comment Replies”, “IG User Media”; "
        "stored copies, 2026-11-26",
        "Meta, Instagram Platform: “IG User Mentions” and “Mentioned Media” (2025-01-21); stored copies, 2026-11-26",
        "Meta, Instagram Platform: “Hashtag Search” (2024-01-26), “IG Hashtag Recent Media”; "
        "stored copies, 2026-11-26",
        "Meta, Messenger Platform: “Conversations API” (2026-02-11), “Private Replies”, “Error Codes”; "
        "stored copies, 2026-11-26",
        "Meta, “Rate Limits” and “Webhooks Reference: Instagram”; stored copies, 2026-11-26",
    ),
    rehydrate_every=_DAY,
)  # fmt: skip


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account.

    Args:
        base: a server to ask instead of Meta; it may be on this machine.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    from collectors.instagram_read import Options
    from collectors.instagram_tags import hashtags_in

    page = meta_settings.page_of(settings)
    graph = meta_settings.graph_of(settings, name="Instagram", now=now, base=base, timeout=timeout)
    try:
        hashtags = hashtags_in(settings.get("hashtags", ""))
    except InputError as error:
        raise ConfigurationError(f"The setting hashtags cannot be used: {error}.") from error
    options = Options(
        history=meta_settings.days(settings, "history"),
        follow=meta_settings.days(settings, "follow"),
        hashtags=hashtags,
        tagged=meta_settings.switch(settings, "tagged", default=True),
        messages=meta_settings.switch(settings, "messages", default=True),
    )
    account = settings.get("account", "").strip()
    if account:
        account = meta_settings.number(settings, "account", "Or leave it empty: the Page knows its account.")
    chosen = _Chosen(
        page,
        account,
        options,
        human_agent=meta_settings.switch(settings, "human_agent", default=False),
        app_secret=settings["app_secret"].strip(),
        verify_token=settings.get("verify_token", "").strip(),
    )
    return InstagramCollector(graph, chosen, now)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a source is set to."""

    page: str
    account: str
    options: "Options"
    human_agent: bool
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)


class InstagramCollector:
    """One account."""

    spec = SPEC

    def __init__(self, graph: "Graph", chosen: _Chosen, now: Now) -> None:
        self._graph, self._chosen, self._now = graph, chosen, now
        self._known: Own | None = None

    # -- reading -----------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """See Collector: the token is the Page's, the account is connected, and each list that is to be read can be."""
        from collectors import instagram_check

        instagram_check.check(self._graph, self._chosen.page, self._chosen.account, self._chosen.options)

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector. Each page's cursor is safe. What is said to the account is heard whatever is watched; a watch adds
        the hashtags that it names.
        """
        from collectors.instagram_read import AccountRun, own_of
        from collectors.meta_errors import GoneError
        from collectors.meta_place import Place

        place, page = Place.of(since), self._chosen.page
        try:
            own = self._known = own_of(self._graph, page, place, self._chosen.account)
            run = AccountRun(self._graph, page, own, place, self._chosen.options, self._now, watch=watch)
            yield from run.pages()
        except GoneError as error:
            raise ConfigurationError(
                f"Meta does not show this token an Instagram account that is connected to the Page {page}. Check the settings "
                "page and access_token, and that the account is connected to the Page."
            ) from error

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate."""
        from collectors import instagram_again

        return instagram_again.rehydrate(self._graph, self._own(), mentions)

    # -- answering ---------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        rules = instagram_rules.HUMAN_AGENT_RULES if self._chosen.human_agent else RULES
        return decide(rules, mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - Meta knows no keys
        """See CanReply."""
        from collectors import instagram_write

        _must_fit(self.may_reply(mention), text, private=is_message(mention))
        own = NOBODY if is_message(mention) or instagram_rules.on_own_media(mention) else self._own()
        return instagram_write.send(self._graph, self._chosen.page, own, mention, text, self._now)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack: public answers first, then private ones, since the caller does not say which it was."""
        from collectors import instagram_write

        return instagram_write.find(self._graph, self._inbox(), mention, text, messages=self._chosen.options.messages)

    def may_reply_privately(self, mention: Mention) -> Permission:
        """See CanReplyPrivately."""
        chosen = self._chosen.human_agent
        rules = instagram_rules.HUMAN_AGENT_PRIVATE_RULES if chosen else instagram_rules.PRIVATE_RULES
        return decide(rules, mention, self._now())

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002
        """See CanReplyPrivately."""
        from collectors import instagram_write

        _must_fit(self.may_reply_privately(mention), text, private=True)
        return instagram_write.send_privately(self._graph, self._chosen.page, mention, text, self._now)

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """See CanModerate."""
        return instagram_rules.acts(mention)

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:  # noqa: ARG002
        """See CanModerate."""
        from collectors import instagram_write

        instagram_write.act(self._graph, mention, act)

    # -- being told --------------------------------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> WebhookAnswer:
        """See HearsWebhooks."""
        return meta_webhook.receive(
            delivery,
            network="instagram",
            kind="instagram",
            app_secret=self._chosen.app_secret,
            verify_token=self._chosen.verify_token,
        )

    def unpack(self, delivery: Delivery) -> Page:
        """See HearsWebhooks. Asks Instagram for the words of mentions: they are told by their number only."""
        sorting, own = Sorting(), self._own()
        body = meta_webhook.body_of(delivery.body) or {}
        instagram_notices.map_delivery(body, own, sorting, _LookUp(self._graph, next(iter(own.ids))))
        found = sorting.mapped()
        changed = tuple(sorting.changed.values())
        return Page(found.mentions, None, found.rejects, found.deleted, found.notes, changed, self._graph.spent())

    # -- parts -------------------------------------------------------------------------------------------------------------

    def _own(self) -> Own:
        """Our account; Meta is asked once. Raises ConfigurationError where none is connected to the Page."""
        from collectors.instagram_read import account_of
        from collectors.meta_errors import GoneError

        if self._known is None:
            try:
                self._known = account_of(self._graph, self._chosen.page, self._chosen.account)
            except GoneError as error:
                raise ConfigurationError(f"{error} Check the settings page and account.") from error
        return self._known

    def _inbox(self) -> "Inbox":
        from collectors.meta_inbox import Inbox

        return Inbox(self._graph, "instagram", self._chosen.page, self._own())


class _LookUp:
    """Mentions by id, which is known to be a number: it comes from outside, and is written into the question."""

    def __init__(self, graph: "Graph", account: str) -> None:
        self._graph, self._account = graph, account

    def mentioned_comment(self, comment_id: str) -> dict[str, Any] | None:
        """See Source."""
        fields = "id,text,timestamp,username,like_count,media{id,permalink,media_product_type}"
        return self._get("mentioned_comment", f"comment_id({comment_id})", fields)

    def mentioned_media(self, media_id: str) -> dict[str, Any] | None:
        """See Source."""
        fields = (
            "id,caption,media_type,media_product_type,media_url,permalink,timestamp,username,like_count,comments_count"
        )
        return self._get("mentioned_media", f"media_id({media_id})", fields)

    def _get(self, name: str, which: str, fields: str) -> dict[str, Any] | None:
        from collectors.meta_errors import GoneError

        try:
            found = self._graph.node(self._account, f"{name}.{which}{{{fields}}}").get(name)
        except GoneError:
            return None
        return found if isinstance(found, dict) else None


def _must_fit(permission: Permission, text: str, *, private: bool) -> None:
    if not permission.allowed:
        raise RefusedError(permission.reason)
    length = len(text.encode("utf-8", "surrogatepass"))
    if private and length > MESSAGE_BYTES:
        raise RefusedError(f"The message takes {length:,} bytes; Instagram takes {MESSAGE_BYTES:,}. Shorten it.")
    if not private and permission.text_limit is not None and len(text) > permission.text_limit:
        raise RefusedError(
            f"The answer has {len(text):,} characters; Instagram takes {permission.text_limit:,}. Shorten it."
        )
