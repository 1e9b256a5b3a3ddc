"""Persons, their accounts, and what the shop's systems saw of them.

Every account belongs to a person from its first word on: a person of its own until evidence links it to a customer. A
link is never silent: each has its evidence, and moving an account takes its open cases along.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from domain.case import PersonId
from domain.mention import AccountId, Author, Mention
from domain.person import (
    CustomerEvent,
    CustomerRecord,
    EventKind,
    Evidence,
    IdentityLink,
    LinkState,
    Person,
    person_id_for_account,
    person_id_for_customer,
)
from store import audit, schema
from store.engine import Database, chunks, insert_ignoring, upsert
from store.rows import storable

SYSTEM = "comptoir"
_CUSTOMER_BATCH = 500


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account and the person that it belongs to."""

    id: AccountId
    network: str
    handle: str
    name: str
    url: str
    follower_count: int | None
    person_id: PersonId


def authors_of(connection: sa.Connection, account_ids: Sequence[str | None]) -> dict[str, Author]:
    """Authors by account id."""
    a = schema.accounts
    found: dict[str, Author] = {}
    for part in chunks(sorted({key for key in account_ids if key})):
        for row in connection.execute(sa.select(a).where(a.c.id.in_(part))).mappings():
            found[row["id"]] = Author(row["native_id"], row["handle"], row["name"], row["url"], row["follower_count"])
    return found


def see_authors(connection: sa.Connection, mentions: Sequence[Mention], now: datetime) -> None:
    """Make the accounts of authors never seen before, each with a person of its own; refresh the counts of known ones."""
    seen: dict[str, tuple[Mention, Author]] = {}
    for mention in mentions:
        if mention.author is not None and mention.account_id is not None:
            seen[storable(mention.account_id)] = (mention, mention.author)
    if not seen:
        return
    a = schema.accounts
    known: dict[str, int | None] = {}
    for part in chunks(list(seen)):
        known.update(connection.execute(sa.select(a.c.id, a.c.follower_count).where(a.c.id.in_(part))).all())
    new = [_account_row(key, *seen[key]) for key in seen if key not in known]
    if new:
        connection.execute(insert_ignoring(connection, a), new)
        connection.execute(insert_ignoring(connection, schema.persons), [_lone_person(row) for row in new])
        connection.execute(
            insert_ignoring(connection, schema.identity_links),
            [_link(row["id"], row["person_id"], Evidence.OWN_ACCOUNT, now) for row in new],
        )
    grown = [
        {"key": key, "count": author.follower_count}
        for key, (_, author) in seen.items()
        if key in known and author.follower_count is not None and author.follower_count != known[key]
    ]
    if grown:
        connection.execute(
            sa.update(a).where(a.c.id == sa.bindparam("key")).values(follower_count=sa.bindparam("count")), grown
        )


def _account_row(key: str, mention: Mention, author: Author) -> dict[str, Any]:
    return {
        "id": key,
        "network": mention.network,
        "native_id": storable(author.native_id),
        "handle": storable(author.handle),
        "name": storable(author.name or author.handle),
        "url": storable(author.url),
        "follower_count": author.follower_count,
        "person_id": person_id_for_account(AccountId(key)),
    }


def _lone_person(account: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": account["person_id"], "name": account["name"], "loyalty": False}


def _link(account_id: str, person_id: str, evidence: Evidence, now: datetime) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "person_id": person_id,
        "evidence": evidence.value,
        "state": LinkState.CONFIRMED.value,
        "created_at": now,
        "created_by": SYSTEM,
    }


def person_of_accounts(connection: sa.Connection, account_ids: Iterable[str | None]) -> dict[str, PersonId]:
    """Person by account id."""
    a = schema.accounts
    found: dict[str, PersonId] = {}
    for part in chunks(sorted({key for key in account_ids if key})):
        rows = connection.execute(sa.select(a.c.id, a.c.person_id).where(a.c.id.in_(part)))
        found.update({account: PersonId(person) for account, person in rows})
    return found


