"""How the pages of the security email are drawn."""

from datetime import datetime

from flask import Response
from flask_babel import gettext as _

from idp import settings
from idp.accounts import addresses
from idp.accounts.models import Account
from idp.accounts.security_emails import Status
from idp.login import pages, steps
from idp.login.destination import Destination
from idp.login.forms import Errors
from idp.recovery import tokens
from idp.recovery.forms import AddressForm
from idp.recovery.models import VERIFICATION
from idp.sessions.store import ActiveSession
from idp.throttle.rules import Wait


def setup(going_to: Destination, account: Account, form: AddressForm, errors: Errors, status: int) -> Response:
    """Return the page that asks for the first address, before there is a session. Status 503 says that many wait."""
    going_to.allow()
    return pages.page(
        "recovery/setup.html",
        status,
        errors,
        action=going_to.page("security_email.setup"),
        form=form,
        username=account.username,
        may_put_off=steps.may_put_off(account),
    )


def change(session: ActiveSession, had: Status, form: AddressForm, errors: Errors, status: int) -> Response:
    """Return the page of Account Settings that asks for an address. Status 503 says that many wait."""
    return pages.page("recovery/change.html", status, errors, form=form, username=session.username, had=had)


def sent(
    going_to: Destination,
    session: ActiveSession,
    pending: str,
    errors: Errors,
    *,
    again: bool = False,
    now: datetime,
    status: int = 200,
) -> Response:
    """Return the page that says where the mail went and what to look for, and takes the code in it (R16, R41)."""
    going_to.allow()
    is_good = tokens.find_latest(VERIFICATION, session.account_id, now) is not None
    return pages.page(
        "recovery/sent.html",
        status,
        errors,
        address=addresses.masked(pending),
        again=again,
        is_good=is_good,
        sender=settings.current().mail.sender,
        go_on=going_to.address if going_to.carried else "",
        action=going_to.page("security_email.sent"),
        resend=going_to.page("security_email.resend"),
    )


def too_soon(wait: Wait, now: datetime) -> Errors:
    """Say that enough mail was sent for now (R40)."""
    time = pages.wait_time(wait.until, now)
    return [("", _("We have sent you this mail already. Please wait %(time)s before you ask for another.", time=time))]
