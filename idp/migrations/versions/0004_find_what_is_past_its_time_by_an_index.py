"""Find by an index what hangs on a session that goes, and an application's or a lost cause's log-out notices."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; the version before neither needs nor minds them, and misses none."""
    op.create_index("ix_authorization_codes_session_id", "authorization_codes", ["session_id"])
    op.create_index("ix_logout_notices_client_pk_created_at", "logout_notices", ["client_pk", "created_at"])
    op.drop_index("ix_logout_notices_client_pk", table_name="logout_notices")
    given_up = sa.text("given_up_at IS NOT NULL")
    op.create_index(
        "ix_logout_notices_given_up_at",
        "logout_notices",
        ["given_up_at"],
        sqlite_where=given_up,
        postgresql_where=given_up,
    )


def downgrade() -> None:
    """Take them away; one begins with the application alone again."""
    op.drop_index("ix_logout_notices_given_up_at", table_name="logout_notices")
    op.create_index("ix_logout_notices_client_pk", "logout_notices", ["client_pk"])
    op.drop_index("ix_logout_notices_client_pk_created_at", table_name="logout_notices")
    op.drop_index("ix_authorization_codes_session_id", table_name="authorization_codes")
