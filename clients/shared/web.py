"""What every page shares: headers, words, the frame of the page, and who is logged in."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, g, render_template, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from clients.shared import words
from clients.shared.attempts import Attempts
from clients.shared.provider import Provider
from clients.shared.sessions import Session, Sessions
from clients.shared.settings import Settings, origin_of
from clients.shared.store import Store

LARGEST_BODY = 64 * 1024
RETRY_AFTER = 15

frame = Blueprint("frame", __name__, template_folder="templates", static_folder="static", static_url_path="/shared")


class RelyingParty:
    """The parts of one application's log-in, made once and kept with the Flask application."""

    def __init__(self, app: Flask, settings: Settings, *, key: str, schema: str = "") -> None:
        """`key` names its cookies and its file, since ports don't part the cookies of applications on one host."""
        prefix = "__Host-" if settings.secure else ""
        self.settings = settings
        self.session_cookie = f"{prefix}{key}_session"
        self.language_cookie = f"{prefix}{key}_language"
        self.store = Store(settings.state_dir / f"{key}.sqlite3", schema)
        self.sessions = Sessions(self.store)
        self.attempts = Attempts(self.store, f"{prefix}{key}_attempt_", secure=settings.secure)
        self.provider = Provider(app, settings)
        self.after_log_in: Callable[[str, str], None] = lambda _subject, _username: None


def equip(app: Flask, settings: Settings, *, key: str, name: Callable[[], str], schema: str = "") -> RelyingParty:
    """Give a Flask application the shared frame; `name` is what its header calls it, in the reader's language."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        BABEL_DEFAULT_TIMEZONE="America/Chicago",
    )
    Babel(
        app, locale_selector=lambda: words.choose(relying_party().language_cookie)
    ).domain_instance = words.Catalogues()
    party = RelyingParty(app, settings, key=key, schema=schema)
    app.extensions["relying_party"] = party
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(frame)
    app.after_request(_set_headers)
    app.register_error_handler(HTTPException, _show_error)
    app.register_error_handler(Exception, _show_failure)
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok\n", mimetype="text/plain"))
    app.context_processor(
        lambda: {
            "application_name": name(),
            "session": current_session(),
            "portal_url": settings.portal_url,
            "language": str(get_locale() or "en").replace("_", "-"),
        }
    )
    return party


def relying_party() -> RelyingParty:
    """The parts of the application that answers this request."""
    party: RelyingParty = current_app.extensions["relying_party"]
    return party


def current_session() -> Session | None:
    """Who is logged in; looked up once in a request."""
    if "session" not in g:
        party = relying_party()
        cookie = request.cookies.get(party.session_cookie)
        g.session = party.sessions.find(cookie) if cookie else None
    session: Session | None = g.session
    return session


def notice(title: str, *sentences: str, status: int = 200, again: bool = False) -> Response:
    """A page that only says something, with a way back to the start and, if `again`, to another log-in."""
    page = render_template("notice.html", title=title, sentences=sentences, again=again)
    return Response(page, status)


def unreachable() -> Response:
    """The page for when the provider doesn't answer."""
    response = notice(
        _("The log-in service can't be reached just now"),
        _("This is not your fault, and nothing is lost. Please try again in a minute."),
        status=503,
        again=True,
    )
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _set_headers(response: Response) -> Response:
    party = relying_party()
    # Browsers hold the redirects that follow a form against form-action, and "Log out" leads to the provider.
    metadata = party.provider.known_metadata()
    origins = {origin_of(party.settings.issuer), origin_of(metadata.get("end_session_endpoint", party.settings.issuer))}
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {' '.join(sorted(origins))}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": with it browsers send "Origin: null" with our own log-out form.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if party.settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    # A missing picture's error page names the guardian, as every page does.
    if response.status_code >= 400 or request.endpoint not in {"frame.static", "theme", "icon"}:
        response.headers["Cache-Control"] = "no-store"
    return response


def _show_error(error: HTTPException) -> Response:
    if error.code == 404:
        return notice(_("This page does not exist"), _("The address may be mistyped, or out of date."), status=404)
    response = notice(_("That did not work"), _("Please go back to the start and try again."), status=error.code or 500)
    for header, value in error.get_headers():
        if header == "Allow":
            response.headers[header] = value
    return response


def _show_failure(error: Exception) -> Response:
    current_app.logger.error("a page failed", exc_info=error)
    return notice(_("Something went wrong on our side"), _("Please try again in a minute."), status=500)
