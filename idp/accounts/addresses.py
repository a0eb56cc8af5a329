"""What somebody types as an email address: whether mail can go there, and whether it looks like a slip."""

import unicodedata
from dataclasses import dataclass

from flask_babel import gettext as _

LONGEST = 254
"""What fits into a mail's envelope (RFC 5321 section 4.5.3.1.3)."""

_COMMON = (
    "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "comcast.net", "sbcglobal.net", "verizon.net",
    "protonmail.com", "yahoo.es", "hotmail.es", "yahoo.com.mx",
)  # fmt: skip
_NO_SLIPS = frozenset({*_COMMON, "ymail.com", "mail.com", "email.com", "fmail.com"})
"""Domains that people do have, though each differs from a common one by a letter or two."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address that mail can be sent to."""

    text: str
    """As it is kept: without spaces around it, its domain in small letters and as people read it."""
    meant: str | None = None
    """What was probably meant, where the domain looks like a slip: for "ewa@gmial.com" it is "ewa@gmail.com"."""


@dataclass(frozen=True, slots=True)
class Problem:
    """No address, and why, in a sentence for a person."""

    words: str


def check(text: str) -> Address | Problem:
    """Look at what was typed, without asking anybody: nothing is refused for being unusual, nor for not being known."""
    typed = text.strip(" \t\u00a0")
    if not typed:
        return Problem(_("Enter an email address."))
    if len(typed) > LONGEST:
        return Problem(_("This email address is too long."))
    if any(unicodedata.category(character)[0] == "C" for character in typed):
        return Problem(_("The email address contains a line break or a character that can't be seen."))
    from email_validator import EmailNotValidError, validate_email  # a start need not wait for all that it compiles

    try:
        found = validate_email(typed, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return Problem(_("This is no email address. It looks like name@example.org."))
    if "." not in found.ascii_domain:
        return Problem(_("The end of this email address is missing. It looks like name@example.org."))
    domain = _meant(found.domain)
    return Address(found.normalized, f"{found.local_part}@{domain}" if domain else None)


def slip(text: str) -> str:
    """Return the address that was typed where it looks like a slip: sent once more, it is what was meant."""
    found = check(text)
    return found.text if isinstance(found, Address) and found.meant else ""


def masked(address: str) -> str:
    """Return an address so that its owner knows it, and somebody who looks on does not learn it: "e***@example.org"."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _meant(domain: str) -> str | None:
    """Return the common domain that a domain is one slip away from."""
    if domain in _NO_SLIPS:
        return None
    return next((common for common in _COMMON if _is_one_slip(domain, common)), None)


def _is_one_slip(typed: str, meant: str) -> bool:
    """Tell whether one character was left out, added or exchanged, or two that stand side by side changed places."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = next((at for at, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), len(meant))
    rest, wanted = typed[start:], meant[start:]
    left_out, added, exchanged = rest == wanted[1:], rest[1:] == wanted, rest[1:] == wanted[1:]
    changed_places = rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:]
    return left_out or added or exchanged or changed_places
