"""What the outer rooms promise: Collector and its extra powers, Analyzer, CrmConnector; and the values they exchange.

An extra power (answer, read back, tell about customers) is an extra Protocol, never a method that says no. Errors come
from `domain.errors`. The contract suites in tests/contracts run over the tables COLLECTORS, ANALYZERS and CRMS.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType, Protocol, runtime_checkable

from domain.analysis import Analysis, ModelRef
from domain.label import Field
from domain.mention import Mention, MentionId
from domain.person import CustomerRecord

Cursor = NewType("Cursor", str)
IdempotencyKey = NewType("IdempotencyKey", str)
RemoteId = NewType("RemoteId", str)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that a source or a CRM needs; `secret` ones come from the environment only."""

    key: str
    title: str
    required: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class CollectorSpec:
    """What a network is, as data: listing networks imports no SDK.

    Attributes:
        lookback: how far each run reads again, for late comments and edits; duplicates fall on the id.
        price_per_read: US dollars for one mention read, 0 where reading is free.
        can_reply: whether `connect()` returns something that is also CanReply.
        reads, answers: in plain words, for docs/connectors.md and the sources page.
        access: what must be asked for at the vendor before anything works, in steps.
        limits: rates and quotas in words.
        retention: what the vendor obliges us to delete, and when.
        facts: where the above comes from: title of the vendor's page and the day on which it was read.
        quota: units a day that the vendor grants, where it counts in units of its own.
        rehydrate_every: how often kept mentions must be looked up again, for edits and deletions.
    """

    key: str
    title: str
    settings: tuple[Setting, ...] = ()
    lookback: timedelta = timedelta()
    permissions: tuple[str, ...] = ()
    price_per_read: float = 0.0
    can_reply: bool = False
    reads: str = ""
    answers: str = ""
    access: tuple[str, ...] = ()
    limits: str = ""
    retention: str = ""
    facts: tuple[str, ...] = ()
    quota: int | None = None
    rehydrate_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What to listen to. Empty means everything that the source holds.

    Attributes:
        terms, accounts: words and accounts of the brand; any of them is enough.
        query: an expression of the watch language (domain/watch.py); empty where there is none.
    """

    terms: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that could not become a mention; kept and listed, never dropped in silence."""

    position: str  # "line 12", "entry 3", "sheet Avis, row 7"
    reason: str
    raw: str  # the item as received, cut to 2,000 characters


