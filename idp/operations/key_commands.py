"""`idp keys`: look at every key, change signing keys in an emergency, and seal anew what an old key has sealed."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from idp import clock, settings
from idp.command_line import print_json, refuse, with_application
from idp.mail import resealing as outbox
from idp.oidc import keys as signing_keys
from idp.oidc import resealing
from idp.operations import key_uses, secret_keys
from idp.operations.secret_keys import WRAPPING


@click.group()
def keys() -> None:
    """Look after the keys: those that sign what the provider says, and those of [secrets].

    \b
    Example:  idp keys list
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def show(*, as_json: bool) -> None:
    """List every key: what it is for, since when, what needs it, and when the next one takes over.

    \b
    Example:  idp keys list
    Example:  idp keys list --json
    """
    now = clock.now()
    signing = [_signing_key(key, now) for key in signing_keys.listed()]
    uses = [use for kind in secret_keys.SETTINGS for use in key_uses.of_kind(kind, now)]
    if as_json:
        print_json({"signing": signing, "secrets": [asdict(use) for use in uses]})
        return
    for row in signing:
        click.echo(
            f"signing   {row['algorithm']:<8} {row['state']:<8} {row['days']:>4} days  {row['kid']}  {row['until']}"
        )
    for use in uses:
        age = " " * 9 if use.days is None else f"{use.days:>4} days"
        click.echo(f"{use.kind:<9} {use.name:<17} {use.state:<8} {age}  {use.advice}")


@keys.command()
@click.option(
    "--algorithm", type=click.Choice(signing_keys.ALGORITHMS), default="RS256", show_default=True, help="Which key."
)
@click.option("--revoke", is_flag=True, help="Nothing that an older key signed is good any more: somebody else has it.")
@with_application
def rotate(algorithm: str, *, revoke: bool) -> None:
    """Replace a signing key in half a minute; nobody is logged out.

    The calendar rotates keys by itself. This is for the day on which a key may have been seen by somebody. What the
    old key signed stays good for [keys] keep_days, unless --revoke says that somebody has it.

    \b
    Example:  idp keys rotate --algorithm RS256
    Example:  idp keys rotate --algorithm RS256 --revoke
    """
    _refuse_new_wrapping_key()
    kid = signing_keys.rotate_now(algorithm, clock.now(), revoke=revoke)
    seconds = signing_keys.activation_margin().seconds
    click.echo(f"{kid} signs from {seconds} seconds from now on.")
    if revoke:
        click.echo(f"From then on no {algorithm} signature of an older key is good; nobody is logged out.")


@keys.command()
@with_application
def reseal() -> None:
    """Seal what is kept by the wrapping key that is first now, so that the one before can be taken away.

    It can be broken off and repeated. Passwords and security events are not sealed: `idp keys list` tells of them.

    \b
    Example:  idp keys reseal
    """
    _refuse_new_wrapping_key()
    done, messages = resealing.reseal(), outbox.reseal()
    name = settings.current().secrets.wrapping_keys[0].name
    click.echo(f"{done.count} signing keys and {messages} messages were sealed anew.")
    click.echo(f"{name!r} seals all that can be opened.")
    if done.unreadable:
        refuse(f"no key of [secrets] wrapping_keys opens {', '.join(done.unreadable)}: put the one that did back.")


def _refuse_new_wrapping_key() -> None:
    """Seal nothing by a key that a running process may not have read: it could not sign any more."""
    if secret_keys.is_new(WRAPPING, clock.now()):
        seconds = signing_keys.activation_margin().seconds
        refuse(f"not every process has read the first wrapping key yet; try again in {seconds} seconds.")


def _signing_key(key: Any, now: datetime) -> dict[str, Any]:
    state = signing_keys.state(key, now)
    takes_over = signing_keys.next_rotation(key)
    until = {
        "next": f"signs from {key.active_from:%Y-%m-%d %H:%M} UTC",
        "active": f"next one signs from {takes_over:%Y-%m-%d}",
        "retired": f"published until {key.unpublish_at:%Y-%m-%d}" if key.unpublish_at else "",
    }
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": state,
        "days": max(0, (now - key.active_from).days),
        "active_from": key.active_from.isoformat(timespec="seconds"),
        "next_rotation": takes_over.isoformat(timespec="seconds") if state == "active" else None,
        "unpublish_at": key.unpublish_at.isoformat(timespec="seconds") if key.unpublish_at else None,
        "until": until[state],
    }
