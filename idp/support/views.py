"""The Portal Support Form, and the page on which a family sees where its request stands: both need no log-in."""

import math
from datetime import datetime, timedelta

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response as AnyResponse

from idp import clock, settings
from idp.login import pages
from idp.sessions import browser
from idp.support import forms, human, service, words
from idp.support.forms import Errors, LookUpForm, SupportForm
from idp.support.human import Doubt
from idp.support.models import TOPICS
from idp.support.service import Found, Missing, Received, SentBefore
from idp.throttle.rules import Wait
from idp.web import continuation, errors, language
from idp.web.continuation import Continuation
from idp.web.errors import RETRY_SECONDS, StalePage
from idp.web.redirects import see_other

blueprint = Blueprint("support", __name__)

_SHOWN_FOR = timedelta(minutes=30)
"""How long a browser is shown a request without asking for its number and contact again."""


@blueprint.get("/support")
def form() -> ResponseReturnValue:
    """Ask what somebody needs (R53, R57). Without a database, say how else to reach the team."""
    topic = request.args.get("topic", "")
    try:
        return _form_page(_prefilled(topic if topic in TOPICS else ""), [], 200, human.draw(clock.now()))
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        return render_template("support/form.html", form=None)


@blueprint.post("/support")
def send() -> AnyResponse:
    """Take a request, and show its number."""
    filled_in = SupportForm.read(request.form)
    try:
        return _send(filled_in, clock.now())
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        problem = _("This cannot be sent just now. Your answers are still here. Try again in a minute, or call us.")
        token = human.keep(request.form.get(human.TOKEN, ""), clock.now())
        return _later(_form_page(filled_in, [("", problem)], 503, token))


@blueprint.get("/support/sent")
def sent() -> ResponseReturnValue:
    """Show the number under which a request is kept, and what comes next (R55)."""
    number = _shown()
    if number is None:
        return see_other(url_for("support.ticket"))
    return _without_database("support/sent.html", number=number)


@blueprint.get("/support/ticket")
def ticket() -> ResponseReturnValue:
    """Ask for a request's number and contact, or show where it stands to whoever has just given them (R59)."""
    number = _shown()
    try:
        shown = service.show(number) if number else None
        if shown is None:
            return _ticket_page(LookUpForm(), [], 200)
        return make_response(render_template("support/ticket_state.html", shown=shown, words=words))
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        return make_response(render_template("support/ticket.html", form=None))


@blueprint.post("/support/ticket")
def look_up() -> AnyResponse:
    """Find a request by its number and contact."""
    filled_in, now = LookUpForm.read(request.form), clock.now()
    if problems := filled_in.errors():
        return _ticket_page(filled_in, problems, 422)
    try:
        return _look_up(filled_in, now)
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        problem = _("We cannot look it up just now. Try again in a minute, or call us.")
        return _later(_ticket_page(filled_in, [("", problem)], 503))


@blueprint.errorhandler(StalePage)
def stale(error: StalePage) -> AnyResponse:
    """Show a form anew when it was too old or not ours: nothing was sent, and what was typed is kept."""
    problem = _("This page was open for too long, so nothing was sent. Your answers are still here. Press Send again.")
    if request.endpoint == "support.send":
        return _form_page(SupportForm.read(request.form), [("", problem)], 400, human.draw(clock.now()))
    if request.endpoint == "support.look_up":
        problem = _("This page was open for too long, so nothing was sent. Please try again.")
        return _ticket_page(LookUpForm.read(request.form), [("", problem)], 400)
    return errors.stale_page(error)


def _send(filled_in: SupportForm, now: datetime) -> AnyResponse:
    token = human.keep(request.form.get(human.TOKEN, ""), now)
    if problems := filled_in.errors():
        return _form_page(filled_in, problems, 422, token)
    judged = human.judge(request.form, now)
    if isinstance(judged, Doubt):
        return _form_page(filled_in, [("", judged.words)], 422, judged.token)
    session = browser.current()
    match service.receive(filled_in.request(), judged.id, session.account_id if session else None, now):
        case Received(number):
            return see_other(_address("support.sent", number, now))
        case SentBefore(number):
            problem = _(
                "You sent this page before, and we have it: its number is %(number)s. If you press Send again, "
                "we get what stands here now as another request.",
                number=number,
            )
            return _form_page(filled_in, [("", problem)], 422, human.draw(now))
        case Wait(until):
            problem = _("Too many requests came in. Wait %(time)s, then press Send again.", time=_time(until, now))
            return pages.later(_form_page(filled_in, [("", problem), *_call()], 429, token), until, now)


def _look_up(filled_in: LookUpForm, now: datetime) -> AnyResponse:
    match service.look_up(filled_in.number, filled_in.contact, now):
        case Found(number):
            return see_other(_address("support.ticket", number, now))
        case Missing():
            problem = _("We found no request with this number and this email address or phone number. Check both.")
            return _ticket_page(filled_in, [("", problem)], 422)
        case Wait(until):
            problem = _("That did not work too often. Please wait %(time)s, then try again.", time=_time(until, now))
            return pages.later(_ticket_page(filled_in, [("", problem), *_call()], 429), until, now)


def _later(response: Response) -> Response:
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _prefilled(topic: str) -> SupportForm:
    """Return the form with what is known of who is logged in."""
    session = browser.current()
    if session is None:
        return SupportForm(topic, language=language.current())
    email = service.prefilled_email(session.account_id)
    return SupportForm(topic, name=session.name, email=email, language=language.current())


def _form_page(filled_in: SupportForm, problems: Errors, status: int, token: str) -> Response:
    body = render_template(
        "support/form.html",
        form=filled_in,
        errors=problems,
        messages={name: text for name, text in problems if name},
        token=token,
        names=human,
        words=words,
        topics=[(one, words.topic(one)) for one in TOPICS],
        relationships=[(one, words.relationship(one)) for one in words.RELATIONSHIPS],
        schools=forms.schools(),
        languages=[(one, words.language(one)) for one in words.languages()],
        best_times=[(one, words.best_time(one)) for one in words.BEST_TIMES],
        longest_summary=forms.LONGEST_SUMMARY,
    )
    return make_response(body, status)


def _ticket_page(filled_in: LookUpForm, problems: Errors, status: int) -> Response:
    messages = {name: text for name, text in problems if name}
    return make_response(
        render_template("support/ticket.html", form=filled_in, errors=problems, messages=messages), status
    )


def _without_database(template: str, **values: object) -> str:
    try:
        return render_template(template, words=words, **values)
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        return render_template(template, words=words, **values)


def _address(endpoint: str, number: str, now: datetime) -> str:
    """Return the address of a page about one request, good in this browser alone, and for a while."""
    path = url_for(endpoint)
    return f"{path}?continue={continuation.seal(Continuation(path, None, {'number': number}, now.timestamp()))}"


def _shown() -> str | None:
    """Return the number of the request that this address is about; None when it is about none, or no longer."""
    opened = continuation.unseal(request.args.get("continue", ""), clock.now(), _SHOWN_FOR)
    return opened.request["number"] if opened is not None and opened.path == request.path else None


def _call() -> Errors:
    phone = settings.current().district.support_phone
    return [("", _("Or call us: %(phone)s.", phone=phone))] if phone else []


def _time(until: datetime, now: datetime) -> str:
    minutes = timedelta(minutes=math.ceil((until - now) / timedelta(minutes=1)))
    return str(format_timedelta(minutes, threshold=1))
