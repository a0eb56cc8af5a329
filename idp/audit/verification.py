"""Checking the record against its seals: what was changed, taken out, put in, moved or cut off.

What can't be seen without help from outside: somebody who can write to the database may put all of its tables back
to an earlier state, the newest seal and the head included, and what the keys made then is still right today. So the
worker writes each seal's number and keyed digest to the log; kept where the database's owner can't reach them, they
are what `head` compares with. Events of the last seconds, which have no seal yet, can be taken away unseen, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import RowMapping, Table, func, select

from idp import settings
from idp.audit import chain, sealing
from idp.audit.models import AuditEvent, AuditHead, AuditSeal
from idp.database import db

RESTORED = "database_restored"
"""The event by which `idp restore` says that the record is an older one, and where it went on from."""
BATCH = 1000
MOST_FINDINGS = 1000

_EVENTS = cast("Table", AuditEvent.__table__)
_SEALS = cast("Table", AuditSeal.__table__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed."""

    kind: str
    """changed, missing, added, moved, cut_off, seal_changed, seal_missing, head."""
    text: str
    position: int | None = None
    event_id: str | None = None
    seal: int | None = None


@dataclass(slots=True)
class Report:
    """What a verification has seen."""

    events: int = 0
    seals: int = 0
    unsealed: int = 0
    head: str | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, kind: str, text: str, **where: Any) -> None:
        """Note a finding; beyond a thousand nobody reads on."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, text, **where))


def verify(head: tuple[int, str] | None = None, progress: Progress = lambda _done, _all: None) -> Report:
    """Check every seal and every event, in batches; head is a seal's number and digest that were kept elsewhere.

    It may run beside writers, sealing workers and retention.
    """
    report = Report()
    newest = sealing.newest_seal()
    end = 0 if newest is None else int(newest["number"])
    total = 0 if newest is None else int(newest["last_position"])
    removed = 0 if newest is None else int(newest["removed_through"])
    before: RowMapping | None = None
    for seal in _read_seals(end):
        _check_seal(seal, before, removed, report)
        _check_events(seal, max(removed, before["last_position"] if before else 0), report)
        report.seals += 1
        before = seal
        progress(int(seal["last_position"]), total)
    _check_head(newest, report)
    _check_kept_head(head, report)
    _check_unsealed(report)
    _forget_what_retention_took(report)
    if newest is not None:
        report.head = f"{newest['number']}:{newest['mac']}"
    return report


def _read_seals(end: int) -> Iterator[RowMapping]:
    number = 0
    while True:
        chosen = select(_SEALS).where(_SEALS.c.number > number, _SEALS.c.number <= end)
        batch = db.session.execute(chosen.order_by(_SEALS.c.number).limit(BATCH)).mappings().all()
        if not batch:
            return
        yield from batch
        number = batch[-1]["number"]


def _read_events(first: int, last: int) -> Iterator[RowMapping]:
    position = first - 1
    while True:
        chosen = select(_EVENTS).where(_EVENTS.c.position > position, _EVENTS.c.position <= last)
        batch = db.session.execute(chosen.order_by(_EVENTS.c.position).limit(BATCH)).mappings().all()
        if not batch:
            return
        yield from batch
        position = batch[-1]["position"]


def _check_seal(seal: RowMapping, before: RowMapping | None, removed: int, report: Report) -> None:
    number: int = seal["number"]
    if not _is_ours(chain.seal_content(seal), seal["mac"]):
        report.add("seal_changed", f"seal {number} was changed, or made without the key", seal=number)
    if before is None:
        if seal["first_position"] > removed + 1:
            report.add("cut_off", f"everything before place {seal['first_position']} was cut off", seal=number)
        return
    if number != before["number"] + 1:
        report.add("seal_missing", f"the seals after {before['number']} and before {number} are missing", seal=number)
    elif seal["previous_mac"] != before["mac"]:
        report.add("seal_changed", f"seal {number} does not follow seal {before['number']}", seal=number)
    if seal["first_position"] != before["last_position"] + 1:
        report.add(
            "missing", f"no seal covers the places from {before['last_position'] + 1} to {seal['first_position'] - 1}"
        )


def _check_events(seal: RowMapping, covered: int, report: Report) -> None:
    """Check the events of one seal, but those that an earlier seal or a checkpoint covers."""
    first, last = max(int(seal["first_position"]), covered + 1), int(seal["last_position"])
    found = len(report.findings)
    expected, seen = first, []
    for event in _read_events(first, last):
        position: int = event["position"]
        _report_gap(expected, position - 1, report)
        _check_event(event, report)
        seen.append((event["id"], event["mac"]))
        expected = position + 1
        report.events += 1
    _report_gap(expected, last, report)
    whole = first == seal["first_position"]
    if whole and found == len(report.findings) and chain.events_digest(seen) != seal["events_digest"]:
        report.add("changed", f"the events of seal {seal['number']} are not those it was set on", seal=seal["number"])


def _check_event(event: RowMapping, report: Report) -> None:
    position, event_id = event["position"], event["id"]
    where = {"position": position, "event_id": str(event_id)}
    is_in_place = _is_ours(chain.position_content(position, event_id, event["mac"]), event["position_mac"])
    if _is_ours(chain.event_content(event), event["mac"]):
        if not is_in_place:
            report.add("moved", f"event {event_id} was not sealed at place {position}", **where)
    else:
        report.add("changed", f"event {event_id} at place {position} was changed, or put in without the key", **where)


def _report_gap(first: int, last: int, report: Report) -> None:
    if first == last:
        report.add("missing", f"the event at place {first} is missing", position=first)
    elif first < last:
        report.add("missing", f"the events at places {first} to {last} are missing", position=first)


def _check_head(newest: dict[str, Any] | None, report: Report) -> None:
    """Compare the chain's end with the head, which is written beside it."""
    head = db.session.execute(select(AuditHead.__table__)).mappings().first()
    if head is None:
        if newest is not None:
            report.add("head", "the head of the chain is missing")
        return
    seal = db.session.execute(select(_SEALS).where(_SEALS.c.number == head["number"])).mappings().first()
    if seal is None:
        last = 0 if newest is None else newest["number"]
        report.add("cut_off", f"the seals after {last} are cut off; there were {head['number']}", seal=head["number"])
    elif not _is_ours(chain.head_content(head, seal["mac"]), head["mac"]):
        report.add("head", "the head of the chain was changed, or made without the key")


