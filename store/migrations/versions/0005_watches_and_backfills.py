"""Watches, what they would find, and spans of the past to read."""

import sqlalchemy as sa
from alembic import op

from store.schema import UtcDateTime

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Three tables."""
    op.create_table(
        "watches",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
        sa.UniqueConstraint("name", name="uq_watches_name"),
    )
    _previews()
    _backfills()


def _previews() -> None:
    op.create_table(
        "previews",
        sa.Column("id", _ID, nullable=False),
        sa.Column("wish", sa.String(length=40), nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("among_kept", sa.Boolean(), nullable=False),
        sa.Column("looked_count", sa.Integer(), nullable=True),
        sa.Column("found_count", sa.Integer(), nullable=True),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("spent", sa.Float(), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("search", sa.JSON(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_previews"),
    )
    op.create_index("ix_previews_wish", "previews", ["wish"], unique=False)
    op.create_index("ix_previews_asked_at", "previews", ["asked_at"], unique=False)


def _backfills() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("watch", sa.JSON(), nullable=False),
        sa.Column("opens_cases", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("count_estimated", sa.Integer(), nullable=True),
        sa.Column("price_estimated", sa.Float(), nullable=True),
        sa.Column("estimate_note", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("price_limit", sa.Float(), nullable=True),
        sa.Column("reached_at", UtcDateTime(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("found_count", sa.Integer(), nullable=False),
        sa.Column("window_found_count", sa.Integer(), nullable=False),
        sa.Column("stored_count", sa.Integer(), nullable=False),
        sa.Column("price_spent", sa.Float(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("reader", sa.String(length=40), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
    )
    op.create_index("ix_backfills_source_key", "backfills", ["source_key"], unique=False)
    op.create_index("ix_backfills_state", "backfills", ["state"], unique=False)