@dataclass(frozen=True, slots=True)
class Spend:
    """What reading or writing cost: calls, items that were billed, US dollars, and units of the vendor's own quota."""

    call_count: int = 0
    item_count: int = 0
    price: float = 0.0
    unit_count: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        """Both together."""
        return Spend(
            self.call_count + other.call_count,
            self.item_count + other.item_count,
            self.price + other.price,
            self.unit_count + other.unit_count,
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that could not be heard: the network no longer goes back that far, or told so."""

    since: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of what a source answered.

    Attributes:
        changed: mentions that may be kept already, with new words or new counts; they replace what was kept.
        spent: what this page cost.
        gap: a span before this page that is lost for good.
        cursor: where to resume once this page is stored; None = not safe yet (e.g. newest-first paging).
        deleted: mentions that the network says are gone.
        notes: remarks for the person who imports ("3 dates had no time zone: read as Europe/Paris").
    """

    mentions: tuple[Mention, ...]
    cursor: Cursor | None
    rejects: tuple[Reject, ...] = ()
    deleted: tuple[MentionId, ...] = ()
    notes: tuple[str, ...] = ()
    changed: tuple[Mention, ...] = ()
    spent: Spend = Spend()
    gap: Gap | None = None


class Act(StrEnum):
    """What may be done to a message, beside answering it."""

    HIDE = "hide"
    UNHIDE = "unhide"
    DELETE = "delete"  # our own words only


@dataclass(frozen=True, slots=True)
class Permission:
    """May we answer this mention here, until when, at what price? `reason` says why not, or what to mind.

    Attributes:
        private: the same for an answer that only the author reads, beside the public one; see `domain.permission.rights_of`.
        acts: what else may be done to the mention.
    """

    allowed: bool
    reason: str = ""
    until: datetime | None = None
    price: float = 0.0  # US dollars
    public: bool = True
    text_limit: int | None = None  # characters
    private: "Permission | None" = None
    acts: tuple[Act, ...] = ()


class Collector(Protocol):
    """Brings mentions from one source."""

    @property
    def spec(self) -> CollectorSpec:
        """What the source is; constant."""

    def check(self) -> None:
        """Raises ConfigurationError with what to do where a person must act; returns where all is well."""

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """Pages from `since` on. Same `since`, same source: same mentions. Raises the errors of `domain.errors`."""


@runtime_checkable
class CanReply(Protocol):
    """Carries answers back to the network."""

    def may_reply(self, mention: Mention) -> Permission:
        """Pure and fast: shown before a person writes."""

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """Send one answer; the id that the network gave it.

        Raises:
            TransientError: not accepted now, certainly not sent.
            OutcomeUnknownError: it may have been sent.
            RefusedError: never going to be accepted.
        """


@runtime_checkable
class CanReadBack(Protocol):
    """Can look whether an answer of ours is there already; needed where the network has no idempotency key."""

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:
        """The id of our answer to `mention` with this text, or None where the network surely has none."""


@runtime_checkable
class CanReplyPrivately(Protocol):
    """Can answer a public message where only its author reads it."""

    def may_reply_privately(self, mention: Mention) -> Permission:
        """As `may_reply`."""

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """As `reply`."""


@runtime_checkable
class CanModerate(Protocol):
    """Can hide messages on our own pages, or take back our own words."""

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """The acts that this message takes. Pure and fast."""

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:
        """Do it; doing it twice is doing it once. Raises the errors of `reply`."""


@runtime_checkable
class CanRehydrate(Protocol):
    """Can look kept mentions up again."""

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """What became of them: `changed` where words or counts moved, `deleted` where they are gone, and the cost."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a watch would find, and cost, over a span.

    Attributes:
        count: mentions; None where the network cannot tell.
        price: US dollars for reading them.
        samples: some of them.
        note: what the figure leaves out.
        spent: what asking cost.
    """

    count: int | None
    price: float
    samples: tuple[Mention, ...] = ()
    note: str = ""
    spent: Spend = Spend()


@runtime_checkable
class CanEstimate(Protocol):
    """Can say beforehand what a watch would find."""

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        """Asks as little as it can: counts where the network has them, else one page."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a watch becomes in a network's own search.

    Attributes:
        queries: in the network's language; together they find all that is meant. None: it is not searched.
        exact: whether the network finds nothing else, so that nothing is left to filter.
        left: pieces of the watch that the network cannot write; they are filtered here.
        note: why there is no query, or what else is read.
    """

    queries: tuple[str, ...] = ()
    exact: bool = False
    left: tuple[str, ...] = ()
    note: str = ""


@runtime_checkable
class CanSearch(Protocol):
    """Has a search of its own, and can say what a watch becomes in it."""

    def search_of(self, watch: Watch) -> Search:
        """Pure: asks nothing. Raises InputError where the expression cannot be read."""


@runtime_checkable
class CanBackfill(Protocol):
    """Can read a span of the past."""

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of the span in windows, the oldest window first; a window's last page carries a cursor to go on from."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An HTTP request that a vendor sent us, kept raw until the worker reads it.

    Attributes:
        headers: names in lower case.
        query: of the address.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What the vendor gets back at once.

    Attributes:
        key: identity of the delivery, so that a repeated one is kept once; empty where there is nothing to keep.
    """

    status: int
    body: str = ""
    content_type: str = "text/plain"
    key: str = ""


@runtime_checkable
class HearsWebhooks(Protocol):
    """Is told by the vendor, beside asking."""

    def receive(self, delivery: Delivery) -> WebhookAnswer:
        """Check signature, age and shape, answer challenges. Pure, in milliseconds; what has a key is kept for `unpack`."""

    def unpack(self, delivery: Delivery) -> Page:
        """The mentions of a delivery that `receive` accepted. May ask the network for what it names only by id."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one saved answer of a vendor holds; nothing is dropped in silence."""

    mentions: tuple[Mention, ...] = ()
    rejects: tuple[Reject, ...] = ()
    deleted: tuple[MentionId, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class KnowsCustomers(Protocol):
    """Also knows the shop's customers and what happened with them."""

    def customers(self) -> Iterable[CustomerRecord]:
        """All of them; told again, they change nothing."""


class Analyzer(Protocol):
    """Says what mentions say."""

    @property
    def model(self) -> ModelRef:
        """Which model speaks; changes whenever its answers may."""

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        """One analysis a mention, same length, same order, whatever the batch; pure."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """How much one piece of a text, `text[start:end]`, carried a tag.

    Attributes:
        weight: change of the tag's probability that the piece makes, -1..1; above 0 it speaks for the tag.
    """

    start: int
    end: int
    weight: float


@runtime_checkable
class CanExplain(Protocol):
    """Can say which words carried a tag."""

    def explain(self, mention: Mention, field: Field, value: str) -> tuple[Attribution, ...]:
        """Pieces of `mention.text` in their order, for one tag of one question; the model's own answer, not a person's.

        Args:
            value: the tag as text: an intent, an aspect, ``negative``, ``2``, or ``yes`` for a flag.
        """


@runtime_checkable
class HasFigures(Protocol):
    """Knows how good it was when it was made."""

    def figures(self) -> Mapping[str, Any]:
        """What was measured on held-back labelled messages; the shape is told in docs/training.md."""


class RecordKind(StrEnum):
    """What leaves for the CRM."""

    CONTACT = "contact"
    FINDING = "finding"
    SEGMENT_MEMBERS = "segment_members"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One thing that the CRM should know; vendor-free.

    Attributes:
        key: idempotency key; the same key pushed twice makes one record, the later one wins.
        fields: flat and printable; see `crm_sync.records` for the names of each kind. Never the text of a post.
    """

    kind: RecordKind
    key: IdempotencyKey
    fields: dict[str, Any]


class ReceiptState(StrEnum):
    """What became of one record."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The CRM's answer to one record."""

    key: IdempotencyKey
    state: ReceiptState
    remote_id: RemoteId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CrmSpec:
    """What a CRM is, as data.

    Attributes:
        batch_size: how many records one `push` takes at most.
        idempotent: a record pushed twice makes no second one; where False, the outbox reads back before a resend.
    """

    key: str
    title: str
    settings: tuple[Setting, ...] = ()
    batch_size: int = 100
    idempotent: bool = True


class CrmConnector(Protocol):
    """Carries records to one CRM."""

    @property
    def spec(self) -> CrmSpec:
        """What the CRM is; constant."""

    def check(self) -> None:
        """Raises ConfigurationError with what to do where a person must act."""

    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        """One receipt a record, in order. Raises TransientError where nothing was written."""


@runtime_checkable
class CanFindRecord(Protocol):
    """Can look whether a record is there already."""

    def find(self, record: CrmRecord) -> RemoteId | None:
        """The CRM's id of the record with this key, or None where it surely has none."""
