"""The console's pages: the registered applications."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_time
from werkzeug.exceptions import NotFound

from idp import clock, sealing, settings
from idp.admin import applications, forms, gate, overview
from idp.admin.applications import AlreadyRegistered, Changed, Invalid, Outcome, Overtaken, Registered, Unknown
from idp.admin.forms import ApplicationForm
from idp.admin.gate import PASSWORD_FIELD, Refusal
from idp.clients import service as clients
from idp.clients.models import Client
from idp.clients.validation import NO_SECRET, Problem
from idp.web import redirects

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
blueprint.before_app_request(gate.admit)
blueprint.before_request(gate.before_page)

_FORM_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """Show what the console has."""
    return _page("admin/home.html", counts=overview.counts())


@blueprint.get("/clients")
def clients_list() -> ResponseReturnValue:
    """List the applications, with a search."""
    listing = overview.listing(request.args.get("q", ""), request.args.get("page", ""))
    return _page("admin/clients/list.html", listing=listing, done=request.args.get("done", ""))


@blueprint.route("/clients/new", methods=["GET", "POST"])
@gate.opened_fresh
def register() -> ResponseReturnValue:
    """Show the form that registers an application, and register it."""
    if request.method in {"GET", "HEAD"}:
        return _registration(ApplicationForm(), sealing.random_token())
    form = ApplicationForm.read(request.form)
    token = request.form.get("form_token", "")
    if not _FORM_TOKEN.fullmatch(token):
        token = sealing.random_token()
    if refusal := gate.confirm():
        return _registration(form, token, _password_problem(refusal)), refusal.status
    outcome = applications.register(
        form.metadata(),
        first_party=form.first_party,
        form_token=token,
        **_by_whom(),
    )
    match outcome:
        case Registered(client, secret):
            return _page("admin/clients/registered.html", client=client, secret=secret)
        case AlreadyRegistered(client):
            return _page("admin/clients/already.html", client=client), 409
        case Invalid(problems):
            return _registration(form, token, problems), 422


@blueprint.get("/clients/<client_id>")
def client_detail(client_id: str) -> ResponseReturnValue:
    """Show one application."""
    client = _get(client_id)
    return _page(
        "admin/clients/detail.html",
        client=client,
        logout=overview.logout_state(client),
        secrets=clients.valid_secrets(client, clock.now()),
        done=request.args.get("done", ""),
    )


@blueprint.route("/clients/<client_id>/edit", methods=["GET", "POST"])
@gate.opened_fresh
def edit(client_id: str) -> ResponseReturnValue:
    """Show the form that changes an application, and change it."""
    client = _get(client_id)
    if request.method in {"GET", "HEAD"}:
        return _editing(client, ApplicationForm.of(client), client.revision)
    form, revision = ApplicationForm.read(request.form), _revision()
    if refusal := gate.confirm():
        return _editing(client, form, revision, _password_problem(refusal)), refusal.status
    outcome = applications.change(
        client_id,
        form.metadata(),
        first_party=form.first_party,
        revision=revision,
        **_by_whom(),
    )
    match outcome:
        case Changed(client, None):
            return redirects.see_other(url_for("admin.client_detail", client_id=client_id, done="changed"))
        case Changed(client, secret):
            return _page("admin/clients/secret.html", client=client, secret=secret, until=None)
        case Invalid(problems):
            return _editing(client, form, revision, problems), 422
        case Overtaken():
            client = _get(client_id)
            return _editing(client, form, client.revision, overtaken=True), 409
        case Unknown():
            raise NotFound


@blueprint.route("/clients/<client_id>/rotate-secret", methods=["GET", "POST"])
@gate.opened_fresh
def rotate_secret(client_id: str) -> ResponseReturnValue:
    """Explain what a new secret means, and give it."""
    if _get(client_id).token_endpoint_auth_method == NO_SECRET:
        raise NotFound

    def act() -> Outcome:
        old_ends_now = request.form.get("old_ends_now") == "yes"
        return applications.rotate_secret(client_id, old_ends_now=old_ends_now, revision=_revision(), **_by_whom())

    def show(changed: Changed) -> ResponseReturnValue:
        return _page(
            "admin/clients/secret.html", client=changed.client, secret=changed.secret, until=changed.old_secret_until
        )

    return _confirmed(client_id, "admin/clients/rotate.html", act, show)


@blueprint.route("/clients/<client_id>/disable", methods=["GET", "POST"])
@gate.opened_fresh
def disable(client_id: str) -> ResponseReturnValue:
    """Explain what disabling means, and do it."""

    def act() -> Outcome:
        return applications.disable(client_id, **_by_whom())

    return _confirmed(client_id, "admin/clients/disable.html", act, _to_detail(client_id, "disabled"))


@blueprint.route("/clients/<client_id>/enable", methods=["GET", "POST"])
@gate.opened_fresh
def enable(client_id: str) -> ResponseReturnValue:
    """Explain what enabling means, and do it."""

    def act() -> Outcome:
        return applications.enable(client_id, **_by_whom())

    return _confirmed(client_id, "admin/clients/enable.html", act, _to_detail(client_id, "enabled"))


@blueprint.route("/clients/<client_id>/remove", methods=["GET", "POST"])
@gate.opened_fresh
def remove(client_id: str) -> ResponseReturnValue:
    """Explain that removing is for good, and do it for whoever types the name."""

    def act() -> Outcome:
        return applications.remove(client_id, typed_name=request.form.get("typed_name", ""), **_by_whom())

    def to_list(_removed: Changed) -> ResponseReturnValue:
        return redirects.see_other(url_for("admin.clients_list", done="removed"))

    return _confirmed(client_id, "admin/clients/remove.html", act, to_list)


def _confirmed(
    client_id: str, page: str, act: Callable[[], Outcome], then: Callable[[Changed], ResponseReturnValue]
) -> ResponseReturnValue:
    """Show what an act means; once it is confirmed, do it, and answer with what comes then or with what is wrong."""
    client = _get(client_id)
    if request.method in {"GET", "HEAD"}:
        return _confirmation(page, client)
    if refusal := gate.confirm():
        return _confirmation(page, client, _password_problem(refusal)), refusal.status
    match act():
        case Changed() as changed:
            return then(changed)
        case Invalid(problems):
            return _confirmation(page, client, problems), 422
        case Overtaken():
            return _confirmation(page, _get(client_id), overtaken=True), 409
        case Unknown():
            raise NotFound


def _to_detail(client_id: str, done: str) -> Callable[[Changed], ResponseReturnValue]:
    return lambda _changed: redirects.see_other(url_for("admin.client_detail", client_id=client_id, done=done))


class _ByWhom(TypedDict):
    actor_id: uuid.UUID
    now: datetime


def _by_whom() -> _ByWhom:
    return {"actor_id": gate.admin().account_id, "now": clock.now()}


def _page(template: str, **values: Any) -> str:
    """Draw one of the console's pages. No context processor: error pages, which know no admin, would run it, too."""
    return render_template(
        template,
        labels=forms.labels(),
        issuer=settings.current().server.issuer,
        moment=lambda at: f"{format_date(at, 'medium')}, {format_time(at, 'short')}",
        needs_password=gate.needs_password(),
        now=clock.now(),
        **values,
    )


