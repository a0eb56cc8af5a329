"""Let the ledger say whose browser a counter is, so that a known browser keeps a budget of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the owner, and find an owner's browsers; a version beside this one writes none."""
    with op.batch_alter_table("throttle_counters", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner", sa.LargeBinary(length=32), nullable=True))
        batch_op.create_index(
            "ix_throttle_counters_owner_last_at",
            ["owner", "last_at"],
            unique=False,
            sqlite_where=sa.text("owner IS NOT NULL"),
            postgresql_where=sa.text("owner IS NOT NULL"),
        )


def downgrade() -> None:
    """Know no browser: a version before this one would take its row for a counter like any other."""
    op.execute(sa.text("DELETE FROM throttle_counters WHERE kind = 'known_browser'"))
    with op.batch_alter_table("throttle_counters", schema=None) as batch_op:
        batch_op.drop_index("ix_throttle_counters_owner_last_at")
        batch_op.drop_column("owner")
