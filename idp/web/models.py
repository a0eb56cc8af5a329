"""What a page keeps between two requests when it is too long for an address."""

from datetime import datetime

from sqlalchemy import LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base


class ParkedRequest(Base):
    """A sealed request that is too long to travel in an address; the page carries the token of this row instead."""

    __tablename__ = "parked_requests"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
