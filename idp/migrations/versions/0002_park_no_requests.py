"""Drop the table of requests that were too long for an address: none is any more."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let go of what pages that are open now would go on with: their visitors are asked to start again."""
    op.drop_table("parked_requests")


def downgrade() -> None:
    """Make the table that the version before writes to."""
    op.create_table(
        "parked_requests",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_parked_requests")),
    )
    with op.batch_alter_table("parked_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_requests_expires_at"), ["expires_at"], unique=False)
