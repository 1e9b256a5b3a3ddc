"""Labels that people give, models that have spoken, and what a model saw of a text."""

import sqlalchemy as sa
from alembic import op

from store.schema import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Two tables, three columns."""
    op.create_table(
        "labels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("was", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("retracted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
    )
    op.create_index("ix_labels_mention_id", "labels", ["mention_id"], unique=False)
    op.create_index("ix_labels_at", "labels", ["at"], unique=False)
    op.create_table(
        "models",
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("base", sa.String(length=80), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("heads", sa.LargeBinary(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("model", name="pk_models"),
    )
    op.add_column("analyses", sa.Column("token_count", sa.Integer(), nullable=True))
    op.add_column("analyses", sa.Column("unknown_count", sa.Integer(), nullable=True))
    op.add_column("analyses", sa.Column("sketch", sa.LargeBinary(), nullable=True))
