"""Keys have no default, a decent length, and are in no text that somebody might log."""

import secrets
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from idp import settings
from idp.demo import instance
from idp.settings import key_quality
from tests.settings.conftest import KEY, key

_PASSWORD = "hunter2hunter2"


@pytest.mark.parametrize("wrong", [KEY, f":{KEY}", "w1:", "w1:c2hvcnQ=", f"w1:{KEY[:-4]}", f"w-1:{KEY}", "w1:&&&&"])
def test_a_key_that_is_no_key_is_refused_without_being_repeated(environ: dict[str, str], wrong: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ | {"IDP_SECRETS_WRAPPING_KEYS": wrong})

    assert "IDP_SECRETS_WRAPPING_KEYS has to be NAME:KEY" in str(caught.value)
    assert KEY[:-4] not in str(caught.value)


def test_two_keys_of_one_name_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsError, match="two keys of one name"):
        settings.load(environ | {"IDP_SECRETS_PEPPERS": f"p1:{key('one')},p1:{key('two')}"})


def test_several_keys_keep_their_order(environ: dict[str, str]) -> None:
    loaded = settings.load(environ | {"IDP_SECRETS_PEPPERS": f"new:{key('new')},old:{key('old')}"})

    assert [key.name for key in loaded.secrets.peppers] == ["new", "old"]


def test_no_text_of_the_settings_holds_a_secret(environ: dict[str, str]) -> None:
    addresses = {
        "IDP_DATABASE_URL": f"postgresql://idp:{_PASSWORD}@db/idp",
        "IDP_THROTTLE_REDIS": f"redis://:{_PASSWORD}@redis/0",
    }
    loaded = settings.load(environ | addresses)
    used = loaded.secrets.wrapping_keys[0]

    told = (repr(loaded), str(loaded), repr(loaded.secrets), repr(loaded.database), repr(loaded.throttle), f"{used}")
    for text in told:
        assert _PASSWORD not in text
        assert repr(used.value) not in text
        assert KEY not in text


def test_settings_can_not_be_changed_once_loaded(environ: dict[str, str]) -> None:
    loaded = settings.load(environ)

    with pytest.raises(AttributeError):
        loaded.server.port = 1  # type: ignore[misc]  # what is tried
    assert replace(loaded.server, port=1).port == 1
    assert loaded.server.port == 5000


@pytest.mark.parametrize(
    "guessable",
    [b"9" * 32, b"\0" * 64, bytes(range(32)), bytes(range(64, 0, -1)), b"0123456789abcdef" * 2, b"correct horse" * 3],
)
def test_production_refuses_a_key_that_can_be_guessed(environ: dict[str, str], guessable: bytes) -> None:
    given = environ | {"IDP_SECRETS_PEPPERS": f"p1:{b64encode(guessable).decode()}"}

    with pytest.raises(settings.SettingsError) as caught:
        settings.load(given)

    (said,) = caught.value.problems
    assert said.startswith("[secrets] peppers has the key 'p1', which can be guessed; make another")
    assert settings.load(given | {"IDP_ENVIRONMENT": "development"}).secrets.peppers[0].value == guessable


def test_no_key_that_is_random_is_taken_for_a_guessable_one() -> None:
    """Drawn as `idp doctor --new-key` draws, and as hexadecimal digits, as some people do."""
    for _ in range(2000):
        assert not key_quality.is_guessable(secrets.token_bytes(32))
        assert not key_quality.is_guessable(secrets.token_hex(32).encode())


@pytest.mark.parametrize("name", ["demo", "Demo", "test", "example", "dev", "development"])
def test_production_refuses_a_key_that_was_made_for_trying_out(environ: dict[str, str], name: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ | {"IDP_SECRETS_AUDIT_KEYS": f"{name}:{key('a2')}"})

    (said,) = caught.value.problems
    assert said.startswith(f"[secrets] audit_keys has the key {name!r}, which is named as one for trying things out")


def test_production_refuses_the_secrets_of_a_demo(environ: dict[str, str], tmp_path: Path) -> None:
    with instance.opened(tmp_path / "instance"):
        made = instance.environment(tmp_path / "instance", 5000)
    files = {name: value for name, value in made.items() if name.startswith("IDP_SECRETS_")}
    others = {name: value for name, value in environ.items() if not name.startswith("IDP_SECRETS_")}

    with pytest.raises(settings.SettingsError) as caught:
        settings.load(others | files)

    assert len(caught.value.problems) == 3
    assert all("'demo'" in said for said in caught.value.problems)


def test_production_refuses_one_key_in_two_places(environ: dict[str, str]) -> None:
    same = environ["IDP_SECRETS_WRAPPING_KEYS"].partition(":")[2]

    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ | {"IDP_SECRETS_PEPPERS": f"new:{same},old:{key('old')}"})

    (said,) = caught.value.problems
    assert said.startswith("[secrets] wrapping_keys 'w1' and peppers 'new' are one key")
    assert same not in said
