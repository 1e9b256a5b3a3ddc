"""May we answer? The rules of a network as a table: REPLY RULES are data, `decide` reads them from top to bottom.

Each rule names where it comes from and the day on which that page was read, so that a rule that changed can be found and
mended. A network's module holds its table; here is only how tables are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.contracts import Permission
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
