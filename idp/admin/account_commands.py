"""`idp account …`: the command line's door to the accounts."""

from datetime import datetime
from typing import Any, NoReturn

import click

from idp import clock
from idp.accounts import service as accounts
from idp.accounts.models import GUARDIAN, ROLES, Account
from idp.admin import people
from idp.admin.people import Changed, Invalid, Mailed, NewAccount, Taken, Unknown, WithTemporaryPassword
from idp.command_line import print_json, print_json_list, refuse, with_application

by_mail = click.option("--mail", "by_mail", is_flag=True, help="Mail it to the address on file, and print no secret.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


@click.group()
def account() -> None:
    """Add the accounts of families and staff, and look after them.

    \b
    Example:  idp account add ada.okafor --role admin --name "Ada Okafor"
    """


@account.command()
@click.argument("username")
@click.option("--role", type=click.Choice(ROLES), default=GUARDIAN, show_default=True, help="What it may do.")
@click.option("--name", default="", help="The full name, as the portal and applications show it.")
@click.option("--given-name", default="", help="The given name, for applications that ask for it.")
@click.option("--family-name", default="", help="The family name, for applications that ask for it.")
@click.option("--email", help="The contact address that the district has on file.")
@click.option("--language", default="", help="The language of pages and mail, such as es, until another one is picked.")
@by_mail
@click.option("--security-email", help="An address for recovery that you have verified yourself: nobody asks for one.")
@as_json
@with_application
def add(username: str, *, by_mail: bool, as_json: bool, **known: Any) -> None:
    """Add an account, and print its temporary password, this once, or mail it with the username.

    \b
    Example:  idp account add ewa.kowalska --name "Ewa Kowalska" --email ewa@example.org --mail
    """
    match people.add(NewAccount(username, **known), actor_id=None, now=clock.now(), by_mail=by_mail):
        case WithTemporaryPassword() as issued:
            _print_temporary(issued, machine=as_json)
        case Mailed() as mailed:
            _print_mailed(mailed, machine=as_json)
        case Invalid(problem):
            refuse(problem)
        case Taken():
            _refuse_taken(username)


@account.command()
@click.argument("username")
@as_json
@with_application
def show(username: str, *, as_json: bool) -> None:
    """Show an account.

    \b
    Example:  idp account show ewa.kowalska
    """
    found = accounts.find_by_username(username)
    if found is None:
        _refuse_unknown(username)
    shown = _shown(found)
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name:<36} {'' if value is None else value}")


@account.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only those with this role.")
@as_json
@with_application
def list_(role: str | None, *, as_json: bool) -> None:
    """List the accounts.

    \b
    Example:  idp account list --role admin
    """
    found = accounts.iterate(role)
    if as_json:
        print_json_list(map(_shown, found))
        return
    one = None
    for one in found:
        click.echo(f"{one.username:<30}  {one.role:<8}  {_state(one):<18}  {one.name}")
    if one is None:
        click.echo("There is no such account yet: idp account add --help", err=True)


@account.command()
@click.argument("username")
@click.argument("new_username")
@with_application
def rename(username: str, new_username: str) -> None:
    """Give an account another username; for applications it stays the same person.

    \b
    Example:  idp account rename ewa.kowalska ewa.nowak
    """
    match people.rename(username, new_username, actor_id=None, now=clock.now()):
        case Changed(renamed):
            click.echo(f"The username is now {renamed.username}.")
        case Invalid(problem):
            refuse(problem)
        case Taken():
            _refuse_taken(new_username)
        case Unknown():
            _refuse_unknown(username)


@account.command()
@click.argument("username")
@click.argument("address")
@with_application
def email(username: str, address: str) -> None:
    """Note the contact address that a person has given to the district; username and security email stay.

    \b
    Example:  idp account email ewa.kowalska ewa.nowak@example.org
    """
    match people.put_on_file(username, address, actor_id=None, now=clock.now()):
        case Changed(noted):
            click.echo(f"The address on file for {noted.username} is now {noted.email}.")
        case Invalid(problem):
            refuse(problem)
        case Unknown():
            _refuse_unknown(username)


@account.command()
@click.argument("username")
@with_application
def disable(username: str) -> None:
    """Close an account: it is logged out everywhere, and nobody can log in to it.

    \b
    Example:  idp account disable ewa.kowalska
    """
    match people.disable(username, actor_id=None, now=clock.now()):
        case Changed(closed, ended):
            click.echo(f"{closed.username} is disabled; sessions ended: {ended}.")
        case Unknown():
            _refuse_unknown(username)


@account.command()
@click.argument("username")
@with_application
def enable(username: str) -> None:
    """Open an account that was disabled.

    \b
    Example:  idp account enable ewa.kowalska
    """
    match people.enable(username, actor_id=None, now=clock.now()):
        case Changed(opened):
            click.echo(f"{opened.username} is enabled.")
        case Unknown():
            _refuse_unknown(username)


@account.command("temporary-password")
@click.argument("username")
@by_mail
@as_json
@with_application
def temporary_password(username: str, *, by_mail: bool, as_json: bool) -> None:
    """Print a new temporary password, this once, or mail it; the old password stops working and sessions end.

    \b
    Example:  idp account temporary-password ewa.kowalska --mail
    """
    issue = people.mail_first_password if by_mail else people.issue_temporary_password
    match issue(username, actor_id=None, now=clock.now()):
        case WithTemporaryPassword() as issued:
            _print_temporary(issued, machine=as_json)
        case Mailed() as mailed:
            _print_mailed(mailed, machine=as_json)
        case Invalid(problem):
            refuse(problem)
        case Unknown():
            _refuse_unknown(username)


def _print_temporary(issued: WithTemporaryPassword, *, machine: bool) -> None:
    shown = {
        "id": str(issued.account.id),
        "username": issued.account.username,
        "role": issued.account.role,
        "temporary_password": issued.temporary_password,
        "expires_at": issued.expires_at.isoformat(timespec="seconds"),
    }
    if machine:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}: {value}")
    click.echo("The temporary password is shown this once only.", err=True)


def _print_mailed(mailed: Mailed, *, machine: bool) -> None:
    shown = {"id": str(mailed.account.id), "username": mailed.account.username, "mailed_to": mailed.address}
    if machine:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}: {value}")


def _refuse_unknown(username: str) -> NoReturn:
    refuse(f"there is no account {username!r}; `idp account list` shows them.")


def _refuse_taken(username: str) -> NoReturn:
    refuse(f"the username {username!r}, or one that can't be told from it, is taken; choose another one.")


def _shown(one: Account) -> dict[str, str | bool | None]:
    return {
        "id": str(one.id),
        "username": one.username,
        "role": one.role,
        "state": _state(one),
        "name": one.name,
        "given_name": one.given_name,
        "family_name": one.family_name,
        "email": one.email,
        "email_verified": one.email_verified,
        "language": one.locale,
        "created_at": _moment(one.created_at),
        "password_changed_at": _moment(one.password_changed_at),
        "temporary_password_expires_at": _moment(one.temporary_password_expires_at),
        "last_log_in_at": _moment(one.last_log_in_at),
    }


def _state(one: Account) -> str:
    if one.disabled_at is not None:
        return "disabled"
    return "active" if one.temporary_password_expires_at is None else "temporary password"


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
