"""The demo source: a written story on six networks, through the same contract as every real one; needs no account.

`demo_story` lays the words out in time, `demo_network` plays the vendor; this file only maps between the vendor's shapes
and ours, and translates its errors. The permissions follow the real networks' rules (see docs/connectors.md).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from collectors.demo_network import DemoNetwork, NetworkAnswerError
from collectors.demo_story import Story, lay_out, world
from domain.clock import utc_now
from domain.contracts import (
    Act,
    Collector,
    CollectorSpec,
    Cursor,
    IdempotencyKey,
    Page,
    Permission,
    RemoteId,
    Setting,
    Watch,
)
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Author, Mention, MentionKind
from domain.person import CustomerRecord

PAGE_SIZE = 100
SPEC = CollectorSpec(
    key="demo",
    title="Démonstration",
    settings=(
        Setting("anchor", "Moment at which the story stands, ISO 8601"),
        Setting("folder", "Folder in which the pretend network keeps the answers"),
    ),
    can_reply=True,
)
_KINDS = {
    "x": MentionKind.POST,
    "facebook": MentionKind.COMMENT,
    "instagram": MentionKind.COMMENT,
    "reviews": MentionKind.REVIEW,
    "blog": MentionKind.ARTICLE,
    "mail": MentionKind.MESSAGE,
}
_TEXT_LIMITS = {"x": 280, "facebook": 8000, "instagram": 2200, "reviews": 4096}
_PRIVATE_LIMITS = {"facebook": 2000, "instagram": 1000}
_PRIVATE_WINDOW = timedelta(days=7)


def connect(settings: Mapping[str, str], now: Callable[[], datetime] = utc_now) -> Collector:
    """The demo source. Raises ConfigurationError where a setting is missing or cannot be read."""
    for key in ("anchor", "folder"):
        if not settings.get(key):
            raise ConfigurationError(f"The demo source needs the setting “{key}”. Run `comptoir demo` to make it.")
    try:
        anchor = datetime.fromisoformat(settings["anchor"])
    except ValueError as error:
        raise ConfigurationError(
            f"The demo's anchor {settings['anchor']!r} is not a date such as 2026-11-25T10:00+00:00."
        ) from error
    if anchor.tzinfo is None:
        raise ConfigurationError(f"The demo's anchor {settings['anchor']!r} has no time zone; add +00:00.")
    return DemoCollector(anchor, DemoNetwork(Path(settings["folder"])), now)


class DemoCollector:
    """Reads the story, takes answers, can be told to fail."""

    spec = SPEC

    def __init__(self, anchor: datetime, network: DemoNetwork, now: Callable[[], datetime]) -> None:
        self._anchor, self._network, self._now = anchor, network, now

    @cached_property
    def story(self) -> Story:
        """The story laid out; read once."""
        return lay_out(self._anchor)

    def check(self) -> None:
        """Nothing to check: it needs no account."""

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - the story is all about the brand
        """History first, then what has arrived since, then our own answers as the network shows them."""
        item, reply = _read_cursor(since)
        told = self.story.items
        now = self._now()
        end = sum(1 for said in told if said["time"] <= now)
        answers = self._translated(self._network.replies)
        while item < end or reply < len(answers):
            taken = told[item : min(item + PAGE_SIZE, end)]
            owed = answers[reply : reply + PAGE_SIZE - len(taken)]
            raw = self._translated(partial(self._network.page, [*map(_wire, taken), *map(_reply_wire, owed)]))
            mentions = _map(raw)
            item, reply = item + len(taken), reply + len(owed)
            yield Page(mentions=mentions, cursor=Cursor(json.dumps({"item": item, "reply": reply})))

    def customers(self) -> Iterable[CustomerRecord]:
        """The shop's customers in the story."""
        return self.story.customers

    def may_reply(self, mention: Mention) -> Permission:
        """The rule of the network that the mention came from."""
        limit = _TEXT_LIMITS.get(mention.network)
        if mention.network == "blog":
            return Permission(False, "A blog takes comments on its own page only: open the link and answer there.")
        if mention.network == "x":
            summoned = f"@{world()['brand']['handle']}" in mention.text.lower() or mention.parent_id is not None
            if not summoned:
                return Permission(
                    False, "X lets a brand answer only those who mention it. Open the post instead.", text_limit=limit
                )
            return Permission(True, "They mention us.", price=0.01, text_limit=limit)
        if mention.network == "mail":
            return Permission(True, public=False)
        return Permission(True, text_limit=limit)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - the network knows no keys
        """Publish an answer on the pretend network."""
        permission = self.may_reply(mention)
        if not permission.allowed:
            raise RefusedError(permission.reason)
        if permission.text_limit is not None and len(text) > permission.text_limit:
            raise RefusedError(
                f"{len(text)} characters; {mention.network} takes {permission.text_limit}. Shorten the answer."
            )
        return self._post(mention, text, private=False)

    def may_reply_privately(self, mention: Mention) -> Permission:
        """As on Facebook and Instagram: once, within seven days."""
        limit = _PRIVATE_LIMITS.get(mention.network)
        if limit is None or mention.outbound:
            return Permission(False, "This network takes no private answers to what was said publicly.", public=False)
        until = mention.created_at + _PRIVATE_WINDOW
        if until <= self._now():
            return Permission(False, "Too late: a private answer is taken within seven days.", until, public=False)
        return Permission(True, "Once, within seven days.", until, public=False, text_limit=limit)

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002
        """Say it to the author alone."""
        permission = self.may_reply_privately(mention)
        if not permission.allowed:
            raise RefusedError(permission.reason)
        if permission.text_limit is not None and len(text) > permission.text_limit:
            raise RefusedError(
                f"{len(text)} characters; {mention.network} takes {permission.text_limit}. Shorten the answer."
            )
        return self._post(mention, text, private=True)

    def _post(self, mention: Mention, text: str, *, private: bool) -> RemoteId:
        conversation, network, parent = mention.conversation_id or mention.native_id, mention.network, mention.native_id
        post = partial(self._network.post, network, parent, conversation, text, self._now(), private=private)
        return RemoteId(self._translated(post, sending=True))

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """Look among our answers to this message."""
        for reply in self._translated(self._network.replies):
            if reply["network"] == mention.network and reply["parent"] == mention.native_id and reply["text"] == text:
                return RemoteId(reply["id"])
        return None

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """Our own words can be taken back, comments of others on our pages hidden."""
        if mention.network in {"blog", "mail"}:
            return ()
        if mention.outbound:
            return (Act.DELETE,)
        return (Act.HIDE,) if mention.kind is MentionKind.COMMENT else ()

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:  # noqa: ARG002 - twice is once
        """Do it on the pretend network."""
        allowed = self.may_moderate(mention)
        if act not in (*allowed, *((Act.UNHIDE,) if Act.HIDE in allowed else ())):
            raise RefusedError("Only our own words can be deleted, and only comments of others hidden.")
        now = self._now()
        self._translated(partial(self._network.act, mention.network, mention.native_id, act.value, now), sending=True)

    @staticmethod
    def _translated(call: Callable[[], Any], *, sending: bool = False) -> Any:
        try:
            return call()
        except NetworkAnswerError as error:
            if error.status == 0 and sending:
                raise OutcomeUnknownError("The network did not answer in time; the reply may be there.") from error
            raise TransientError(
                f"The network answered {error.status}: {error}.", retry_after=error.retry_after
            ) from error
        except OSError as error:
            raise TransientError(f"The demo's folder cannot be read: {error}.") from error


