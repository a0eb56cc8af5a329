"""Find the tokens that have expired by their ids, which are in the order of time: an index less to write into."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the index go."""
    op.drop_index(op.f("ix_access_tokens_expires_at"), table_name="access_tokens")


def downgrade() -> None:
    """Make it again."""
    op.create_index(op.f("ix_access_tokens_expires_at"), "access_tokens", ["expires_at"])
