"""What reading costs, what could not be heard, and mentions that are edited, deleted and looked up again."""

import sqlalchemy as sa
from alembic import op

from store.schema import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Five tables, four columns."""
    op.create_table(
        "spending",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("unit_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_key", "day", "kind", name="pk_spending"),
    )
    op.create_table(
        "budgets",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column("unit_count", sa.BigInteger(), nullable=True),
        sa.Column("course", sa.String(length=8), nullable=False),
        sa.Column("stopped_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("source_key", name="pk_budgets"),
    )
    op.create_table(
        "quotas",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("unit_count", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("used_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_key", name="pk_quotas"),
    )
    op.create_table(
        "gaps",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source_key", "since", name="pk_gaps"),
    )
    op.create_table(
        "deletions",
        sa.Column("mention_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mention_id", name="pk_deletions"),
    )
    for name in ("edited_at", "deleted_at", "looked_up_at", "look_up_at"):
        op.add_column("mentions", sa.Column(name, UtcDateTime(), nullable=True))
    op.create_index("ix_mentions_collected", "mentions", ["collected_at"], unique=False)
    op.create_index(
        "ix_mentions_look_up",
        "mentions",
        ["source_key", "look_up_at"],
        unique=False,
        sqlite_where=sa.text("look_up_at IS NOT NULL"),
        postgresql_where=sa.text("look_up_at IS NOT NULL"),
    )
