"""Links and codes that were mailed."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.accounts.models import Account
from idp.database import Base
from idp.ids import new_id

VERIFICATION, OBJECTION, RESET, FIRST_PASSWORD = "verification", "objection", "reset", "first_password"
"""What a link is for: to verify an address, to object to its change ("this was not me"), to choose a password anew, or
for the first time."""


class EmailToken(Base):
    """A link that was mailed to one address, and the code beside it: good once, for one purpose and one account."""

    __tablename__ = "email_tokens"
    __table_args__ = (Index("ix_email_tokens_account_id_purpose", "account_id", "purpose"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(320))
    """Where it was mailed to; what a verification verifies, and what an objection restores."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the token in the link."""
    sealed_code: Mapped[str] = mapped_column(Text, default="")
    """The code that can be typed instead: too short for a digest to hide it. Nothing when there is none."""
    code_tries: Mapped[int] = mapped_column(default=0)
    code_expires_at: Mapped[datetime | None]
    continuation: Mapped[str] = mapped_column(Text, default="")
    """The sealed request of the application that the person came from: it opens in the same browser only."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"<EmailToken {self.id}>"


class ForgottenQuestion(Base):
    """What somebody typed who has forgotten something. The worker looks it up, answers by mail, and deletes it.

    A request writes the same row whatever was typed, so that neither its answer nor its time can tell who is known.
    """

    __tablename__ = "forgotten_questions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    sealed_content: Mapped[str] = mapped_column(Text)
    """People type passwords into the wrong field, too: nobody reads here what they have typed."""
    created_at: Mapped[datetime] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"<ForgottenQuestion {self.id}>"
