"""Keep the robot checks that were begun, until their answers have run out."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; its rows live for minutes."""
    op.create_table(
        "robot_checks",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("wanted", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("work_secret", sa.String(50), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("tasks", sa.SmallInteger(), nullable=False),
        sa.Column("task", sa.JSON(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("extended", sa.SmallInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_robot_checks")),
    )
    op.create_index(op.f("ix_robot_checks_expires_at"), "robot_checks", ["expires_at"])


def downgrade() -> None:
    """Lose the checks under way: whoever has begun one begins anew."""
    op.drop_table("robot_checks")
