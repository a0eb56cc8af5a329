"""How the desk says things: what became of a mail, what a mail is about, how long ago something was."""

import re
from datetime import datetime
from urllib.parse import quote

from flask_babel import format_datetime, format_timedelta, get_locale
from flask_babel import gettext as _

from idp import clock, settings
from idp.accounts.addresses import masked
from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT
from idp.accounts.security_emails import Status
from idp.mail.models import ACCEPTED, BOUNCED, GIVEN_UP, REFUSED, TOO_LATE, OutboxMessage
from idp.mail.models import WAITING as QUEUED
from idp.support import words
from idp.support.acts import LETTER, PHONE
from idp.support.models import CLOSED, OPEN, WAITING
from idp.web.language import locale_of

_NO_DIGIT = re.compile(r"[^0-9+]")


def tab(state: str) -> str:
    """Return the words for a tab of the queue: whose turn it is."""
    return str({OPEN: _("Open"), WAITING: _("Waiting"), CLOSED: _("Closed")}.get(state, state))


def ago(at: datetime) -> str:
    """Return how long ago something was, such as "3 days ago"."""
    return str(format_timedelta(min(at, clock.now()) - clock.now(), add_direction=True))


def moment(at: datetime) -> str:
    """Return a date and a time."""
    return str(format_datetime(at, "medium"))


def language(code: str) -> str:
    """Return what a language is called in the reader's own; its code, where Babel knows none."""
    if code == words.OTHER_LANGUAGE:
        return str(words.language(code))
    try:
        return str(locale_of(code).get_display_name(get_locale()) or code)
    except ValueError:
        return code


def written_in(code: str) -> str:
    """Return the language of a letter to whoever has chosen one: the district's first, where it can't write that."""
    offered = settings.current().district.languages
    return language(code if code in offered else offered[0])


def call_address(phone: str) -> str:
    """Return the address that calls a number as somebody has typed it."""
    return f"tel:{quote(_NO_DIGIT.sub('', phone), safe='+')}"


def role(name: str) -> str:
    """Return the words for what somebody may do here."""
    return str({GUARDIAN: _("Parent or guardian"), SUPPORT: _("Support team"), ADMIN: _("Admin")}.get(name, name))


def recovery_by(how: str | None) -> str:
    """Return how a family is helped that can't log in."""
    return str({PHONE: _("By phone"), LETTER: _("By letter")}.get(how or "", _("By email")))


def security_email(status: Status) -> str:
    """Return what somebody has for a security email, in words; the address itself is theirs, so it is masked."""
    if status.verified and status.pending:
        return str(
            _(
                "Verified: %(verified)s. A new one is not verified yet: %(pending)s.",
                verified=masked(status.verified),
                pending=masked(status.pending),
            )
        )
    if status.verified:
        return str(_("Verified: %(address)s", address=masked(status.verified)))
    if status.pending:
        return str(
            _(
                "Not verified yet: %(address)s. Forgot Password? and Forgot Username? do not work.",
                address=masked(status.pending),
            )
        )
    return str(_("None yet. It is asked for at the next log-in."))


def delivery(message: OutboxMessage) -> str:
    """Return what became of a message (R42), with what the mail server said."""
    said = message.reply
    if said == TOO_LATE:
        return str(_("Not sent: the mail server took nothing until it was too late for its link. Send another."))
    told = {
        ACCEPTED: _("Accepted by the mail server: %(said)s", said=said),
        REFUSED: _("Refused by the mail server: %(said)s", said=said),
        GIVEN_UP: _("Given up after many tries: %(said)s", said=said),
        BOUNCED: _("Bounced, it did not arrive: %(said)s", said=said),
    }
    queued = _("Queued, put off by the mail server: %(said)s", said=said) if said else _("Queued, not sent yet")
    return str(told.get(message.state, queued))


def delivery_colour(message: OutboxMessage) -> str:
    """Return the colour that goes with these words."""
    return {ACCEPTED: "on", QUEUED: "warn"}.get(message.state, "off")


def mail(message: OutboxMessage) -> str:
    """Return what a message is about; its own subject, where nothing shorter is known."""
    known = {
        "admin/username_changed": _("The username was changed"),
        "login/password_changed": _("The password was changed"),
        "login/password_stopped": _("A notice that the password works in known browsers only"),
        "login/tries": _("A notice that somebody tried passwords"),
        "recovery/address_added": _("A notice that a security email was added"),
        "recovery/change_asked": _("A notice that the security email is to change"),
        "recovery/first_password_link": _("A link to choose a first password"),
        "recovery/reset": _("Forgot Password?: a link to a new password"),
        "recovery/robot_code": _("A code in place of the pictures of “I'm not a robot”"),
        "recovery/temporary_password": _("A temporary password"),
        "recovery/usernames": _("Forgot Username?: the usernames"),
        "recovery/verify_email": _("Verification of a security email"),
        "support/first_password_sent": _("A notice that a temporary password was sent"),
        "support/received": _("The request for support has arrived"),
        "support/security_email_removed": _("A notice that the security email was removed"),
        "support/reply": _("An answer to a request for support"),
    }
    return str(known.get(message.kind, message.subject))
