"""Keep what families ask the support team, and find accounts by name and address."""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.String(length=300).with_variant(sa.String(length=300, collation="C"), "postgresql")
_AT_ONCE = 1000


def upgrade() -> None:
    """Make both tables, and the keys that accounts are searched by; a version beside this one leaves them empty."""
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name_key", _KEY, server_default="", nullable=False))
        batch_op.add_column(sa.Column("email_key", _KEY, server_default="", nullable=False))
    _fill_keys()
    op.create_index("ix_accounts_name_key_id", "accounts", ["name_key", "id"])
    op.create_index("ix_accounts_email_key_id", "accounts", ["email_key", "id"])
    op.create_table(
        "support_tickets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=8), nullable=False),
        sa.Column("form_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("topic", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", _KEY, nullable=False),
        sa.Column("relationship", sa.String(length=20), nullable=False),
        sa.Column("student_name", sa.String(length=100), nullable=False),
        sa.Column("school", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("best_time", sa.String(length=20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_support_tickets_account_id_accounts"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_tickets")),
        sa.UniqueConstraint("form_digest", name=op.f("uq_support_tickets_form_digest")),
        sa.UniqueConstraint("number", name=op.f("uq_support_tickets_number")),
    )
    op.create_index("ix_support_tickets_state_id", "support_tickets", ["state", "id"])
    for column in ("account_id", "name_key", "closed_at"):
        op.create_index(op.f(f"ix_support_tickets_{column}"), "support_tickets", [column])
    op.create_table(
        "support_log_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["accounts.id"], name=op.f("fk_support_log_entries_actor_id_accounts"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["support_tickets.id"],
            name=op.f("fk_support_log_entries_ticket_id_support_tickets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_log_entries")),
    )
    op.create_index("ix_support_log_entries_ticket_id_id", "support_log_entries", ["ticket_id", "id"])


def downgrade() -> None:
    """Lose every request for support."""
    op.drop_table("support_log_entries")
    op.drop_table("support_tickets")
    op.drop_index("ix_accounts_email_key_id", "accounts")
    op.drop_index("ix_accounts_name_key_id", "accounts")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_column("email_key")
        batch_op.drop_column("name_key")


def _fill_keys() -> None:
    accounts = sa.table(
        "accounts", *(sa.column(name) for name in ("id", "name", "family_name", "email", "name_key", "email_key"))
    )
    connection, last = op.get_bind(), None
    known = sa.select(accounts.c.id, accounts.c.name, accounts.c.family_name, accounts.c.email)
    change = (
        accounts.update()
        .where(accounts.c.id == sa.bindparam("which"))
        .values(name_key=sa.bindparam("name_key"), email_key=sa.bindparam("email_key"))
    )
    while True:
        after = known if last is None else known.where(accounts.c.id > last)
        rows: Sequence[sa.Row[tuple[object, str, str, str | None]]] = connection.execute(
            after.order_by(accounts.c.id).limit(_AT_ONCE)
        ).all()
        if not rows:
            return
        values = [
            {"which": row.id, "name_key": _name_key(row.name, row.family_name), "email_key": _fold(row.email or "")}
            for row in rows
        ]
        connection.execute(change, values)
        last = rows[-1].id


def _name_key(name: str, family_name: str) -> str:
    whole, family = _fold(name), _fold(family_name)
    if not family or not whole.endswith(family):
        family = " ".join(whole.split()[-1:])
    return f"{family} {whole.removesuffix(family)}".strip()[:300]


def _fold(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text[:200].casefold())
    letters = "".join(one for one in apart if unicodedata.category(one) != "Mn" and one not in "'\u2019`")
    return " ".join("".join(one if one.isalnum() or one in "@._-+" else " " for one in letters).split())[:300]