def _read_cursor(since: Cursor | None) -> tuple[int, int]:
    if since is None:
        return 0, 0
    try:
        loaded = json.loads(since)
        return int(loaded["item"]), int(loaded["reply"])
    except (ValueError, KeyError, TypeError) as error:
        raise ContractError(f"This is no cursor of the demo source: {since!r}.") from error


def _wire(item: dict[str, Any]) -> dict[str, Any]:
    # As the vendor would send it: dates as text.
    return {**item, "time": item["time"].astimezone(UTC).isoformat()}


def _reply_wire(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "from_brand": True, "author": None, "title": "", "rating": None, "lang": None, "about": {}}


def _map(raw: dict[str, Any]) -> tuple[Mention, ...]:
    try:
        return tuple(_mention(item) for item in raw["data"])
    except (KeyError, TypeError, ValueError) as error:
        raise ContractError(
            "The network sent a page that cannot be read. Nothing of it was kept; it is asked for again."
        ) from error


def _mention(item: dict[str, Any]) -> Mention:
    network, about, author = item["network"], item["about"], item["author"]
    kind = _KINDS[network]
    if network == "blog" and item["parent"]:
        kind = MentionKind.COMMENT
    elif network in {"facebook", "instagram"} and not item["parent"]:
        kind = MentionKind.POST
    if item.get("private"):
        kind = MentionKind.MESSAGE
    return Mention(
        network=network,
        native_id=item["id"],
        text=item["text"],
        created_at=datetime.fromisoformat(item["time"]),
        kind=kind,
        author=Author(author["id"], author["handle"], author["name"], follower_count=author["followers"])
        if author
        else None,
        conversation_id=item["conversation"],
        parent_id=item["parent"],
        outbound=item["from_brand"],
        title=item["title"],
        lang_hint=item["lang"],
        rating=item["rating"],
        store=about.get("store"),
        product=about.get("product"),
        order_ref=about.get("order"),
        raw={"id": item["id"], "network": network},
    )
