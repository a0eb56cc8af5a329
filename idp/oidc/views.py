"""The protocol's pages: authorize and what stands between it and the code, and log-out."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from idp import clock, sealing, settings
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.oidc import authorization, logout, responses
from idp.oidc.authorization import Gone, Outcome, Page, Redirect
from idp.oidc.authorization_request import AuthorizationRequest
from idp.oidc.interaction import SELECTED
from idp.sessions import browser, store
from idp.web import continuation, cookies, csrf, direct, errors, headers, language, metrics
from idp.web.continuation import Continuation
from idp.web.direct import Answer, Message
from idp.web.redirects import see_other

blueprint = Blueprint("oidc", __name__)

_LOGOUT_PURPOSE = "logout"
_LONGEST_QUERY = 12_000


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
@csrf.exempt
def authorize() -> BaseResponse:
    """The authorization endpoint (OpenID Connect Core section 3.1.2.1).

    A cross-site POST brings no Lax cookie, so it is sent round once, to the same request as GET.
    """
    if request.method == "POST":
        query = urlencode(list(request.form.items(multi=True)))
        return see_other(f"{url_for('oidc.authorize')}?{query}") if len(query) <= _LONGEST_QUERY else _unanswerable()
    return _answer(authorization.answer(request.args.to_dict(flat=False), _session_token(), clock.now()))


def authorize_at_once(message: Message) -> Answer | None:
    """The same for a visitor with whom no page has to speak: the code, or the error, goes straight back."""
    token = cookies.as_token(message.cookie(cookies.name(cookies.SESSION)))
    match authorization.answer(message.query, token, clock.now()):
        case Redirect(address):
            return Answer(302, b"", (("Location", address),))
    return None


direct.shortcut(blueprint, "/oauth/authorize", authorize_at_once, ["GET"], view="authorize")


@blueprint.get("/oauth/authorize/continue")
def resume() -> BaseResponse:
    """Go on with a request after a page that stood between."""
    found = _continuation()
    if isinstance(found, BaseResponse):
        return found
    return _answer(authorization.proceed(found, _session_token(), clock.now()))


@blueprint.route("/select-account", methods=["GET", "POST"])
def select_account() -> BaseResponse:
    """Ask whether to go on as who is logged in (prompt=select_account)."""
    found = _continuation()
    if isinstance(found, BaseResponse):
        return found
    session = browser.current()
    if session is None or (request.method == "POST" and request.form.get("choice") == "continue"):
        return _resume_with(found.with_step(SELECTED) if session else found)
    if request.method == "POST":
        return see_other(_address("login.log_in", _with_fresh_log_in(found)))
    return make_response(
        render_template("oidc/select_account.html", person=session, client=_named(found), sealed=_sealed(found))
    )


@blueprint.route("/consent", methods=["GET", "POST"])
def consent() -> BaseResponse:
    """Ask whether an application may have what it asks for: what, to whom and why."""
    found = _continuation()
    if isinstance(found, BaseResponse):
        return found
    session, now = browser.current(), clock.now()
    if session is None or not authorization.was_shown_to(found, session, now):
        return _resume_with(found)
    if request.method in {"GET", "HEAD"}:
        return _consent_page(found)
    if request.form.get("decision") == "allow":
        return _answer(authorization.proceed(authorization.allow(found, session, now), _session_token(), now), 303)
    return _answer(authorization.deny(found, session), 303)


@blueprint.route("/logout", methods=["GET", "POST"])
@csrf.exempt
def end_session() -> BaseResponse:
    """The end_session_endpoint (RP-Initiated Logout section 2), and the portal's own Log Out button.

    A POST by another site is sent round as GET like an authorization request; one by our own page proves itself.
    """
    if request.method == "POST":
        if csrf.FIELD in request.form:
            csrf.check()
            return _logged_out(_confirmed_address())
        query = urlencode(list(request.form.items(multi=True)))
        return see_other(f"{url_for('oidc.end_session')}?{query}") if len(query) <= _LONGEST_QUERY else abort(413)
    language.suggest(request.args.get("ui_locales", ""))
    asked = logout.parse(request.args.to_dict(flat=False), clock.now())
    session = _known_session()
    if asked.is_wrong or (session is not None and not logout.names_session(asked, session)):
        return _confirmation(asked)
    return _logged_out(asked.return_to, asked.client)


def _answer(outcome: Outcome, status: int = 302) -> BaseResponse:
    match outcome:
        case Redirect(address):
            return redirect(address, status)
        case Page(endpoint, going_on):
            return see_other(_address(endpoint, going_on))
        case Gone():
            return _unanswerable()


def _unanswerable() -> Response:
    """Refuse without a redirect: the address may be anybody's (RFC 6749 section 4.1.2.1)."""
    metrics.count_refusal("authorization", "unanswerable")
    return errors.page(
        400,
        _("Authorization request failed"),
        _(
            "The application that sent you here is not registered, or asked in a wrong way. "
            "Go back to it and try again; if this happens again, tell the people who run it."
        ),
    )


