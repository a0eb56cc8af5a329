"""What the pages of login send: its shape, and what is said about what is missing."""

from dataclasses import dataclass, field
from typing import Self

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

Errors = list[tuple[str, str]]
"""What is wrong, as pairs of a field's id (empty for the form as a whole) and words."""


@dataclass(frozen=True, slots=True)
class LogInForm:
    """The log-in page as it was filled in."""

    username: str = ""
    password: str = field(default="", repr=False)
    shared_computer: bool = False

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent; nothing that is missing is an error yet."""
        return cls(sent.get("username", ""), sent.get("password", ""), "shared_computer" in sent)

    def errors(self) -> Errors:
        """Return what is missing."""
        missing = []
        if not self.username.strip():
            missing.append(("username", _("Enter your username.")))
        if not self.password:
            missing.append(("password", _("Enter your password.")))
        return missing
