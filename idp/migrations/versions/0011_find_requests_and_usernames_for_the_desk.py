"""Find requests by the family's address, and accounts by how their username begins."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the address; PostgreSQL compares usernames byte by byte from now on, as SQLite does."""
    op.create_index(op.f("ix_support_tickets_email"), "support_tickets", ["email"])
    _collate("C")


def downgrade() -> None:
    """Compare usernames in the order of the server's language again."""
    _collate("default")
    op.drop_index(op.f("ix_support_tickets_email"), "support_tickets")


def _collate(collation: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "accounts",
            "username_key",
            existing_type=sa.String(length=200),
            type_=sa.String(length=200, collation=collation),
            existing_nullable=False,
        )
