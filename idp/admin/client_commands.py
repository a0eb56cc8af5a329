"""`idp client …`: the command line's door to the registered applications."""

from datetime import datetime
from typing import Any, NoReturn

import click

from idp import clock, settings
from idp.admin import applications
from idp.admin.applications import AlreadyRegistered, Changed, Invalid, Overtaken, Registered, Unknown
from idp.clients import service as clients
from idp.clients.models import Client
from idp.clients.validation import ALGORITHMS, AUTH_METHODS, Problem
from idp.command_line import print_json, refuse, with_application

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


@click.group()
def client() -> None:
    """Register applications that may log people in, and look after them.

    \b
    Example:  idp client list
    """


@client.command()
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, help="Where log-ins end. Repeatable.")
@click.option("--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True, help="Where log-outs end.")
@click.option("--scope", default="openid profile email", show_default=True, help="What it may learn of a person.")
@click.option(
    "--auth-method",
    type=click.Choice(AUTH_METHODS),
    default=AUTH_METHODS[0],
    show_default=True,
    help="How it proves itself; none is for apps that can keep no secret.",
)
@click.option("--id-token-alg", type=click.Choice(ALGORITHMS), default=ALGORITHMS[0], show_default=True)
@click.option("--first-party", is_flag=True, help="The district's own: nobody is asked for consent.")
@click.option("--no-pkce", is_flag=True, help="Only for an application with a secret that can't send PKCE.")
@click.option("--description", default="", help="Why it asks, in a sentence that people see.")
@click.option("--initiate-login-uri", help="The page that starts a log-in; puts the district's own into the menu.")
@click.option("--backchannel-logout-uri", help="Where it is told of log-outs.")
@click.option("--client-uri", help="Its home page.")
@click.option("--logo-uri", help="Its logo.")
@click.option("--policy-uri", help="Its privacy policy.")
@click.option("--tos-uri", help="Its terms of use.")
@click.option("--contact", "contacts", multiple=True, help="An email address of whoever runs it. Repeatable.")
@as_json
@with_application
def add(name: str, **options: Any) -> None:
    """Register an application, and print its client_id and, this once, its secret.

    \b
    Example:  idp client add "Lunch Orders" --redirect-uri https://lunch.example.org/callback
    """
    first_party, machine = options.pop("first_party"), options.pop("as_json")
    given = {
        "client_name": name,
        "token_endpoint_auth_method": options.pop("auth_method"),
        "id_token_signed_response_alg": options.pop("id_token_alg"),
        "require_pkce": not options.pop("no_pkce"),
        **options,
    }
    match applications.register(given, first_party=first_party, actor_id=None, now=clock.now()):
        case Registered(made, secret):
            _print_secret(made, secret, machine=machine)
        case Invalid(problems):
            _refuse_problems(problems)
        case AlreadyRegistered(made):
            refuse(f"{made.client_id} was registered by the same form before.")


@client.command("list")
@as_json
@with_application
def list_(*, as_json: bool) -> None:
    """List the registered applications.

    \b
    Example:  idp client list --json
    """
    found = clients.find_all()
    if as_json:
        print_json([_shown(made) for made in found])
        return
    width = max((len(made.client_id) for made in found), default=0)
    for made in found:
        own, used = "district" if made.first_party else "other", _moment(made.last_used_at)
        click.echo(f"{made.client_id:<{width}}  {_state(made):<8}  {own:<8}  {used:<16}  {made.client_name}")
    if not found:
        click.echo("No application is registered yet: idp client add --help", err=True)


@client.command()
@click.argument("client_id")
@as_json
@with_application
def show(client_id: str, *, as_json: bool) -> None:
    """Show an application's settings; its secret can't be shown again.

    \b
    Example:  idp client show 6fXb3nQpTz8KcVw2RyLm9DaH
    """
    made = clients.get(client_id)
    if made is None:
        _refuse_unknown(client_id)
    shown = _shown(made)
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name:<36} {', '.join(value) if isinstance(value, list) else value}")


