"""Keep the codes that were spent, and none before: a code carries what it stands for.

Whoever has one of before when this runs is sent to log in once more by the application: they live for a minute. The
version before issues none beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, on SQLite one tree by its key, and let go of what was spent and what is under way."""
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
    op.drop_table("authorization_codes")


def downgrade() -> None:
    """Make the table of all codes again; those that are sealed are of no use to the version before."""
    op.create_table(
        "authorization_codes",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("client_pk", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.String(400), nullable=False),
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("nonce", sa.String(300), nullable=True),
        sa.Column("code_challenge", sa.String(43), nullable=True),
        sa.Column("auth_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acr", sa.String(100), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        *_foreign_keys(),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_authorization_codes")),
    )
    for column in ("expires_at", "session_id"):
        op.create_index(op.f(f"ix_authorization_codes_{column}"), "authorization_codes", [column])
    op.drop_table("spent_codes")


def _foreign_keys() -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_authorization_codes_{column}_{table}"))
        for column, table in (
            ("account_id", "accounts"),
            ("client_pk", "clients"),
            ("grant_id", "grants"),
            ("session_id", "browser_sessions"),
        )
    ]
