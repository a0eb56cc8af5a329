"""Count how often a guardian has put off entering a security email."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has, so far; a version beside this one leaves it at that."""
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("security_email_put_off", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_column("security_email_put_off")
