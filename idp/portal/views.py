"""The guardian's home, the help that needs no log-in, and the shell that all portal pages share."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response as AnyResponse

from idp import clock, faults, settings
from idp.accounts.models import ADMIN, SUPPORT
from idp.login import guard
from idp.login.guard import require_log_in
from idp.portal import help_text, service, theme
from idp.portal.service import Tool
from idp.sessions import browser
from idp.sessions.store import ActiveSession
from idp.settings import District, Faq
from idp.web import language
from idp.web.redirects import see_other

blueprint = Blueprint("portal", __name__)


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page for somebody who is logged in: the menu of tools and their profile."""

    session: ActiveSession
    tools: list[Tool]
    shown: str
    """The menu that is open without JavaScript: `menu`, `profile` or nothing."""


@blueprint.app_context_processor
def _shared() -> dict[str, Any]:
    return {"portal_shell": shell, "theme_version": _theme_version(settings.current().district)}


def shell() -> Shell | None:
    """Return the shell of the one who is logged in, None for a visitor. Templates call it: error pages never do."""
    session = browser.current()
    if session is None:
        return None
    return Shell(session, [*_staff_tools(session.role), *service.find_tools()], request.args.get("show", ""))


def _staff_tools(role: str) -> list[Tool]:
    """Return what the menu has for staff alone."""
    if role not in {SUPPORT, ADMIN}:
        return []
    return [Tool(_("Support desk"), _("What families ask, and what helps them."), url_for("desk.queue"), "")]


@blueprint.record_once
def _speak_the_accounts_language(state: BlueprintSetupState) -> None:
    language.ask_account(state.app, _account_language)


def _account_language() -> str | None:
    """Return the language of who is logged in; without a database a page speaks as to a visitor."""
    try:
        session = browser.current()
    except SQLAlchemyError as error:
        if faults.find(error) is None:
            raise
        return None
    return session.locale if session else None


@blueprint.before_app_request
def pick_language() -> AnyResponse | None:
    """Do what a link of the language picker asks for, and show the same page again."""
    picked = language.asked()
    if picked is None:
        return None
    response = see_other(language.address_without())
    session, own_page = browser.current(), language.is_from_own_page()
    if session is None:
        language.keep(response, picked, pending=own_page)
    elif own_page:
        service.change_language(session.account_id, picked, clock.now())
    return response


@blueprint.after_app_request
def _remember_language(response: Response) -> Response:
    session = browser.known()
    if session is not None and language.asked() is None:
        language.remember(response, session.locale, shared_computer=session.shared_computer)
    return response


@blueprint.get("/")
@require_log_in
def home() -> str:
    """Show the tools."""
    guard.note_visit()
    return render_template("portal/home.html")


@blueprint.get("/help", endpoint="help")
def show_help() -> str:
    """Answer the questions that families ask, in the district's words (R1, R2)."""
    try:
        return _questions(tuple((tool.name, tool.address) for tool in service.find_tools() if tool.colours))
    except SQLAlchemyError as error:
        browser.go_on_without_database(error)
        return _questions(())


@blueprint.get("/theme/district.css", endpoint="theme")
def theme_stylesheet() -> Response:
    """Return the colours that the district has set."""
    district = settings.current().district
    response = make_response(theme.stylesheet(district))
    response.mimetype = "text/css"
    versioned = request.args.get("v") == _theme_version(district)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
    return response


def _questions(dashboards: tuple[tuple[str, str], ...]) -> str:
    district, reading = settings.current().district, language.current()
    text = help_text.find(district, reading, dashboards)
    return render_template("portal/questions.html", text=text, other_faqs=_other_faqs(district, reading))


def _other_faqs(district: District, reading: str) -> list[Faq]:
    """Return the list that Help ends with (R56): what the district has in the reader's language or in all of them."""
    own = [faq for faq in district.other_faqs if faq.language in {"", reading}]
    if not district.general_faq:
        return own
    name = _("More questions and answers about the %(portal)s", portal=district.portal_name)
    return [Faq(name, district.general_faq), *own]


@lru_cache(maxsize=8)
def _theme_version(district: District) -> str:
    return hashlib.sha256(theme.stylesheet(district).encode()).hexdigest()[:10]