@client.command("rotate-secret")
@click.argument("client_id")
@click.option("--now", "old_ends_now", is_flag=True, help="End the old secret at once: it has become known.")
@as_json
@with_application
def rotate_secret(client_id: str, *, old_ends_now: bool, as_json: bool) -> None:
    """Give an application a new secret, printed this once; the old one stays valid for a while.

    \b
    Example:  idp client rotate-secret 6fXb3nQpTz8KcVw2RyLm9DaH
    """
    changed = _settled(
        client_id,
        applications.rotate_secret(client_id, old_ends_now=old_ends_now, actor_id=None, now=clock.now()),
    )
    _print_secret(changed.client, changed.secret, machine=as_json, old_secret_until=changed.old_secret_until)


@client.command()
@click.argument("client_id")
@with_application
def disable(client_id: str) -> None:
    """Shut an application out at once, with everything that was issued to it.

    \b
    Example:  idp client disable 6fXb3nQpTz8KcVw2RyLm9DaH
    """
    changed = _settled(client_id, applications.disable(client_id, actor_id=None, now=clock.now()))
    click.echo(f"{changed.client.client_name} is disabled.")


@client.command()
@click.argument("client_id")
@with_application
def enable(client_id: str) -> None:
    """Let a disabled application in again.

    \b
    Example:  idp client enable 6fXb3nQpTz8KcVw2RyLm9DaH
    """
    changed = _settled(client_id, applications.enable(client_id, actor_id=None, now=clock.now()))
    click.echo(f"{changed.client.client_name} is enabled.")


@client.command()
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Don't ask for the name.")
@with_application
def remove(client_id: str, *, yes: bool) -> None:
    """Take an application away for good; its name has to be typed to confirm it.

    \b
    Example:  idp client remove 6fXb3nQpTz8KcVw2RyLm9DaH
    """
    made = clients.get(client_id)
    if made is None:
        _refuse_unknown(client_id)
    name = made.client_name
    typed = name if yes else click.prompt(f"This can't be undone. Type the application's name ({name})", err=True)
    _settled(client_id, applications.remove(client_id, typed_name=typed, actor_id=None, now=clock.now()))
    click.echo(f"{name} is removed.")


def _settled(client_id: str, outcome: Changed | Invalid | Unknown | Overtaken) -> Changed:
    match outcome:
        case Invalid(problems):
            _refuse_problems(problems)
        case Unknown():
            _refuse_unknown(client_id)
        case Overtaken():
            refuse("somebody else has just changed the application; look at it and try again.")
    return outcome


def _refuse_unknown(client_id: str) -> NoReturn:
    refuse(f"there is no application {client_id!r}; `idp client list` shows them.")


def _refuse_problems(problems: list[Problem]) -> NoReturn:
    refuse(" ".join(f"{problem.field}: {problem.message}" for problem in problems))


def _print_secret(made: Client, secret: str | None, *, machine: bool, old_secret_until: datetime | None = None) -> None:
    shown: dict[str, object] = {"client_id": made.client_id}
    if secret is not None:
        shown["client_secret"] = secret
    if old_secret_until is not None:
        shown["old_client_secret_valid_until"] = old_secret_until.isoformat(timespec="seconds")
    shown["issuer"] = settings.current().server.issuer
    if machine:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}: {value}")
    if secret is not None:
        click.echo("The secret is shown this once only.", err=True)


def _shown(made: Client) -> dict[str, Any]:
    return {
        "client_id": made.client_id,
        "client_name": made.client_name,
        "state": _state(made),
        "first_party": made.first_party,
        "description": made.description,
        "redirect_uris": made.redirect_uris,
        "post_logout_redirect_uris": made.post_logout_redirect_uris,
        "scope": " ".join(made.scopes),
        "token_endpoint_auth_method": made.token_endpoint_auth_method,
        "id_token_signed_response_alg": made.id_token_signed_response_alg,
        "require_pkce": made.require_pkce,
        "initiate_login_uri": made.initiate_login_uri,
        "backchannel_logout_uri": made.backchannel_logout_uri,
        "client_uri": made.client_uri,
        "logo_uri": made.logo_uri,
        "policy_uri": made.policy_uri,
        "tos_uri": made.tos_uri,
        "contacts": made.contacts,
        "created_at": made.created_at.isoformat(timespec="seconds"),
        "last_used_at": made.last_used_at.isoformat(timespec="seconds") if made.last_used_at else None,
    }


def _state(made: Client) -> str:
    return "active" if made.disabled_at is None else "disabled"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never used"
