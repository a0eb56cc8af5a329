"""What the pages of the security email send, and what is said about what is wrong with it."""

from dataclasses import dataclass, field
from typing import Self

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from idp.accounts import addresses, security_emails
from idp.accounts.addresses import Address, Problem
from idp.accounts.security_emails import Status
from idp.login.forms import Errors

_MOST_TYPED = 1000


@dataclass(frozen=True, slots=True)
class AddressForm:
    """An address and the current password, as they were typed."""

    email: str = ""
    password: str = field(default="", repr=False)
    kept: str = ""
    """The address that was pointed out as a slip the last time: sent again, it is meant."""

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent; nothing that is missing is an error yet."""
        email, kept = sent.get("email", "")[:_MOST_TYPED], sent.get("kept", "")[:_MOST_TYPED]
        return cls(email, sent.get("current_password", ""), kept)

    def checked(self, status: Status) -> Address | Errors:
        """Return the address to keep, or what is wrong with what was typed."""
        found, wrong = addresses.check(self.email), Errors()
        if isinstance(found, Problem):
            wrong.append(("email", found.words))
        elif status.verified is not None and security_emails.key(found.text) == security_emails.key(status.verified):
            wrong.append(("email", _("This is your security email already, and it is verified.")))
        elif found.meant is not None and found.text != self.kept:
            words = _("Did you mean %(address)s? If not, type your password and press Save again.", address=found.meant)
            wrong.append(("email", words))
        if not self.password:
            wrong.append(("current_password", _("Enter your current password.")))
        return wrong or found if not isinstance(found, Problem) else wrong

    def slip(self) -> str:
        """Return the address that was pointed out as a slip, for the page to send along."""
        return addresses.slip(self.email)
