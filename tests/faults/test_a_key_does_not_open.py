"""The wrapping key is not the one that sealed the signing keys: nobody signs, all else goes on, it can be mended."""

import json
import secrets
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from idp.faults import Fault
from idp.settings import NamedKey
from tests.databases import SQLITE, Databases
from tests.faults.conftest import NewPlace, Place
from tests.faults.people import code_of, wait_for
from tests.programs import Commands


def _spelt(*keys: NamedKey) -> str:
    return ",".join(f"{key.name}:{b64encode(key.value).decode()}" for key in keys)


def test_nobody_signs_and_all_else_goes_on_until_it_is_put_back(
    new_place: NewPlace, all_databases: Databases, tmp_path: Path
) -> None:
    with all_databases.new(SQLITE) as url:
        place = new_place(url, workers=1)
        right = place.provider.settings.secrets.wrapping_keys[0]
        wrong = NamedKey("k2", secrets.token_bytes(32))
        file = tmp_path / "wrapping-keys"
        file.write_text(_spelt(right))
        place.provider.environment = {"IDP_SECRETS_WRAPPING_KEYS_FILE": str(file)}
        place.provider.start()
        parent = place.parent()
        parent.flow()
        code = code_of(parent.authorize())
        published = parent.send("GET", "/oauth/jwks").json()
        place.provider.stop()
        file.write_text(_spelt(wrong))
        place.provider.start(until="/healthz")

        wait_for(place.provider.readiness, (503, "keys"))
        refused = parent.redeem(code)
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
        assert refused.headers["Retry-After"] == "30"
        assert parent.send("GET", "/oauth/jwks").json() == published, "what is public needs no key"
        assert parent.userinfo(parent.sessions[0].tokens[0]).status_code == 200
        assert place.parent().log_in().status_code == 303
        _the_operator_is_told(place, wrong, right)

        file.write_text(_spelt(wrong, right))
        wait_for(place.provider.readiness, (200, None))
        assert [parent.redeem(code).status_code for _ in range(2)] == [200, 400], "the code was not lost"
        assert "Traceback" not in place.provider.log


def _the_operator_is_told(place: Place, wrong: NamedKey, right: NamedKey) -> None:
    lines = [json.loads(line) for line in place.provider.log.splitlines() if '"fault": "keys"' in line]
    assert {line["advice"] for line in lines} == {Fault.KEYS.advice}
    assert right.name in {line.get("sealed_by") for line in lines}
    assert b64encode(right.value).decode() not in place.provider.log
    configured = place.provider.settings
    mistaken = Commands(replace(configured, secrets=replace(configured.secrets, wrapping_keys=(wrong,))))
    found = json.loads(mistaken("doctor", "--json").stdout)
    assert "problem" in [entry["level"] for entry in found if entry["subject"] == "keys"], found
    assert 'idp_database_errors_total{fault="keys"}' in place.provider.get("/metrics").text
