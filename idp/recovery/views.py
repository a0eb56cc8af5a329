"""The pages of the security email: entered, verified, changed, and "this was not me"."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from werkzeug import Response

from idp import clock
from idp.accounts import addresses, security_emails
from idp.accounts import service as accounts
from idp.accounts.addresses import Address
from idp.accounts.models import Account
from idp.login import destination, guard, passage, steps
from idp.login import pages as login_pages
from idp.login.destination import Destination, LostContinuation
from idp.login.guard import get_session, require_log_in
from idp.login.new_password import Gone
from idp.login.password_check import Busy, Refused
from idp.login.robot import ChallengeNeeded
from idp.login.service import LoggedIn, StepsOpen
from idp.login.views import lost
from idp.recovery import doors, links, pages, security_email, verification
from idp.recovery.doors import NOT_ME, VERIFY, Door
from idp.recovery.forms import AddressForm
from idp.recovery.security_email import NothingPending, Sent
from idp.recovery.tokens import Live
from idp.recovery.verification import NotGood, Stopped, Verified
from idp.throttle import ladder
from idp.throttle.rules import Wait
from idp.web import cookies
from idp.web.redirects import see_other

blueprint = Blueprint("security_email", __name__)
blueprint.register_error_handler(LostContinuation, lost)


@blueprint.get("/setup/security-email")
def setup() -> Response:
    """Ask for an address before anything else opens; the one on file stands there to be taken (R11, R13)."""
    going_to, account = destination.wanted(), _account_at_step()
    if account is None:
        return passage.to_next_step(going_to)
    return pages.setup(going_to, account, AddressForm(account.email or ""), [], 200)


@blueprint.post("/setup/security-email")
def save_setup() -> Response:
    """Keep the address, mail the link that verifies it, and log in; or put it off."""
    going_to, account, now = destination.wanted(), _account_at_step(), clock.now()
    if account is None:
        return passage.to_next_step(going_to)
    token, browser = cookies.read(cookies.STEPS), passage.this_browser()
    if "later" in request.form:
        return _after_step(going_to, security_email.put_off(token, browser, now), told=False)
    form = AddressForm.read(request.form)
    checked = form.checked(security_emails.status(account.id))
    if not isinstance(checked, Address):
        return pages.setup(going_to, account, form, checked, 422)
    match security_email.set_up(token, checked.text, form.password, browser, now):
        case LoggedIn() | StepsOpen() | Gone() as outcome:
            return _after_step(going_to, outcome, told=True)
        case Refused(level):
            login_pages.ask_robot(level)
            return pages.setup(going_to, account, form, _wrong_password(), 422)
        case ChallengeNeeded() | Wait() | ladder.Stopped() as unlooked:
            return login_pages.unlooked(unlooked, now, partial(pages.setup, going_to, account, form))
        case Busy():
            return pages.setup(going_to, account, form, [], 503)


@blueprint.get("/account/security-email")
@require_log_in
def change() -> Response:
    """Ask for an address, or for another one, and the current password (R35, R36)."""
    guard.note_visit()
    session = get_session()
    had, on_file = security_emails.status(session.account_id), accounts.get(session.account_id).email
    return pages.change(session, had, AddressForm("" if had.is_set else on_file or ""), [], 200)


@blueprint.post("/account/security-email")
@require_log_in
def save() -> Response:
    """Keep the address as pending, and mail the link that verifies it (R37)."""
    session, form, now = get_session(), AddressForm.read(request.form), clock.now()
    had = security_emails.status(session.account_id)
    checked = form.checked(had)
    if not isinstance(checked, Address):
        return pages.change(session, had, form, checked, 422)
    match security_email.enter(session, checked.text, form.password, passage.evidence(), now):
        case LoggedIn() as logged_in:
            return passage.go_on(url_for("security_email.sent"), logged_in)
        case Refused(level):
            login_pages.ask_robot(level)
            return pages.change(session, had, form, _wrong_password(), 422)
        case ChallengeNeeded() | Wait() | ladder.Stopped() as unlooked:
            return login_pages.unlooked(unlooked, now, partial(pages.change, session, had, form))
        case Busy():
            return pages.change(session, had, form, [], 503)


@blueprint.get("/account/security-email/sent")
@require_log_in
def sent() -> Response:
    """Say to which address the mail went, what to look for, and what to do if none comes (R16, R41, R42)."""
    guard.note_visit()
    going_to, pending = destination.wanted(), security_emails.status(get_session().account_id).pending
    if pending is None:
        return see_other(url_for("profile.account"))
    return pages.sent(going_to, get_session(), pending, [], again="again" in request.args, now=clock.now())


@blueprint.post("/account/security-email/sent")
@require_log_in
def check_code() -> Response:
    """Verify the address by the code that was typed."""
    going_to, session, now = destination.wanted(), get_session(), clock.now()
    pending = security_emails.status(session.account_id).pending
    if pending is None:
        return see_other(url_for("profile.account"))
    match verification.verify_by_code(session.account_id, request.form.get("code", ""), now):
        case Verified():
            done = url_for("profile.account", done="verified")
            return see_other(going_to.address if going_to.carried else done)
        case NotGood():
            words = _("This code is wrong or too old. Use the newest mail, or have a new one sent.")
            return pages.sent(going_to, session, pending, [("code", words)], now=now, status=422)


@blueprint.post("/account/security-email/resend")
@require_log_in
def resend() -> Response:
    """Mail a fresh link (R40)."""
    going_to, session, now = destination.wanted(), get_session(), clock.now()
    match security_email.resend(session.account_id, now):
        case Sent():
            there = going_to.page("security_email.sent")
            return see_other(f"{there}{'&' if '?' in there else '?'}again=1")
        case NothingPending():
            return see_other(url_for("profile.account"))
        case Wait(until) as wait:
            pending = security_emails.status(session.account_id).pending or ""
            page = pages.sent(going_to, session, pending, pages.too_soon(wait, now), now=now, status=429)
            return login_pages.later(page, until, now)


@blueprint.get("/verify-email")
def verify() -> Response:
    """Ask whoever opens the link to press a button: it spends nothing, since mail scanners open links, too (R17)."""
    return _opened(VERIFY, verification.find, "recovery/verify.html", "recovery/verified.html")


@blueprint.post("/verify-email")
def confirm_verification() -> Response:
    """Verify the address, in whatever browser."""
    now = clock.now()
    match verification.verify(doors.token(VERIFY), now):
        case Verified():
            return doors.done(VERIFY)
        case NotGood():
            return doors.refuse(VERIFY)
        case Wait() as wait:
            return doors.too_many(VERIFY, wait, now)


@blueprint.get("/not-me")
def not_me() -> Response:
    """Ask whoever did not make a change to press a button, which stops it (R37)."""
    return _opened(NOT_ME, partial(links.find, NOT_ME.purpose), "recovery/not_me.html", "recovery/stopped.html")


@blueprint.post("/not-me")
def object_to_change() -> Response:
    """Undo the change, log everybody out, and lead into recovery."""
    now = clock.now()
    match verification.object_to_change(doors.token(NOT_ME), now):
        case Stopped():
            return doors.done(NOT_ME)
        case NotGood():
            return doors.refuse(NOT_ME)
        case Wait() as wait:
            return doors.too_many(NOT_ME, wait, now)


def _opened(door: Door, find: Callable[[str, datetime], Live | Wait | None], ask: str, done: str) -> Response:
    """Ask whoever has opened a link to press its button, or say that it is done."""
    if "done" in request.args:
        return doors.page(done)
    if (moved := doors.take(door)) is not None:
        return moved
    now = clock.now()
    match find(doors.token(door), now):
        case None:
            return doors.refuse(door)
        case Wait() as wait:
            return doors.too_many(door, wait, now)
        case Live(address=address):
            return doors.page(ask, address=addresses.masked(address))


def _account_at_step() -> Account | None:
    """Return whose security email is asked for in this browser before there is a session."""
    opened = steps.find_open(cookies.read(cookies.STEPS), steps.SECURITY_EMAIL, clock.now())
    return accounts.get(opened.account_id) if opened else None


def _after_step(going_to: Destination, outcome: LoggedIn | StepsOpen | Gone, *, told: bool) -> Response:
    """Go on after the step: told says that there is a page between, which says where the mail went."""
    match outcome:
        case LoggedIn() as logged_in:
            kept = going_to if going_to.carried else destination.local(url_for("portal.home"))
            return passage.go_on(kept.page("security_email.sent") if told else going_to.address, logged_in)
        case StepsOpen() as opened:
            return passage.open_steps(going_to, opened)
        case Gone():
            return passage.to_next_step(going_to)


def _wrong_password() -> list[tuple[str, str]]:
    return [("current_password", _("This is not your current password. Try again."))]
