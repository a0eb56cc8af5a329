"""`idp keys`: look at the signing keys, and change them in an emergency."""

import click

from idp import clock
from idp.command_line import print_json, with_application
from idp.oidc import keys as signing_keys


@click.group()
def keys() -> None:
    """Look after the keys that sign what the provider says.

    \b
    Example:  idp keys list
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print for a program.")
@with_application
def show(*, as_json: bool) -> None:
    """List the keys: next, active or retired.

    \b
    Example:  idp keys list --json
    """
    now = clock.now()
    rows = [
        {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "state": signing_keys.state(key, now),
            "active_from": key.active_from.isoformat(timespec="seconds"),
            "unpublish_at": key.unpublish_at.isoformat(timespec="seconds") if key.unpublish_at else None,
        }
        for key in signing_keys.listed()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['state']:8} {row['algorithm']:6} from {row['active_from']}  {row['kid']}")


@keys.command()
@click.option(
    "--algorithm", type=click.Choice(signing_keys.ALGORITHMS), default="RS256", show_default=True, help="Which key."
)
@with_application
def rotate(algorithm: str) -> None:
    """Replace a key in half a minute; nobody is logged out, and what the old key signed stays readable.

    The calendar rotates keys by itself. This is for the day on which a key may have been seen by somebody.

    \b
    Example:  idp keys rotate --algorithm RS256
    """
    kid = signing_keys.rotate_now(algorithm, clock.now())
    click.echo(f"{kid} signs from {signing_keys.ACTIVATION_MARGIN.seconds} seconds from now on.")
