"""The tables. Only this room knows them; everybody else gets values.

Times are aware UTC on the way in and out (`UtcDateTime` refuses naive ones); `day` columns are the shop's local day as
`YYYY-MM-DD`, written once, so that a count and the rows that it counts can never disagree on where a day ends.
A change of a table is a new file in migrations/versions; a test compares the two.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class UtcDateTime(sa.TypeDecorator[datetime]):
    """Aware UTC in Python; `timestamptz` on PostgreSQL, naive UTC text on SQLite (sorts as time does)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive values: a date without a zone is a bug upstream."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware UTC."""
        if value is None:
            return None
        aware: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def _partial(name: str, where: str, *columns: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


# One row; grows with every write. The dashboard keys its cached reads by it.
revision = sa.Table(
    "revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.BigInteger, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("collector", sa.String(40), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),  # never a secret
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("polled", sa.Boolean, nullable=False),  # False: filled by `import`, the worker leaves it alone
    sa.Column("cursor", sa.Text),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("mention_count", sa.Integer, nullable=False),
    sa.Column("failure_count", sa.Integer, nullable=False),
    sa.Column("retry_at", UtcDateTime),
    sa.Column("last_started_at", UtcDateTime),
    sa.Column("last_ok_at", UtcDateTime),
    sa.Column("last_error_at", UtcDateTime),
    sa.Column("last_error", sa.Text),
    sa.Column("notes", sa.JSON, nullable=False),
)

# What reading and writing cost, by the shop's day; written with the page that cost it.
spending = sa.Table(
    "spending",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),  # reading | rehydration | writing | estimate
    sa.Column("call_count", sa.Integer, nullable=False),
    sa.Column("item_count", sa.Integer, nullable=False),
    sa.Column("price", sa.Float, nullable=False),  # US dollars
    sa.Column("unit_count", sa.BigInteger, nullable=False),
)

# What a source may cost a month, as a person set it, and where it stands.
budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("price", sa.Float),  # US dollars
    sa.Column("unit_count", sa.BigInteger),
    sa.Column("course", sa.String(8), nullable=False),  # go | warn | slow | stop, as the worker last saw it
    sa.Column("stopped_until", UtcDateTime),
)

# Units that a vendor grants a day, and how many of its current day are used.
quotas = sa.Table(
    "quotas",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("unit_count", sa.BigInteger, nullable=False),
    sa.Column("zone", sa.String(40), nullable=False),  # whose midnight ends the vendor's day
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("used_count", sa.BigInteger, nullable=False),
)

# Spans that could not be heard, for good. The same span told again with a later end is one row.
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("since", UtcDateTime, primary_key=True),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