class People:
    """Writing and reading persons."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_customers(self, records: Iterable[CustomerRecord], now: datetime) -> int:
        """Store what the shop knows of its customers, link the accounts that evidence allows; told again, nothing changes.

        Evidence is a mail account whose address is the customer's own, or an account that the person agreed to link.
        """
        count = 0
        told = iter(records)
        while part := list(islice(told, _CUSTOMER_BATCH)):
            with self._database.write() as connection:
                _put_customers(connection, part, now)
            count += len(part)
        return count

    def get(self, person_id: PersonId) -> Person | None:
        """One person."""
        p = schema.persons
        with self._database.read() as connection:
            row = connection.execute(sa.select(p).where(p.c.id == person_id)).mappings().one_or_none()
        return Person(**row) if row else None

    def accounts(self, person_id: PersonId) -> list[AccountRow]:
        """All accounts of a person, by network."""
        a = schema.accounts
        columns = [a.c[name] for name in ("id", "network", "handle", "name", "url", "follower_count", "person_id")]
        query = sa.select(*columns).where(a.c.person_id == person_id).order_by(a.c.network, a.c.id)
        with self._database.read() as connection:
            return [AccountRow(**row) for row in connection.execute(query).mappings()]

    def links(self, person_id: PersonId) -> list[IdentityLink]:
        """Why each account is thought to be this person's."""
        link = schema.identity_links
        query = sa.select(link).where(link.c.person_id == person_id).order_by(link.c.created_at, link.c.account_id)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            IdentityLink(
                AccountId(row["account_id"]),
                PersonId(row["person_id"]),
                Evidence(row["evidence"]),
                LinkState(row["state"]),
                row["created_at"],
                row["created_by"],
            )
            for row in rows
        ]

    def events(self, person_id: PersonId, limit: int = 50) -> list[CustomerEvent]:
        """What happened between a person and the shop, newest first."""
        e = schema.events
        query = sa.select(e).where(e.c.person_id == person_id).order_by(e.c.at.desc(), e.c.ref).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [CustomerEvent(EventKind(r["kind"]), r["ref"], r["at"], r["amount"], r["data"]) for r in rows]

    def count(self) -> int:
        """How many persons are known."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(schema.persons)) or 0


def _put_customers(connection: sa.Connection, records: Sequence[CustomerRecord], now: datetime) -> None:
    persons, claims, events = [], [], []
    for record in records:
        person = _customer_row(record)
        persons.append(person)
        claims += [(key, person["id"], record, ground) for key, ground in _evidence(record, person["email"])]
        events += [
            {
                "kind": happened.kind.value,
                "ref": happened.ref,
                "person_id": person["id"],
                "at": happened.at,
                "amount": happened.amount,
                "data": happened.data,
            }
            for happened in record.events
        ]
    upsert(connection, schema.persons, ("id",), persons)
    _link_accounts(connection, claims, now)
    upsert(connection, schema.events, ("kind", "ref"), events)


def _customer_row(record: CustomerRecord) -> dict[str, Any]:
    return {
        "id": person_id_for_customer(record.ref),
        "name": storable(record.name),
        "email": record.email.strip().lower() if record.email else None,
        "phone": record.phone,
        "lang": record.lang,
        "city": record.city,
        "customer_ref": record.ref,
        "loyalty": record.loyalty,
        "customer_since": record.since,
    }


def _evidence(record: CustomerRecord, email: str | None) -> list[tuple[str, Evidence]]:
    found = [(f"{network}:{native}", Evidence.CONSENT) for network, native in record.consents]
    if email:
        found.append((f"mail:{email}", Evidence.VERIFIED_EMAIL))
    return found


_Claim = tuple[str, PersonId, CustomerRecord, Evidence]


def _link_accounts(connection: sa.Connection, claims: Sequence[_Claim], now: datetime) -> None:
    if not claims:
        return
    a, link = schema.accounts, schema.identity_links
    connection.execute(
        insert_ignoring(connection, a), [_claimed_account(key, owner, record) for key, owner, record, _ in claims]
    )
    owners = person_of_accounts(connection, [key for key, *_ in claims])
    linked = []
    for account_id, person_id, _, ground in claims:
        if owners[account_id] != person_id:
            if owners[account_id] != person_id_for_account(AccountId(account_id)):
                continue  # linked to somebody else by other evidence: a person decides, not a file
            _move_account(connection, account_id, owners[account_id], person_id, ground, now)
            owners[account_id] = person_id
        linked.append(_link(account_id, person_id, ground, now))
    if linked:
        connection.execute(insert_ignoring(connection, link), linked)


def _claimed_account(account_id: str, person_id: PersonId, record: CustomerRecord) -> dict[str, Any]:
    network, _, native_id = account_id.partition(":")
    return {
        "id": account_id,
        "network": network,
        "native_id": native_id,
        "handle": "" if network == "mail" else native_id,
        "name": record.name,
        "url": "",
        "follower_count": None,
        "person_id": person_id,
    }


def _move_account(
    connection: sa.Connection, account_id: str, owner: PersonId, person_id: PersonId, ground: Evidence, now: datetime
) -> None:
    a, c, link = schema.accounts, schema.cases, schema.identity_links
    connection.execute(sa.update(a).where(a.c.id == account_id).values(person_id=person_id))
    moved = connection.scalars(sa.select(c.c.id).where(c.c.person_id == owner).order_by(c.c.id)).all()
    bump = {"person_id": person_id, "version": c.c.version + 1}
    connection.execute(sa.update(c).where(c.c.person_id == owner).values(**bump))
    data = {"person_id": [owner, person_id], "evidence": ground.value}
    audit.append(
        connection,
        [{"at": now, "actor": SYSTEM, "action": "person_linked", "case_id": key, "data": data} for key in moved],
    )
    connection.execute(
        sa.update(link)
        .where(link.c.account_id == account_id, link.c.person_id == owner)
        .values(state=LinkState.UNDONE.value)
    )
