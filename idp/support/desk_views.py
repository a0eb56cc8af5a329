"""The desk's pages of requests: the queue, one request, and whose account it is about."""

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from idp import clock
from idp.support import desk_forms, handling, people, queue
from idp.support.desk import PREFIX, admit, before_page, member, page
from idp.support.desk_forms import CALL, MOVE, NOTE, REPLY, HandlingForm
from idp.support.handling import Done, Outcome, Seen, Unknown
from idp.support.models import OPEN, STATES, Ticket
from idp.support.turns import Overtaken, Unfit
from idp.web.redirects import see_other

blueprint = Blueprint("desk", __name__, url_prefix=PREFIX)
blueprint.before_app_request(admit)
blueprint.before_request(before_page)


@blueprint.get("", endpoint="queue")
def show_queue() -> ResponseReturnValue:
    """Show one tab of the queue, or what a search has found."""
    typed = desk_forms.searched(request.args.get("q", ""))
    tabs = {"counts": queue.counts(), "most": queue.MOST_COUNTED}
    if typed:
        return page("desk/queue.html", typed=typed, found=queue.find(typed), state="", **tabs)
    state = request.args.get("state", "")
    state = state if state in STATES else OPEN
    listed = queue.page(state, request.args.get("after", ""))
    return page("desk/queue.html", typed="", listed=listed, state=state, **tabs)


@blueprint.get("/requests/<number>", endpoint="ticket")
def show_ticket(number: str) -> ResponseReturnValue:
    """Show one request: what was sent, what was done, and what can be done."""
    return _ticket_page(_get(number), HandlingForm(), [], done=request.args.get("done", ""))


@blueprint.post("/requests/<number>", endpoint="handle")
def handle_ticket(number: str) -> ResponseReturnValue:
    """Do what one of the page's buttons says."""
    ticket, form = _get(number), HandlingForm.read(request.form)
    if form.do not in {REPLY, CALL, NOTE, MOVE}:
        abort(400)
    if wrong := form.errors():
        return _ticket_page(ticket, form, wrong), 422
    match _handle(form, Seen(ticket.number, form.version, member().account_id)):
        case Done():
            return see_other(url_for("desk.ticket", number=number, done=form.do))
        case Overtaken():
            return _ticket_page(_get(number), form, [], overtaken=True), 409
        case Unfit(problem):
            return _ticket_page(_get(number), form, [("", problem)]), 422
        case Unknown():
            raise NotFound


@blueprint.get("/requests/<number>/account", endpoint="choose_account")
def choose_account(number: str) -> ResponseReturnValue:
    """Look for the account that a request is about, first by the name and the address that it was sent with."""
    return _choice_page(_get(number))


@blueprint.post("/requests/<number>/account", endpoint="match")
def match_account(number: str) -> ResponseReturnValue:
    """Say whose account a request is about, or take that back."""
    ticket, chosen = _get(number), request.form.get("account", "")
    account = people.get(chosen)
    if account is None and chosen != "none":
        return _choice_page(ticket, gone=True), 422
    seen = Seen(ticket.number, request.form.get("version", ""), member().account_id)
    match handling.match(seen, account.id if account else None, clock.now()):
        case Done():
            return see_other(url_for("desk.ticket", number=number, done="match" if account else "unmatch"))
        case Overtaken():
            return _choice_page(_get(number), overtaken=True), 409
        case Unfit():
            return _choice_page(_get(number), gone=True), 422
        case Unknown():
            raise NotFound


def _handle(form: HandlingForm, seen: Seen) -> Outcome:
    now = clock.now()
    if form.do == REPLY:
        return handling.reply(seen, form.text, form.state, now)
    if form.do == CALL:
        return handling.call(seen, form.text, form.state, now)
    if form.do == NOTE:
        return handling.note(seen, form.text, now)
    return handling.move(seen, form.state, now)


def _get(number: str) -> Ticket:
    ticket = queue.find_by_number(number) if len(number) == queue.DIGITS and number.isdecimal() else None
    if ticket is None:
        abort(404)
    return ticket


def _ticket_page(
    ticket: Ticket, form: HandlingForm, errors: desk_forms.Errors, *, overtaken: bool = False, done: str = ""
) -> str:
    return page(
        "desk/ticket.html",
        sheet=queue.sheet(ticket),
        version=handling.version(ticket),
        form=form,
        errors=errors,
        messages=dict(errors),
        overtaken=overtaken,
        done=done,
        states=STATES,
    )


def _choice_page(ticket: Ticket, *, gone: bool = False, overtaken: bool = False) -> str:
    typed = desk_forms.searched(request.args.get("q", ticket.name))
    return page(
        "desk/choose_account.html",
        ticket=ticket,
        version=handling.version(ticket),
        typed=typed,
        found=people.find(typed),
        gone=gone,
        overtaken=overtaken,
    )
