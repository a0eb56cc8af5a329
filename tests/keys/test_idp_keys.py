"""`idp keys` tells how every key stands, seals anew what is kept, and never by a key that others can't read."""

import json
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from idp import clock
from idp.database import db
from idp.mail import service as mail
from idp.oidc import keys as signing_keys
from idp.oidc.models import SigningKey
from idp.operations.secret_watch import Watch
from tests import factories
from tests.keys.conftest import KeyFiles, Place

MINUTE = timedelta(minutes=1)


def sealed_by() -> set[str]:
    db.session.rollback()
    return {sealed.partition(".")[0] for sealed in db.session.scalars(select(SigningKey.sealed_private_jwk))}


def change(watch: Watch, files: KeyFiles) -> None:
    """Go through both steps for a wrapping key and a pepper, an hour ago."""
    began = clock.now() - timedelta(hours=1)
    signing_keys.rotate_due(began)
    watch.look(began)
    for names in (("1", "2"), ("2", "1")):
        files.write("wrapping_keys", *(f"w{name}" for name in names))
        files.write("peppers", *(f"p{name}" for name in names))
        began += MINUTE
        watch.look(began)
        watch.look(began + timedelta(seconds=4))


def secrets_listed(place: Place) -> dict[str, dict[str, Any]]:
    listed = place.idp("keys", "list", "--json")
    assert listed.exit_code == 0, listed.output
    return {row["name"]: row for row in json.loads(listed.stdout)["secrets"]}


def test_each_key_is_listed_with_what_needs_it(watch: Watch, node: Flask, place: Place, files: KeyFiles) -> None:
    factories.account()
    change(watch, files)
    factories.account()

    rows = secrets_listed(place)

    assert {name: (row["kind"], row["state"], row["needed_by"]) for name, row in rows.items() if name != "a1"} == {
        "w2": ("wrapping", "used", {}),
        "w1": ("wrapping", "read", {"signing keys": 3}),
        "p2": ("pepper", "used", {"passwords": 1}),
        "p1": ("pepper", "read", {"passwords": 1}),
    }
    assert rows["w1"]["advice"] == "3 signing keys; run idp keys reseal"
    assert rows["p1"]["advice"] == "1 passwords; each is renewed when its owner logs in"
    assert rows["a1"]["needed_by"]["security events"] >= 3


def test_a_key_that_is_needed_and_missing_is_listed_as_missing(watch: Watch, node: Flask, place: Place) -> None:
    factories.account()
    watch.look(clock.now())
    place.files.write("peppers", "p9")

    assert secrets_listed(place)["p1"]["state"] == "missing"
    assert secrets_listed(place)["p1"]["advice"] == "1 passwords need it: put it back at the end of [secrets] peppers"


def test_the_list_for_people_has_a_line_for_each_key_and_no_secret(watch: Watch, node: Flask, place: Place) -> None:
    signing_keys.rotate_due(clock.now())
    watch.look(clock.now())

    printed = place.idp("keys", "list").stdout.splitlines()

    assert [line.split()[0] for line in printed] == ["signing"] * 3 + ["wrapping", "pepper", "audit"]
    assert f"next one signs from {clock.now() + timedelta(days=90):%Y-%m-%d}" in printed[0]


def test_resealing_leaves_nothing_under_the_old_key_and_can_be_repeated(
    watch: Watch, node: Flask, place: Place, files: KeyFiles
) -> None:
    message = mail.send("mail/test", "parent@example.org", now=clock.now())
    db.session.commit()
    change(watch, files)
    assert sealed_by() == {"w1"}

    first, second = place.idp("keys", "reseal"), place.idp("keys", "reseal")

    assert first.stdout.startswith("3 signing keys and 1 messages were sealed anew"), first.output
    assert second.stdout.startswith("0 signing keys and 0 messages were sealed anew")
    assert sealed_by() == {"w2"}
    assert secrets_listed(place)["w1"]["advice"].startswith("pages that are open need it until ")
    signing_keys.forget()
    files.write("wrapping_keys", "w2")
    watch.look(clock.now())
    assert signing_keys.ring(clock.now()).is_complete
    db.session.refresh(message)
    assert mail.opened(message) is not None


def test_what_no_key_opens_is_named_and_left_alone(watch: Watch, node: Flask, place: Place, files: KeyFiles) -> None:
    change(watch, files)
    kid = db.session.scalars(select(SigningKey.kid)).first()
    db.session.execute(update(SigningKey).where(SigningKey.kid == kid).values(sealed_private_jwk="w0.AAAA"))
    db.session.commit()

    done = place.idp("keys", "reseal")

    assert done.exit_code == 1
    assert done.stdout.startswith("2 signing keys and 0 messages were sealed anew")
    assert f"no key of [secrets] wrapping_keys opens {kid}" in done.stderr
    assert sealed_by() == {"w0", "w2"}


def test_nothing_at_rest_is_sealed_by_a_key_that_has_just_come(
    watch: Watch, node: Flask, place: Place, files: KeyFiles
) -> None:
    signing_keys.rotate_due(clock.now())
    watch.look(clock.now() - MINUTE)
    files.write("wrapping_keys", "w2", "w1")

    for command in ("reseal", "rotate"):
        refused = place.idp("keys", command)
        assert refused.exit_code == 1
        assert "not every process has read the first wrapping key yet; try again in 3 seconds" in refused.stderr
    assert sealed_by() == {"w1"}
    assert len(signing_keys.listed()) == 3


def test_revoking_says_what_it_costs(node: Flask, place: Place) -> None:
    signing_keys.rotate_due(clock.now())

    done = place.idp("keys", "rotate", "--algorithm", "ES256", "--revoke")

    kid = done.stdout.split()[0]
    assert done.exit_code == 0
    assert done.stdout == (
        f"{kid} signs from 3 seconds from now on.\n"
        "From then on no ES256 signature of an older key is good; nobody is logged out.\n"
    )
    db.session.rollback()
    assert kid in {key.kid for key in signing_keys.listed() if key.algorithm == "ES256"}
