"""Keep the questions of people who have forgotten a password or a username, until the worker has answered them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which is empty most of the time."""
    op.create_table(
        "forgotten_questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed_content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forgotten_questions")),
    )
    op.create_index(op.f("ix_forgotten_questions_created_at"), "forgotten_questions", ["created_at"])


def downgrade() -> None:
    """Lose what waits to be answered: whoever has asked asks again."""
    op.drop_table("forgotten_questions")
