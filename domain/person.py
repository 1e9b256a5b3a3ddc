"""Who speaks: Person, the accounts that are hers or his, the links between them, and Segment with its rule.

A link between an account and a person always carries its evidence and can be undone. Automatic links need evidence that
the person gave us herself (a verified e-mail, a login, an order number); everything else is a suggestion.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NewType

from domain.case import PersonId
from domain.mention import AccountId

SegmentId = NewType("SegmentId", str)


class Evidence(StrEnum):
    """Why we believe that an account is a person's."""

    OWN_ACCOUNT = "own_account"  # the account itself: nothing else is known of the person yet
    VERIFIED_EMAIL = "verified_email"  # the mail was sent from the address of the customer record
    CONSENT = "consent"  # the person told us, and agreed to the link
    STAFF = "staff"  # somebody of the team confirmed it


class LinkState(StrEnum):
    """A link counts only while confirmed."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class IdentityLink:
    """The statement that an account belongs to a person, and on what ground."""

    account_id: AccountId
    person_id: PersonId
    evidence: Evidence
    state: LinkState
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Person:
    """One customer, prospect, candidate or passer-by; all fields but the id may be unknown."""

    id: PersonId
    name: str = ""
    email: str | None = None
    phone: str | None = None
    lang: str | None = None
    city: str | None = None
    customer_ref: str | None = None
    loyalty: bool = False
    customer_since: int | None = None


class EventKind(StrEnum):
    """What the shop's other systems saw of a person."""

    ORDER = "order"
    CART = "cart"
    DELIVERY = "delivery"
    RETURN = "return"
    VISIT = "visit"


@dataclass(frozen=True, slots=True)
class CustomerEvent:
    """One thing that happened between a customer and the shop.

    Attributes:
        ref: the shop's own reference; `(kind, ref)` is unique, a later state of the same event replaces the earlier one.
        amount: euros, where money is concerned.
        data: what the kind needs: items, status, carrier, promised_at, delivered_at, store, reason.
    """

    kind: EventKind
    ref: str
    at: datetime
    amount: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer as the shop's own system knows her or him, with what happened.

    Attributes:
        consents: accounts (network, native id) that the person agreed to have linked to this record.
    """

    ref: str
    name: str
    email: str | None = None
    phone: str | None = None
    lang: str | None = None
    city: str | None = None
    loyalty: bool = False
    since: int | None = None
    consents: tuple[tuple[str, str], ...] = ()
    events: tuple[CustomerEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A named group of persons and the rule that makes it: every condition given must hold."""

    id: SegmentId
    title: str
    intents: tuple[str, ...] = ()
    sentiment: str | None = None
    last_days: int = 90
    min_mentions: int = 1
    customers_only: bool = True


def person_id_for_account(account_id: AccountId) -> PersonId:
    """The person that stands behind a lone account; derived, so that a step run twice makes one person."""
    return PersonId("p" + blake2b(account_id.encode(), digest_size=8).hexdigest())


def person_id_for_customer(ref: str) -> PersonId:
    """The person of a customer record."""
    return PersonId("p" + blake2b(f"customer:{ref}".encode(), digest_size=8).hexdigest())
