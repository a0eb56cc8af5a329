"""How a browser passes from the log-in page, by what has to be done first, to where its person was heading."""

from flask import make_response, request
from werkzeug import Response

from idp import clock, settings
from idp.captcha import component
from idp.login import steps
from idp.login.destination import Destination
from idp.login.robot import Evidence
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.sessions import browser
from idp.web import context, cookies, language
from idp.web.redirects import see_other


def this_browser() -> Browser:
    """Return the browser that sent the request at hand."""
    address = context.origin().address or ""
    return Browser(browser.current(), request.user_agent.string, address, language.spoken(), evidence())


def evidence() -> Evidence:
    """Return what the request at hand shows beside the password in it."""
    return Evidence(cookies.read(cookies.DEVICE), cookies.browser_token(), component.answer())


def go_on(address: str, logged_in: LoggedIn) -> Response:
    """Lead somebody who is logged in now to an address."""
    response = make_response(see_other(address))
    remember(response, logged_in)
    cookies.clear(response, cookies.STEPS)
    return response


def remember(response: Response, logged_in: LoggedIn) -> None:
    """Give the browser its session's cookie, and the one by which it is known at its next log-in."""
    browser.remember(response, logged_in.token, shared_computer=logged_in.shared_computer)
    if logged_in.device is not None:
        kept_for = settings.current().throttle.known_browser_days * 86_400
        cookies.write(response, cookies.DEVICE, logged_in.device, max_age=kept_for)


def open_steps(going_to: Destination, opened: StepsOpen) -> Response:
    """Lead to the page of what has to be done before there is a session."""
    response = make_response(see_other(going_to.page(steps.page_of(opened.step))))
    cookies.write(response, cookies.STEPS, opened.token, max_age=None)
    return response


def to_next_step(going_to: Destination) -> Response:
    """Lead to what is to be done next in this browser, or to the log-in page."""
    return see_other(going_to.page(steps.next_page(cookies.read(cookies.STEPS), clock.now())))
