"""Keep a code and its token in one row: that a code was spent is said by what it was redeemed for.

Tokens of before are let go, since they don't name their row: an application that shows one logs its visitor in anew,
which asks nothing of who is logged in. Codes of before are refused, and so are those of the version before beside this.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table anew, on SQLite one tree by its key."""
    op.drop_table("spent_codes")
    op.drop_table("access_tokens")
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_pk", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_access_tokens_expires_at"), "access_tokens", ["expires_at"])


def downgrade() -> None:
    """Make the two tables of before."""
    op.drop_table("access_tokens")
    op.create_table(
        "access_tokens",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(32), nullable=True),
        sa.Column("client_pk", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        *_foreign_keys(),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_tokens")),
    )
    for column in ("code_digest", "expires_at", "session_id"):
        op.create_index(op.f(f"ix_access_tokens_{column}"), "access_tokens", [column])
    op.create_table(
        "spent_codes",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_pk", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_codes")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_spent_codes_expires_at"), "spent_codes", ["expires_at"])


def _foreign_keys() -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_access_tokens_{column}_{table}"))
        for column, table in (
            ("account_id", "accounts"),
            ("client_pk", "clients"),
            ("grant_id", "grants"),
            ("session_id", "browser_sessions"),
        )
    ]
