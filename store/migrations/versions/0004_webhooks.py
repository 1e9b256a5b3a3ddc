"""What vendors delivered by themselves, kept raw until it is read, and how often a delivery was turned away."""

import sqlalchemy as sa
from alembic import op

from store.schema import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "inbox",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source_key", "key", name="pk_inbox"),
    )
    op.create_index("ix_inbox_backlog", "inbox", ["state", "due_at"], unique=False)
    op.create_table(
        "inbox_refusals",
        sa.Column("source_key", sa.String(length=80), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source_key", "day", "reason", name="pk_inbox_refusals"),
    )