rejects = sa.Table(
    "rejects",
    metadata,
    sa.Column(
        "id", sa.String(32), primary_key=True
    ),  # digest of source, position, reason and item: told twice, kept once
    sa.Column("source_key", sa.String(80), nullable=False, index=True),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

persons = sa.Table(
    "persons",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, index=True),
    sa.Column("phone", sa.Text),
    sa.Column("lang", sa.String(8)),
    sa.Column("city", sa.Text),
    sa.Column("customer_ref", sa.Text, unique=True),
    sa.Column("loyalty", sa.Boolean, nullable=False),
    sa.Column("customer_since", sa.Integer),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("network", sa.String(40), nullable=False),
    sa.Column("native_id", sa.Text, nullable=False),
    sa.Column("handle", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("follower_count", sa.Integer),
    sa.Column("person_id", sa.String(40), nullable=False, index=True),
)

identity_links = sa.Table(
    "identity_links",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("person_id", sa.String(40), primary_key=True),
    sa.Column("evidence", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("ref", sa.String(80), primary_key=True),
    sa.Column("person_id", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("amount", sa.Float),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("ix_events_kind_at", "kind", "at"),
    sa.Index("ix_events_person", "person_id", "kind", "at"),
)

mentions = sa.Table(
    "mentions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("network", sa.String(40), nullable=False),
    sa.Column("native_id", sa.Text, nullable=False),
    sa.Column("source_key", sa.String(80), nullable=False),
    sa.Column("account_id", sa.Text),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),  # text and title without case and accents: what search reads
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("collected_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("thread_id", sa.Text, nullable=False, index=True),
    sa.Column("parent_id", sa.Text),
    sa.Column("outbound", sa.Boolean, nullable=False),
    sa.Column("lang_hint", sa.String(8)),
    sa.Column("rating", sa.Integer),
    sa.Column("store", sa.String(80)),
    sa.Column("product", sa.String(80)),
    sa.Column("order_ref", sa.String(80)),
    sa.Column("like_count", sa.Integer),
    sa.Column("share_count", sa.Integer),
    sa.Column("reply_count", sa.Integer),
    sa.Column("view_count", sa.Integer),
    sa.Column("raw", sa.JSON, nullable=False),
    sa.Column("permission", sa.JSON),  # may we answer here: the network's rule, told by its collector when it was heard
    # where the mention is in the flow, and what the current analysis says of it
    sa.Column("step", sa.String(12), nullable=False),
    sa.Column("case_id", sa.String(40), index=True),
    sa.Column("department", sa.String(40), nullable=False),
    sa.Column("intent", sa.String(40), nullable=False),
    sa.Column("sentiment", sa.String(12), nullable=False),
    sa.Column("lang", sa.String(8), nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),
    sa.Column("uncertain", sa.Boolean, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    # what became of it on its network since
    sa.Column("edited_at", UtcDateTime),  # when other words were noticed
    sa.Column("deleted_at", UtcDateTime),  # text, title, address and raw are empty from then on
    sa.Column("looked_up_at", UtcDateTime),
    sa.Column("look_up_at", UtcDateTime),  # when it is to be looked up next; empty: never
    sa.Index("ix_mentions_backlog", "step", "created_at", "id"),
    sa.Index("ix_mentions_day_department", "day", "department"),
    sa.Index("ix_mentions_account", "account_id"),
    sa.Index("ix_mentions_created", "created_at"),
    # Few among many, asked for by themselves; the indicators write the condition as it stands here.
    _partial("ix_mentions_urgent", "urgency >= 3", "day"),
    _partial("ix_mentions_rated", "rating IS NOT NULL", "day"),
    _partial("ix_mentions_reviews", "kind = 'review'", "day"),
    sa.Index("ix_mentions_collected", "collected_at"),
    _partial("ix_mentions_look_up", "look_up_at IS NOT NULL", "source_key", "look_up_at"),
)

# Mentions that their network says are gone and that we had not heard: should they come later, they come without words.
deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("mention_id", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

analyses = sa.Table(
    "analyses",
    metadata,
    sa.Column("mention_id", sa.Text, primary_key=True),
    sa.Column("model", sa.String(80), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("lang", sa.String(8), nullable=False),
    sa.Column("p_negative", sa.Float, nullable=False),
    sa.Column("p_neutral", sa.Float, nullable=False),
    sa.Column("p_positive", sa.Float, nullable=False),
    sa.Column("intent", sa.String(40), nullable=False),
    sa.Column("intent_p", sa.Float, nullable=False),
    sa.Column("secondary", sa.JSON, nullable=False),
    sa.Column("aspects", sa.JSON, nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),
    sa.Column("churn", sa.Boolean, nullable=False),
    sa.Column("toxic", sa.Boolean, nullable=False),
    sa.Column("irony", sa.Boolean, nullable=False),
    sa.Column("directed", sa.Boolean, nullable=False),
    sa.Column("uncertain", sa.Boolean, nullable=False),
    # what the model saw, to notice when the input changes; empty where it does not tell
    sa.Column("token_count", sa.Integer),
    sa.Column("unknown_count", sa.Integer),
    sa.Column("sketch", sa.LargeBinary),
)

# What people say of mentions. A label is never changed, only retracted.
labels = sa.Table(
    "labels",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("mention_id", sa.Text, nullable=False, index=True),
    sa.Column("field", sa.String(20), nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("was", sa.JSON(none_as_null=True)),
    sa.Column("model", sa.String(80), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("origin", sa.String(12), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("retracted_at", UtcDateTime),
)

# Models that have spoken here; heads that were learnt from labels are kept whole, and at most one row is in use.
models = sa.Table(
    "models",
    metadata,
    sa.Column("model", sa.String(80), primary_key=True),  # name@version, as analyses are signed
    sa.Column("base", sa.String(80)),  # the model that it was learnt on; empty for shipped ones
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("heads", sa.LargeBinary),
    sa.Column("report", sa.JSON, nullable=False),  # what was measured when it was made
    sa.Column("in_use", sa.Boolean, nullable=False),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("department", sa.String(40), nullable=False),
    sa.Column("intent", sa.String(40), nullable=False),
    sa.Column("network", sa.String(40), nullable=False),
    sa.Column("thread_id", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("last_inbound_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),
    sa.Column("sentiment", sa.String(12), nullable=False),
    sa.Column("uncertain", sa.Boolean, nullable=False),
    sa.Column("person_id", sa.String(40), index=True),
    sa.Column("store", sa.String(80)),
    sa.Column("product", sa.String(80)),
    sa.Column("lang", sa.String(8), nullable=False),
    sa.Column("assignee", sa.Text),
    sa.Column("first_reply_due_at", UtcDateTime),
    sa.Column("resolution_due_at", UtcDateTime),
    sa.Column("waiting_since", UtcDateTime),
    sa.Column("first_reply_at", UtcDateTime),
    sa.Column("last_reply_at", UtcDateTime),
    sa.Column("snoozed_until", UtcDateTime),
    sa.Column("resolved_at", UtcDateTime),
    sa.Column("reopened_count", sa.Integer, nullable=False),
    sa.Column("mention_count", sa.Integer, nullable=False),
    sa.Column("merged_into", sa.String(40)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_cases_queue", "department", "status", "priority", "first_reply_due_at"),
    sa.Index("ix_cases_status", "status", "snoozed_until"),
    sa.Index("ix_cases_opened", "opened_at"),
    sa.Index("ix_cases_department_opened", "department", "opened_at"),
    sa.Index("ix_cases_resolved", "resolved_at"),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("case_id", sa.String(40), nullable=False, index=True),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),  # the idempotency key
    sa.Column("kind", sa.String(20), nullable=False),  # reply | private | moderation | crm
    sa.Column("target", sa.String(80), nullable=False),  # source key or CRM key
    sa.Column("case_id", sa.String(40), index=True),
    sa.Column("mention_id", sa.Text),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("remote_id", sa.Text),
    sa.Column("error", sa.Text),
    sa.Index("ix_outbox_backlog", "state", "due_at"),
)

# What vendors delivered by webhook, raw, until the worker has read it. Who sends the same key again is heard once.
inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),  # those that reading it needs
    sa.Column("body", sa.LargeBinary),  # empty once it was read and a while has gone by
    sa.Column("state", sa.String(12), nullable=False),  # waiting | done | failed | discarded
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("settled_at", UtcDateTime),
    sa.Column("error", sa.Text),
    sa.Index("ix_inbox_backlog", "state", "due_at"),
)

# How often a source turned deliveries away, by the shop's day and by reason.
inbox_refusals = sa.Table(
    "inbox_refusals",
    metadata,
    sa.Column("source_key", sa.String(80), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("reason", sa.String(200), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
)

# Append-only: triggers refuse UPDATE and DELETE. Ids, states and names of fields, never the text of anybody.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("case_id", sa.String(40), index=True),
    sa.Column("data", sa.JSON, nullable=False),
)

rollup_mentions = sa.Table(
    "rollup_mentions",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("network", sa.String(40), primary_key=True),
    sa.Column("department", sa.String(40), primary_key=True),
    sa.Column("intent", sa.String(40), primary_key=True),
    sa.Column("sentiment", sa.String(12), primary_key=True),
    sa.Column("lang", sa.String(8), primary_key=True),
    sa.Column("outbound", sa.Boolean, primary_key=True),
    sa.Column("uncertain", sa.Boolean, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)

rollup_cases = sa.Table(
    "rollup_cases",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("department", sa.String(40), primary_key=True),
    sa.Column("network", sa.String(40), primary_key=True),
    sa.Column("metric", sa.String(20), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)

# What to listen to, as people wrote it (domain/watch.py); the worker joins those that are enabled, source by source.
watches = sa.Table(
    "watches",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),  # keys; none: all of them
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# What a watch would find in one source: asked by a person, answered by the worker, forgotten after a day.
previews = sa.Table(
    "previews",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("wish", sa.String(40), nullable=False, index=True),  # the sources that were asked about together
    sa.Column("source_key", sa.String(80), nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("among_kept", sa.Boolean, nullable=False),  # the source cannot be asked: what is kept was looked through
    sa.Column("looked_count", sa.Integer),
    sa.Column("found_count", sa.Integer),
    sa.Column("price", sa.Float, nullable=False),
    sa.Column("spent", sa.Float, nullable=False),
    sa.Column("samples", sa.JSON, nullable=False),
    sa.Column("search", sa.JSON),  # what the watch becomes in the network's own search; none: it has none
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)

# Spans of the past that a person asked to read; the worker reads them slice by slice beside listening.
backfills = sa.Table(
    "backfills",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("source_key", sa.String(80), nullable=False, index=True),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("watch", sa.JSON, nullable=False),  # as it was when it was asked for
    sa.Column("opens_cases", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("count_estimated", sa.Integer),
    sa.Column("price_estimated", sa.Float),
    sa.Column("estimate_note", sa.Text, nullable=False),
    sa.Column("confirmed_by", sa.Text),
    sa.Column("confirmed_at", UtcDateTime),
    sa.Column("price_limit", sa.Float),  # US dollars at which it waits for a person; none: it costs nothing
    sa.Column("reached_at", UtcDateTime, nullable=False),  # all windows before it are read
    sa.Column("cursor", sa.Text),
    sa.Column("found_count", sa.Integer, nullable=False),
    sa.Column(
        "window_found_count", sa.Integer, nullable=False
    ),  # since the cursor: counted again where it is read again
    sa.Column("stored_count", sa.Integer, nullable=False),
    sa.Column("price_spent", sa.Float, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("failure_count", sa.Integer, nullable=False),
    sa.Column("retry_at", UtcDateTime),
    sa.Column("reader", sa.String(40)),  # which process reads it, and until when it is believed to live
    sa.Column("lease_until", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
)
