"""The log-in and log-out of a relying party: the pages that an outside engineer would copy first."""

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, redirect, request
from flask_babel import gettext as _
from werkzeug import Response

from clients.shared import clock, logout_token, words
from clients.shared.provider import Identity, Refused, Unreachable
from clients.shared.settings import origin_of
from clients.shared.store import random_token
from clients.shared.web import current_session, notice, relying_party, unreachable

auth = Blueprint("auth", __name__)

LONGEST_HINT = 200
LONGEST_TARGET = 1000


@auth.route("/login", methods=["GET", "POST"])
def log_in() -> Response:
    """Start a log-in; also what the provider's menu calls (OpenID Connect Core 1.0, section 4)."""
    party = relying_party()
    if request.values.get("iss", party.provider.issuer) != party.provider.issuer:
        return notice(
            _("This log-in is not from our log-in service"), _("So we stopped it here."), status=400, again=True
        )
    try:
        started = party.provider.begin(
            request.values.get("login_hint", "")[:LONGEST_HINT], words.choose(party.language_cookie)
        )
    except Unreachable:
        return unreachable()
    response = redirect(started.url, 303)
    target = _own_target(request.values.get("target_link_uri", ""))
    remembered = {"nonce": started.nonce, "code_verifier": started.code_verifier, "target": target}
    party.attempts.begin("log in", started.state, remembered, request, response)
    return response


@auth.get("/callback")
def come_back() -> Response:
    """Finish a log-in: the redirect URI."""
    began_at = clock.now()
    party = relying_party()
    state = request.args.get("state", "")
    attempt = party.attempts.finish("log in", state, request)
    if attempt is None:
        return _no_such_attempt()
    if not _issuer_matches():
        response = _refusal(_("The answer came from another log-in service than ours, so we did not use it."))
    elif "error" in request.args or "code" not in request.args:
        response = _provider_error(request.args.get("error", ""))
    else:
        response = _finish(request.args["code"], attempt, began_at)
    party.attempts.forget(state, response)
    return response


def _finish(code: str, attempt: dict[str, str], began_at: float) -> Response:
    party = relying_party()
    try:
        identity = party.provider.identify(code, attempt["nonce"], attempt["code_verifier"])
    except Unreachable:
        return unreachable()
    except Refused:
        return _refusal(_("The log-in service did not confirm who you are."))
    return _start_session(identity, began_at, attempt["target"])


def _start_session(identity: Identity, began_at: float, target: str) -> Response:
    party = relying_party()
    cookie = party.sessions.start(identity, began_at, replaces=request.cookies.get(party.session_cookie))
    if cookie is None:
        return _refusal(_("You were logged out while you were logging in."))
    party.after_log_in(identity.subject, identity.username)
    response = redirect(party.settings.base_url + target, 303)
    response.set_cookie(party.session_cookie, cookie, httponly=True, samesite="Lax", secure=party.settings.secure)
    words.remember(response, party.language_cookie, identity.locale, secure=party.settings.secure)
    return response


@auth.post("/logout")
def log_out() -> Response:
    """End the session here, then at the provider (OpenID Connect RP-Initiated Logout 1.0)."""
    party, session = relying_party(), current_session()
    if session is None:
        return redirect("/logged-out", 303)
    if not _is_our_form(session.form_token):
        return notice(_("Please press Log out again"), _("The page that you pressed it on was too old."), status=400)
    party.sessions.end(session)
    state = random_token()
    try:
        url = party.provider.end_session_url(session.id_token, party.settings.base_url + "/logged-out", state)
    except Unreachable:
        url = None
    response = redirect(url or "/logged-out", 303)
    if url:
        party.attempts.begin("log out", state, {}, request, response)
    for name in (party.session_cookie, party.language_cookie):
        response.delete_cookie(name, httponly=True, samesite="Lax", secure=party.settings.secure)
    return response


@auth.get("/logged-out")
def logged_out() -> Response:
    """Where the provider sends the browser after log-out; the state says whether we asked for that."""
    if current_session():
        return redirect("/", 303)
    party, state = relying_party(), request.args.get("state", "")
    if party.attempts.finish("log out", state, request) is None:
        return notice(
            _("You are logged out here"),
            _("On a shared computer, also log out of the Parent Portal, or close the browser."),
        )
    response = notice(
        _("You are logged out"),
        _("Your session here has ended and, unless you chose otherwise, so has the one of the Parent Portal."),
    )
    party.attempts.forget(state, response)
    return response


@auth.post("/backchannel-logout")
def back_channel_log_out() -> tuple[Response, int]:
    """The provider's own word that a session ended (OpenID Connect Back-Channel Logout 1.0)."""
    party = relying_party()
    tokens = request.form.getlist("logout_token")
    if len(tokens) != 1:
        return _no_log_out("exactly one logout_token is needed")
    try:
        header, claims = party.provider.read_signed(tokens[0])
    except Refused:
        return _no_log_out("the signature is not our provider's")
    except Unreachable:
        return _no_log_out("the provider's keys could not be fetched")
    verdict = logout_token.check(
        header, claims, issuer=party.provider.issuer, client_id=party.settings.client_id, now=clock.now()
    )
    match verdict:
        case logout_token.Invalid(reason):
            return _no_log_out(reason)
        case logout_token.LogoutNotice() if not party.sessions.end_as_told(verdict):
            return _no_log_out("this jti was used before")
    return jsonify({}), 200


def _no_log_out(reason: str) -> tuple[Response, int]:
    return jsonify(error="invalid_request", error_description=reason), 400


def _own_target(address: str) -> str:
    """Path and query of an address of ours, "/" for any other: nobody is to be led elsewhere after a log-in."""
    base_url = relying_party().settings.base_url
    plain = address.isascii() and address.isprintable() and "\\" not in address and len(address) <= LONGEST_TARGET
    if not plain or not address.startswith(base_url + "/"):
        return "/"
    parts = urlsplit(address)
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def _issuer_matches() -> bool:
    # RFC 9207: an answer that names no issuer is refused if our provider always names it (mix-up attack).
    provider = relying_party().provider
    promised = provider.known_metadata().get("authorization_response_iss_parameter_supported") is True
    named = request.args.get("iss")
    return named == provider.issuer if named is not None else not promised


def _is_our_form(form_token: str) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in {None, "same-origin"} or origin not in {None, origin_of(relying_party().settings.base_url)}:
        return False
    return hmac.compare_digest(request.form.get("form_token", "").encode(), form_token.encode())


def _no_such_attempt() -> Response:
    if current_session():  # the back button, or a reload: the log-in is done
        return redirect("/", 303)
    return _refusal(_("This log-in was already used, is too old, or was started in another browser."))


def _provider_error(code: str) -> Response:
    match code:
        case "access_denied":
            return _refusal(_("The log-in was cancelled. You can start again whenever you like."))
        case "login_required" | "interaction_required" | "consent_required" | "account_selection_required":
            return _refusal(_("The log-in service needs you to log in yourself."))
        case "temporarily_unavailable" | "server_error":
            return _refusal(_("The log-in service has a problem just now. Please try again in a minute."))
        case _:
            return _refusal(_("The log-in service could not log you in."))


def _refusal(sentence: str) -> Response:
    return notice(_("You are not logged in"), sentence, status=400, again=True)
