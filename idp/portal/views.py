"""The guardian's home, the help that needs no log-in, and the shell that all portal pages share."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from idp import faults, settings
from idp.login import guard
from idp.login.guard import require_log_in
from idp.portal import service, theme
from idp.portal.service import Tool
from idp.sessions import browser
from idp.sessions.store import ActiveSession
from idp.settings import District
from idp.web import errors

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
    return None if session is None else Shell(session, service.find_tools(), request.args.get("show", ""))


@blueprint.get("/")
@require_log_in
def home() -> str:
    """Show the tools."""
    guard.note_visit()
    return render_template("portal/home.html")


@blueprint.get("/help", endpoint="help")
def show_help() -> str:
    """Say how to reach the support team."""
    return _help(_("Help"), "help")


@blueprint.get("/support")
def support() -> str:
    """Say how to reach the support team."""
    return _help(_("Portal Support"), "support")


@blueprint.get("/forgot-password")
def forgot_password() -> str:
    """Say how to get a new password."""
    return _help(_("Forgot Password?"), "password")


@blueprint.get("/forgot-username")
def forgot_username() -> str:
    """Say how to learn one's username."""
    return _help(_("Forgot Username?"), "username")


@blueprint.get("/theme/district.css", endpoint="theme")
def theme_stylesheet() -> Response:
    """Return the colours that the district has set."""
    district = settings.current().district
    response = make_response(theme.stylesheet(district))
    response.mimetype = "text/css"
    versioned = request.args.get("v") == _theme_version(district)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
    return response


def _help(title: str, topic: str) -> str:
    """Render a page that opens when the database is away, too: then as for a visitor."""
    try:
        return render_template("portal/help.html", title=title, topic=topic)
    except SQLAlchemyError as error:
        if faults.find(error) is None:
            raise
        errors.note(error)
        browser.disregard()
        return render_template("portal/help.html", title=title, topic=topic)


@lru_cache(maxsize=8)
def _theme_version(district: District) -> str:
    return hashlib.sha256(theme.stylesheet(district).encode()).hexdigest()[:10]
