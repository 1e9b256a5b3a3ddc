"""What was said: Mention, its Author and its Engagement.

A mention is anything a person (or we) said on a channel: post, comment, review, mail, article. `outbound` ones are our
own words, collected back from the network like all others. Ids are `<network>:<native id>`, so the same thing heard
twice is the same row.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from domain.errors import InputError

MentionId = NewType("MentionId", str)
AccountId = NewType("AccountId", str)

HIDDEN_HERE = "hidden_here"  # in `Mention.raw`: we hid it, so a network may no longer show it to us
TEXT_LIMIT = 100_000  # characters; longer texts are a reject, not a cut: a mention is never silently shortened


class MentionKind(StrEnum):
    """What sort of utterance it is; decides how it is shown, never whether it is heard."""

    POST = "post"
    COMMENT = "comment"
    REVIEW = "review"
    MESSAGE = "message"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Author:
    """The account that spoke, as the network names it."""

    native_id: str
    handle: str = ""
    name: str = ""
    url: str = ""
    follower_count: int | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    """Counts that the network shows; None where it shows none."""

    like_count: int | None = None
    share_count: int | None = None
    reply_count: int | None = None
    view_count: int | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """One utterance on one network.

    Attributes:
        network: key of the channel, e.g. ``x``.
        native_id: the network's own id.
        created_at: when it was said, aware, UTC.
        conversation_id: the network's id of the thread; equal to `native_id` for its first message.
        parent_id: native id of the message that it answers, if any.
        outbound: True for what the brand itself said.
        author: None where the source does not say who spoke.
        rating: stars 1..5, kept beside the text.
        store, product, order_ref: keys that the source itself states; never guessed here.
        raw: what the source sent, for support and for mapping again.
    """

    network: str
    native_id: str
    text: str
    created_at: datetime
    kind: MentionKind = MentionKind.POST
    author: Author | None = None
    conversation_id: str = ""
    parent_id: str | None = None
    outbound: bool = False
    title: str = ""
    url: str = ""
    lang_hint: str | None = None
    rating: int | None = None
    store: str | None = None
    product: str | None = None
    order_ref: str | None = None
    engagement: Engagement = Engagement()
    raw: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None or self.created_at.utcoffset() is None:
            raise InputError(f"{self.network}:{self.native_id}: the date {self.created_at} has no time zone")
        if not self.native_id:
            raise InputError(f"{self.network}: a mention needs an id")
        if len(self.text) > TEXT_LIMIT:
            raise InputError(f"the text has {len(self.text):,} characters; at most {TEXT_LIMIT:,} are accepted")

    @property
    def id(self) -> MentionId:
        """`<network>:<native id>`."""
        return MentionId(f"{self.network}:{self.native_id}")

    @property
    def account_id(self) -> AccountId | None:
        """`<network>:<author's native id>`, or None where nobody is named."""
        return AccountId(f"{self.network}:{self.author.native_id}") if self.author else None

    @property
    def thread_id(self) -> str:
        """`<network>:<conversation id>`; a mention without one is a thread of its own."""
        return f"{self.network}:{self.conversation_id or self.native_id}"
