"""`idp audit`: read the record, and check that nobody has meddled with it."""

import sys
import uuid
from dataclasses import asdict
from typing import Any, cast

import click
from sqlalchemy import Table, select

from idp.audit import verification
from idp.audit.models import AuditEvent
from idp.command_line import print_json, refuse, with_application
from idp.database import db

_EVENTS = cast("Table", AuditEvent.__table__)


class Head(click.ParamType[tuple[int, str]]):
    """A seal's number and keyed digest, as the worker logs them."""

    name = "number:mac"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """Take the text apart."""
        number, _, mac = str(value).partition(":")
        if not (number.isascii() and number.isdigit() and mac):
            self.fail("has to be NUMBER:MAC, as the line `audit_sealed` in the log has it", param, ctx)
        return int(number), mac


@click.group()
def audit() -> None:
    """Read the record of security events, and check its seals.

    \b
    Example:  idp audit verify
    """


@audit.command()
@click.option("--head", type=Head(), help="A seal that was kept elsewhere: shows a chain that was cut off or put back.")
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def verify(head: tuple[int, str] | None, *, as_json: bool) -> None:
    """Check every event and every seal; exit code 1 when anything was changed, taken out, put in or moved.

    \b
    Example:  idp audit verify --head 1042:k1.Zm9vYmFy
    """
    report = verification.verify(head, _progress)
    if as_json:
        print_json({**asdict(report), "intact": report.is_intact})
    else:
        for finding in report.findings:
            click.echo(f"{finding.kind}: {finding.text}")
        click.echo(
            f"{report.events} events under {report.seals} seals, {report.unsealed} not sealed yet; "
            f"head {report.head or 'none'}."
        )
    if not report.is_intact:
        refuse(f"the record was meddled with: {len(report.findings)} findings; keep a copy of the database now.")


@audit.command("list")
@click.option("--account", type=click.UUID, help="Only events about this account's id.")
@click.option("--client", help="Only events about this application's client_id.")
@click.option("--event", help="Only events of this name.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def show(account: uuid.UUID | None, client: str | None, event: str | None, limit: int, *, as_json: bool) -> None:
    """List events, newest first.

    \b
    Example:  idp audit list --event log_in --limit 20
    """
    wanted = {"account_id": account, "client_id": client, "event": event}
    rows = _newest({name: value for name, value in wanted.items() if value is not None}, limit)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        about = " ".join(f"{name}={row[name]}" for name in ("account_id", "client_id", "address") if row[name])
        details = " ".join(f"{name}={value!r}" for name, value in row["details"].items())
        click.echo(f"{row['at']:%Y-%m-%d %H:%M:%S}  {row['outcome']:<8} {row['event']:<30} {about} {details}".rstrip())


def _newest(wanted: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return the newest events that are as wanted: those without a seal, which are few, and then sealed ones."""
    rows: list[dict[str, Any]] = []
    for state in (_EVENTS.c.position.is_(None), _EVENTS.c.position.is_not(None)):
        conditions = [state, *(_EVENTS.c[name] == value for name, value in wanted.items())]
        chosen = select(_EVENTS).where(*conditions).order_by(_EVENTS.c.id.desc()).limit(limit)
        rows += [dict(row) for row in db.session.execute(chosen).mappings()]
    return sorted(rows, key=lambda row: str(row["id"]), reverse=True)[:limit]


def _progress(done: int, total: int) -> None:
    """Show how far it is, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} events" + ("\n" if done == total else ""), nl=False, err=True)