def _check_kept_head(kept: tuple[int, str] | None, report: Report) -> None:
    if kept is None:
        return
    number, mac = kept
    seal = db.session.execute(select(_SEALS).where(_SEALS.c.number == number)).mappings().first()
    if seal is None:
        report.add("cut_off", f"seal {number}, which was kept elsewhere, is not there{_after_restores()}", seal=number)
    elif seal["mac"] != mac:
        text = f"seal {number} is not the one that was kept elsewhere{_after_restores()}"
        report.add("seal_changed", text, seal=number)


def _after_restores() -> str:
    """Name the backups that were put back: what was sealed between them and then is in the files set aside."""
    chosen = select(_EVENTS).where(_EVENTS.c.event == RESTORED).order_by(_EVENTS.c.at)
    restores = [
        f"on {event['at']:%Y-%m-%d %H:%M} UTC to seal {_number(event['details'].get('head'))}, "
        f"when the newest was {_number(event['details'].get('replaced_head'))}"
        for event in db.session.execute(chosen).mappings()
        if _is_ours(chain.event_content(event), event["mac"])
    ]
    return f"; but a backup was put back {', and '.join(restores)}" if restores else ""


def _number(head: str | None) -> str:
    return (head or "").partition(":")[0] or "unknown"


def _check_unsealed(report: Report) -> None:
    """Check what has no seal yet, and look for what claims a place that no seal covers."""
    chosen = select(_EVENTS).where(_EVENTS.c.position.is_(None)).order_by(_EVENTS.c.id)
    for event in db.session.execute(chosen.execution_options(yield_per=BATCH)).mappings():
        report.unsealed += 1
        if not _is_ours(chain.event_content(event), event["mac"]):
            text = f"event {event['id']}, not sealed yet, was changed or put in without the key"
            report.add("added", text, event_id=str(event["id"]))
    last = db.session.scalar(select(func.max(AuditSeal.last_position))) or 0
    chosen = select(_EVENTS).where((_EVENTS.c.position < 1) | (_EVENTS.c.position > last))
    for event in db.session.execute(chosen.limit(BATCH)).mappings().all():
        newest = sealing.newest_seal()
        if newest is None or not 1 <= event["position"] <= newest["last_position"]:
            text = f"event {event['id']} claims place {event['position']}, which no seal covers"
            report.add("added", text, position=event["position"], event_id=str(event["id"]))


def _forget_what_retention_took(report: Report) -> None:
    """Drop what only seems missing because retention went on while the verification ran."""
    newest = sealing.newest_seal()
    removed = 0 if newest is None else newest["removed_through"]
    report.findings = [
        found
        for found in report.findings
        if found.kind != "missing" or found.position is None or found.position > removed
    ]


def _is_ours(content: bytes, mac: str | None) -> bool:
    return chain.is_mac(settings.current().secrets.audit_keys, content, mac)