def _registration(form: ApplicationForm, token: str, problems: list[Problem] | None = None) -> str:
    return _form_page("admin/clients/new.html", form, problems, form_token=token)


def _editing(
    client: Client,
    form: ApplicationForm,
    revision: int,
    problems: list[Problem] | None = None,
    *,
    overtaken: bool = False,
) -> str:
    return _form_page("admin/clients/edit.html", form, problems, client=client, revision=revision, overtaken=overtaken)


def _form_page(template: str, form: ApplicationForm, problems: list[Problem] | None, **values: Any) -> str:
    found = problems or []
    return _page(template, form=form, problems=forms.by_field(found), errors=forms.summary(found), **values)


def _confirmation(
    template: str, client: Client, problems: list[Problem] | None = None, *, overtaken: bool = False
) -> str:
    found = problems or []
    return _page(
        template,
        client=client,
        overtaken=overtaken,
        problems=forms.by_field(found),
        errors=forms.summary(found),
        typed_name=request.form.get("typed_name", ""),
        overlap_days=settings.current().tokens.client_secret_overlap_days,
    )


def _password_problem(refusal: Refusal) -> list[Problem]:
    return [Problem(PASSWORD_FIELD, refusal.message)]


def _get(client_id: str) -> Client:
    client = clients.get(client_id)
    if client is None:
        raise NotFound
    return client


def _revision() -> int:
    """Return the revision that the form was made from; nonsense is a revision that never was."""
    sent = request.form.get("revision", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else -1
