"""May we answer? The rules of a network as a table: REPLY RULES are data, `decide` reads them from top to bottom.

Each rule names where it comes from and the day on which that page was read, so that a rule that changed can be found and
mended. A network's module holds its table; here is only how tables are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from domain.contracts import CanModerate, CanReply, CanReplyPrivately, Collector, Permission
from domain.mention import Mention


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """One rule; the first whose `applies` holds decides.

    Attributes:
        applies: whether the rule speaks of this mention at this time.
        allowed: what it says.
        reason: why not, or what to mind; shown to the person who wants to write.
        window: how long after the mention an answer is taken; None: for ever.
        price: US dollars for one answer.
        public: False where only the author reads it.
        text_limit: characters, as the network counts them; None: no limit known.
        source: title of the page that says so, and `read_on`, the day on which it was read.
    """

    key: str
    applies: Callable[[Mention], bool]
    allowed: bool
    reason: str
    source: str
    read_on: date
    window: timedelta | None = None
    price: float = 0.0
    public: bool = True
    text_limit: int | None = None


def decide(rules: Sequence[ReplyRule], mention: Mention, now: datetime) -> Permission:
    """What the first rule says that speaks of this mention; refused where none does, or where its window is over."""
    for rule in rules:
        if not rule.applies(mention):
            continue
        until = mention.created_at + rule.window if rule.window is not None else None
        if rule.allowed and until is not None and until <= now:
            return Permission(False, f"Too late: an answer was possible until {until:%Y-%m-%d %H:%M} UTC.", until)
        return Permission(rule.allowed, rule.reason, until, rule.price, rule.public, rule.text_limit)
    return Permission(False, "This network says nothing about answering here. Open the message on its own page.")


def always(_mention: Mention) -> bool:
    """The rule speaks of every mention."""
    return True


def rights_of(collector: Collector) -> Callable[[Mention], Permission] | None:
    """All that may be done to a mention through this collector, as kept beside it; None where the collector only reads."""
    answers = collector if isinstance(collector, CanReply) else None
    whispers = collector if isinstance(collector, CanReplyPrivately) else None
    moderates = collector if isinstance(collector, CanModerate) else None
    if answers is None and whispers is None and moderates is None:
        return None
    title = collector.spec.title

    def rights(mention: Mention) -> Permission:
        acts = moderates.may_moderate(mention) if moderates is not None else ()
        if mention.outbound:
            return Permission(False, "These are our own words. Answer what others said.", acts=acts)
        told = Permission(False, f"{title} takes no answers. Open the message on its own page.")
        if answers is not None:
            told = answers.may_reply(mention)
        private = whispers.may_reply_privately(mention) if whispers is not None else None
        if private is not None and (not private.allowed or not told.public):  # the answer is a private one already
            private = None
        return replace(told, private=private, acts=acts)

    return rights
