"""Whoever meddles with the record without the key is found out, and told where."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, text

from idp.audit import chain, sealing, verification
from idp.audit.models import AuditEvent, AuditSeal
from idp.audit.verification import Report
from idp.database import db
from idp.settings import NamedKey, Settings

Write = Callable[[int], None]
Seal = Callable[..., None]
Meddle = Callable[..., None]
Verify = Callable[..., Report]
Findings = Callable[..., list[tuple[str, int | None]]]


@pytest.fixture(autouse=True)
def ten_events(write: Write, seal: Seal) -> None:
    """Ten events under three seals: places 1 to 4, 5 to 8, 9 and 10."""
    write(10)
    seal(4)


def test_a_record_that_nobody_touched_is_intact(verify: Verify) -> None:
    report = verify()

    assert (report.events, report.seals, report.unsealed, report.findings) == (10, 3, 0, [])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event", "'log_out'"),
        ("outcome", "'failure'"),
        ("client_id", "NULL"),
        ("address", "'192.0.2.1'"),
        ("source", "'web'"),
        ("details", """'{"number": 99}'"""),
        ("at", "'2020-01-01 00:00:00.000000'"),
    ],
)
def test_a_changed_row_is_named(column: str, value: str, meddle: Meddle, findings: Findings) -> None:
    meddle(f"UPDATE audit_events SET {column} = {value} WHERE position = 6")  # noqa: S608  # fixed words

    assert findings() == [("changed", 6)]


def test_a_changed_row_is_named_by_its_id(meddle: Meddle, verify: Verify) -> None:
    event_id = db.session.execute(text("SELECT id FROM audit_events WHERE position = 6")).scalar_one()
    meddle("UPDATE audit_events SET outcome = 'failure' WHERE position = 6")

    (finding,) = verify().findings

    assert str(finding.event_id).replace("-", "") == str(event_id).replace("-", "")


def test_a_missing_row_is_named(meddle: Meddle, findings: Findings) -> None:
    meddle("DELETE FROM audit_events WHERE position = 6")

    assert findings() == [("missing", 6)]


def test_a_missing_row_is_found_when_the_gap_was_closed(meddle: Meddle, findings: Findings) -> None:
    meddle(
        "DELETE FROM audit_events WHERE position = 9",
        "UPDATE audit_events SET position = 9 WHERE position = 10",
    )

    assert findings() == [("moved", 9), ("missing", 10)]


def test_rows_in_another_order_are_named(meddle: Meddle, findings: Findings) -> None:
    meddle(
        "UPDATE audit_events SET position = -1 WHERE position = 3",
        "UPDATE audit_events SET position = 3 WHERE position = 7",
        "UPDATE audit_events SET position = 7 WHERE position = -1",
    )

    assert findings() == [("moved", 3), ("moved", 7)]


def test_a_row_put_in_before_it_is_sealed_is_named(meddle: Meddle, findings: Findings) -> None:
    meddle(_copy_of_row_one())

    assert findings() == [("added", None)]


def test_a_row_put_in_stays_found_after_a_worker_has_sealed_it(meddle: Meddle, seal: Seal, findings: Findings) -> None:
    meddle(_copy_of_row_one())
    seal()

    assert findings() == [("changed", 11)]


def test_a_row_put_behind_the_end_is_named(meddle: Meddle, findings: Findings) -> None:
    meddle(_copy_of_row_one(position=11))

    assert findings() == [("added", 11)]


def test_a_row_put_in_another_ones_place_is_named(meddle: Meddle, findings: Findings) -> None:
    meddle("DELETE FROM audit_events WHERE position = 6", _copy_of_row_one(position=6))

    assert findings() == [("changed", 6)]


def test_rows_cut_off_at_the_end_are_named(meddle: Meddle, findings: Findings) -> None:
    meddle("DELETE FROM audit_events WHERE position > 8")

    assert findings() == [("missing", 9)]


def test_rows_cut_off_with_their_seals_are_named(meddle: Meddle, verify: Verify) -> None:
    meddle("DELETE FROM audit_events WHERE position > 8", "DELETE FROM audit_seals WHERE number > 2")

    (finding,) = verify().findings

    assert (finding.kind, finding.seal) == ("cut_off", 3)


def test_rows_cut_off_at_the_beginning_are_named(meddle: Meddle, verify: Verify) -> None:
    meddle("DELETE FROM audit_events WHERE position <= 4", "DELETE FROM audit_seals WHERE number = 1")

    (finding,) = verify().findings

    assert (finding.kind, finding.seal) == ("cut_off", 2)


def test_a_seal_taken_out_of_the_middle_is_named(meddle: Meddle, verify: Verify) -> None:
    meddle("DELETE FROM audit_events WHERE position BETWEEN 5 AND 8", "DELETE FROM audit_seals WHERE number = 2")

    assert [(found.kind, found.seal) for found in verify().findings] == [("seal_missing", 3), ("missing", None)]


def test_a_batch_that_was_recomputed_without_the_key_is_found(meddle: Meddle, verify: Verify) -> None:
    meddle("UPDATE audit_events SET outcome = 'failure', mac = 'k1.forged' WHERE position = 6")
    rows = db.session.execute(select(AuditEvent.id, AuditEvent.mac).where(AuditEvent.position.between(5, 8))).all()
    forged = chain.events_digest([(row[0], row[1]) for row in rows])
    meddle("UPDATE audit_seals SET events_digest = :digest WHERE number = 2", digest=forged)

    assert [(found.kind, found.seal or found.position) for found in verify().findings] == [
        ("seal_changed", 2),
        ("changed", 6),
    ]


def test_raising_what_retention_took_is_found(meddle: Meddle, verify: Verify) -> None:
    meddle("UPDATE audit_seals SET removed_through = 4 WHERE number = 3", "DELETE FROM audit_events WHERE position < 5")

    assert [(found.kind, found.seal) for found in verify().findings] == [("seal_changed", 3)]


def test_a_head_that_was_taken_away_or_set_back_is_found(meddle: Meddle, findings: Findings) -> None:
    meddle("UPDATE audit_head SET number = 2, last_position = 8")
    assert findings() == [("head", None)]

    meddle("DELETE FROM audit_head")
    assert findings() == [("head", None)]


def test_a_database_put_back_to_an_earlier_state_is_found_by_a_head_kept_elsewhere(
    meddle: Meddle, write: Write, seal: Seal, verify: Verify
) -> None:
    earlier = dict(db.session.execute(text("SELECT * FROM audit_head")).mappings().one())
    write(2)
    seal()
    number, _, mac = (verify().head or "").partition(":")
    meddle(
        "DELETE FROM audit_events WHERE position > 10",
        "DELETE FROM audit_seals WHERE number > 3",
        "UPDATE audit_head SET number = :number, last_position = :last_position, mac = :mac",
        number=earlier["number"],
        last_position=earlier["last_position"],
        mac=earlier["mac"],
    )

    assert verify().is_intact, "nothing inside the database can tell this"
    assert [(found.kind, found.seal) for found in verify((int(number), mac)).findings] == [("cut_off", 4)]


def test_a_chain_written_anew_with_another_key_is_found(app: Flask, meddle: Meddle, verify: Verify) -> None:
    key = app.config["IDP"].secrets.audit_keys[0]
    forged = NamedKey(key.name, b"x" * 32)
    seal = dict(db.session.execute(select(AuditSeal.__table__).where(AuditSeal.number == 3)).mappings().one())
    meddle("UPDATE audit_seals SET mac = :mac WHERE number = 3", mac=chain.mac(forged, chain.seal_content(seal)))

    assert {found.kind for found in verify().findings} == {"seal_changed", "head"}


def test_verification_reads_in_batches(monkeypatch: pytest.MonkeyPatch, verify: Verify) -> None:
    monkeypatch.setattr(verification, "BATCH", 3)
    seen: list[tuple[int, int]] = []

    report = verification.verify(progress=lambda done, total: seen.append((done, total)))

    assert report.is_intact
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_an_older_key_still_verifies_what_it_sealed(app: Flask, write: Write, seal: Seal, verify: Verify) -> None:
    configured = app.config["IDP"]
    old = configured.secrets.audit_keys[0]
    new = NamedKey("k2", b"2" * 32)
    app.config["IDP"] = _with_audit_keys(configured, (new, old))
    write(2)
    seal()

    assert verify().is_intact
    newest = sealing.newest_seal()
    assert newest is not None
    assert newest["mac"].startswith("k2.")
    app.config["IDP"] = _with_audit_keys(configured, (new,))
    assert not verify().is_intact, "a key that is taken away no longer vouches for anything"


def test_events_that_have_no_seal_yet_are_fine(write: Write, verify: Verify) -> None:
    write(3)

    report = verify()

    assert (report.events, report.unsealed, report.findings) == (10, 3, [])


def _copy_of_row_one(position: int | None = None) -> str:
    columns = "at, event, outcome, client_id, source, details, mac"
    new_id = "'00000000-0000-7000-8000-000000000001'" if _is_postgresql() else "'00000000000070008000000000000001'"
    place = "NULL" if position is None else str(position)
    return (
        f"INSERT INTO audit_events (id, position, {columns}) SELECT {new_id}, {place}, {columns} "  # noqa: S608  # fixed words
        "FROM audit_events WHERE position = 1"
    )


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def _with_audit_keys(configured: Settings, keys: tuple[NamedKey, ...]) -> Settings:
    return replace(configured, secrets=replace(configured.secrets, audit_keys=keys))
