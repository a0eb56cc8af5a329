"""Who does what is due for all nodes together."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base


class WorkerLease(Base):
    """A task that one worker at a time does, now and then."""

    __tablename__ = "worker_leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100))
    """Host and process that has it or had it last."""
    until: Mapped[datetime]
    """When somebody else may take it: a worker that dies does not keep it."""
    finished_at: Mapped[datetime | None]
