"""Remember how far a task has come that goes through what grows, so that each row is looked at once."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A task of before, and of a version beside this one, has come nowhere."""
    with op.batch_alter_table("worker_leases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reached", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("worker_leases", schema=None) as batch_op:
        batch_op.drop_column("reached")
