"""The ledger of tries."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base


class Counter(Base):
    """How often one thing was tried and failed: a username at the log-in door, an application's secret, and so on."""

    __tablename__ = "throttle_counters"
    __table_args__ = (
        Index(
            "ix_throttle_counters_owner_last_at",
            "owner",
            "last_at",
            sqlite_where=text("owner IS NOT NULL"),
            postgresql_where=text("owner IS NOT NULL"),
        ),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the kind and its subject: the ledger knows no names, so that it is no list of who has an account."""
    kind: Mapped[str] = mapped_column(String(40))
    failures: Mapped[int] = mapped_column(default=0)
    """Failed tries, and those reserved that are not settled yet: a try counts as failed until it has succeeded."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    owner: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of a known browser: the digest of the username that it is known at."""
