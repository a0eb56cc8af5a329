"""How a browser passes from the log-in page, by what has to be done first, to where its person was heading."""

from flask import make_response, request
from werkzeug import Response

from idp import clock
from idp.login import steps
from idp.login.destination import Destination
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.sessions import browser
from idp.web import context, cookies, language
from idp.web.redirects import see_other


def this_browser() -> Browser:
    """Return the browser that sent the request at hand."""
    return Browser(browser.current(), request.user_agent.string, context.origin().address or "", language.spoken())


def go_on(address: str, logged_in: LoggedIn) -> Response:
    """Lead somebody who is logged in now to an address."""
    response = make_response(see_other(address))
    browser.remember(response, logged_in.token, shared_computer=logged_in.shared_computer)
    cookies.clear(response, cookies.STEPS)
    return response


def open_steps(going_to: Destination, opened: StepsOpen) -> Response:
    """Lead to the page of what has to be done before there is a session."""
    response = make_response(see_other(going_to.page(steps.page_of(opened.step))))
    cookies.write(response, cookies.STEPS, opened.token, max_age=None)
    return response


def to_next_step(going_to: Destination) -> Response:
    """Lead to what is to be done next in this browser, or to the log-in page."""
    return see_other(going_to.page(steps.next_page(cookies.read(cookies.STEPS), clock.now())))
