"""A new audit key signs what comes; what the old one signed is verified as long as it is kept."""

from datetime import timedelta

from flask import Flask

from idp import clock, worker
from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.database import db
from idp.operations.secret_watch import Watch
from tests.keys.conftest import KeyFiles, Place


def record() -> str:
    audit.record("test")
    db.session.commit()
    return str(db.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first().mac)  # type: ignore[union-attr]  # it is there


def test_the_chain_goes_on_by_the_new_key_and_verifies_by_both(
    watch: Watch, node: Flask, place: Place, files: KeyFiles
) -> None:
    now = clock.now()
    watch.look(now)
    signed_by = [record().partition(".")[0]]
    worker.seal_all()
    for seconds, names in ((1, ("a1", "a2")), (6, ("a2", "a1"))):
        files.write("audit_keys", *names)
        watch.look(now + timedelta(seconds=seconds))
        watch.look(now + timedelta(seconds=seconds + 4))
        signed_by.append(record().partition(".")[0])
    worker.seal_all()

    assert signed_by == ["a1", "a1", "a2"]
    verified = place.idp("audit", "verify")
    assert verified.exit_code == 0, verified.output
    files.write("audit_keys", "a2")
    assert place.idp("audit", "verify").exit_code == 1