def _address(endpoint: str, going_on: Continuation) -> str:
    return f"{url_for(endpoint)}?{urlencode({'continue': _sealed(going_on)})}"


def _resume_with(going_on: Continuation) -> BaseResponse:
    return see_other(_address("oidc.resume", going_on))


def _sealed(going_on: Continuation) -> str:
    return continuation.seal(going_on)


def _lifetime() -> timedelta:
    return timedelta(hours=settings.current().tokens.request_at_login_hours)


def _continuation() -> Continuation | BaseResponse:
    """Return what travelled in the address, or the page that says why it can't go on."""
    if not cookies.has_browser_token():
        raise errors.CookiesRefused
    found = continuation.unseal(request.values.get("continue", ""), clock.now(), _lifetime())
    if found is None or found.path != authorization.PATH:
        return errors.page(
            400,
            _("Please start again"),
            _("This page is too old, or belongs to another browser. Go back to the application and log in from there."),
        )
    language.suggest(found.ui_locales)
    return found


def _with_fresh_log_in(going_on: Continuation) -> Continuation:
    """Whoever wants another account has to log in, whoever is logged in now."""
    done = going_on.with_step(SELECTED)
    return Continuation(
        path=done.path,
        client_id=done.client_id,
        request=done.request,
        started_at=done.started_at,
        form_target=done.form_target,
        fresh_after=clock.now().timestamp(),
        done=done.done,
    )


def _session_token() -> str | None:
    return cookies.read(cookies.SESSION)


def _named(going_on: Continuation) -> RegisteredClient:
    client = registry.find(going_on.client_id or "")
    if client is None:
        abort(404)
    if client.logo_uri:
        headers.allow_image(responses.form_target(client.logo_uri))
    return client


def _consent_page(going_on: Continuation) -> Response:
    headers.allow_form_target(going_on.form_target)
    asked = AuthorizationRequest.from_dict(going_on.request)
    return make_response(
        render_template(
            "oidc/consent.html",
            client=_named(going_on),
            scopes=asked.scope.split(),
            destination=urlsplit(asked.redirect_uri).netloc or asked.redirect_uri.partition(":")[0],
            person=browser.current(),
            sealed=_sealed(going_on),
        )
    )


def _known_session() -> store.KnownSession | None:
    token = _session_token()
    return store.find_known(sealing.digest(token)) if token else None


def _confirmation(asked: logout.LogoutRequest) -> Response:
    """Ask before ending anything: no hint, or one of another session, could come from anybody."""
    if asked.return_to:
        headers.allow_form_target(responses.form_target(asked.return_to))
    body = f"{cookies.browser_token()} {asked.return_to or ''}".encode()
    return make_response(
        render_template(
            "oidc/logout.html",
            client=asked.client if asked.return_to else None,
            is_wrong=asked.is_wrong,
            return_to=sealing.seal(_LOGOUT_PURPOSE, body),
        )
    )


def _confirmed_address() -> str | None:
    """Return where the confirmation page was to go on to: judged then, sealed since, for this browser."""
    try:
        body = sealing.open_sealed(_LOGOUT_PURPOSE, request.form.get("return_to", "")).decode()
    except sealing.CannotOpen:
        return None
    token, _space, address = body.partition(" ")
    return address or None if token == cookies.browser_token() else None


def _logged_out(return_to: str | None, client: RegisteredClient | None = None) -> BaseResponse:
    session = _known_session()
    if session is not None:
        logout.end(session, client.client_id if client else None, clock.now())
    response: BaseResponse = (
        see_other(return_to) if return_to else make_response(render_template("oidc/logged_out.html"))
    )
    browser.forget(response)
    cookies.clear(response, cookies.STEPS)  # on a shared computer nobody goes on with a log-in that another began
    return response
