"""The desk's pages of people: a search, one person, and each act on them, which asks before it acts."""

from collections.abc import Callable

import werkzeug.exceptions
from flask import Blueprint, abort, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import clock
from idp.accounts import security_emails
from idp.accounts.models import Account
from idp.admin import gate
from idp.admin.gate import PASSWORD_FIELD
from idp.login import pages as login_pages
from idp.support import acts, desk_forms, people
from idp.support.acts import Act, Done, Forbidden, Outcome
from idp.support.desk import PREFIX, before_page, member, page
from idp.support.desk_forms import ActForm, Errors
from idp.support.turns import Overtaken, Unfit
from idp.throttle import tries
from idp.throttle.rules import Wait
from idp.web.redirects import see_other

blueprint = Blueprint("desk_people", __name__, url_prefix=f"{PREFIX}/people")
blueprint.before_request(before_page)

Run = Callable[[Act, ActForm], Outcome]


@blueprint.get("")
def search() -> ResponseReturnValue:
    """Look for people by how their name, username or address begins."""
    typed = desk_forms.searched(request.args.get("q", ""))
    return page("desk/people.html", typed=typed, found=people.find(typed) if typed else None)


@blueprint.get("/<account_id>")
def person(account_id: str) -> ResponseReturnValue:
    """Show one person, and what can be done for them."""
    account = _get(account_id)
    return page(
        "desk/person.html",
        person=people.show(account, clock.now()),
        may_act=_may_act(account),
        is_self=account.id == member().account_id,
        done=request.args.get("done", ""),
    )


@blueprint.route("/<account_id>/rename", methods=["GET", "POST"])
@gate.opened_fresh
def rename(account_id: str) -> ResponseReturnValue:
    """Give somebody another username (R47)."""
    return _act(account_id, "rename", lambda act, form: acts.rename(act, form.username, clock.now()))


@blueprint.route("/<account_id>/temporary-password", methods=["GET", "POST"])
@gate.opened_fresh
def temporary_password(account_id: str) -> ResponseReturnValue:
    """Mail somebody a new temporary password (R7, R8)."""
    return _act(account_id, "temporary_password", lambda act, _form: acts.send_first_password(act, clock.now()))


@blueprint.route("/<account_id>/unlock", methods=["GET", "POST"])
@gate.opened_fresh
def unlock(account_id: str) -> ResponseReturnValue:
    """Forget somebody's wrong passwords."""
    return _act(account_id, "unlock", lambda act, _form: acts.unlock(act, clock.now()))


@blueprint.route("/<account_id>/verification", methods=["GET", "POST"])
@gate.opened_fresh
def verification(account_id: str) -> ResponseReturnValue:
    """Mail somebody a fresh link to verify their address (R42)."""
    return _act(account_id, "verification", lambda act, _form: acts.resend_verification(act, clock.now()))


@blueprint.route("/<account_id>/security-email", methods=["GET", "POST"])
@gate.opened_fresh
def security_email(account_id: str) -> ResponseReturnValue:
    """Take away the security email that somebody else may have entered."""
    return _act(account_id, "security_email", lambda act, _form: acts.remove_security_email(act, clock.now()))


@blueprint.route("/<account_id>/recovery", methods=["GET", "POST"])
@gate.opened_fresh
def recovery(account_id: str) -> ResponseReturnValue:
    """Say that a family without email is helped by phone or letter, or take that back."""
    return _act(
        account_id,
        "recovery",
        lambda act, form: acts.recover_by(act, None if form.how == "email" else form.how, clock.now()),
    )


def _act(account_id: str, name: str, run: Run) -> ResponseReturnValue:
    """Ask, or act: the form that was sent comes back with what was typed, whatever keeps it from being done."""
    account = _get(account_id)
    if not _may_act(account):
        abort(403)
    if request.method in {"GET", "HEAD"}:
        return _page(name, account, ActForm(username=account.username, how=account.recovery_by or "email"), [])
    form = ActForm.read(request.form)
    if form.problems:
        return _page(name, account, form, form.problems), 422
    if refusal := gate.confirm():
        return _page(name, account, form, [(PASSWORD_FIELD, refusal.message)]), refusal.status
    session = member()
    outcome = run(Act(session.account_id, session.role, account.id, form.reason, form.version), form)
    match outcome:
        case Done():
            return see_other(url_for("desk_people.person", account_id=account_id, done=name))
        case Overtaken():
            return _page(name, _get(account_id), form, [], overtaken=True), 409
        case Unfit(problem):
            return _page(name, _get(account_id), form, [(_FIELDS.get(name, ""), problem)]), 422
        case Wait(until):
            now = clock.now()
            time = login_pages.wait_time(until, now)
            words = _("This mail was sent a short time ago. Please wait %(time)s before you send another.", time=time)
            response = make_response(_page(name, _get(account_id), form, [("", words)]), 429)
            return login_pages.later(response, until, now)
        case Forbidden():
            raise werkzeug.exceptions.Forbidden


_FIELDS = {"rename": "username", "recovery": "how"}
"""The field that a problem of an act is about."""


def _page(name: str, account: Account, form: ActForm, errors: Errors, *, overtaken: bool = False) -> str:
    return page(
        f"desk/acts/{name}.html",
        account=account,
        form=form,
        version=acts.version(account),
        errors=errors,
        messages=dict(errors),
        overtaken=overtaken,
        needs_password=gate.needs_password(),
        password_hint=_("Whatever you do for somebody needs a log-in of the last few minutes."),
        waits_until=people.waits_until(account, clock.now()),
        is_stopped=tries.is_stopped(account.username_key, clock.now()),
        security_email=security_emails.status(account.id),
    )


def _get(account_id: str) -> Account:
    account = people.get(account_id)
    if account is None:
        abort(404)
    return account


def _may_act(account: Account) -> bool:
    session = member()
    return acts.may_act(session.account_id, session.role, account)
