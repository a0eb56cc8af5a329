"""Keys have no default, a decent length, and are in no text that somebody might log."""

from dataclasses import replace

import pytest

from idp import settings
from tests.settings.conftest import KEY

_PASSWORD = "hunter2hunter2"


@pytest.mark.parametrize("wrong", [KEY, f":{KEY}", "w1:", "w1:c2hvcnQ=", f"w1:{KEY[:-4]}", f"w-1:{KEY}", "w1:&&&&"])
def test_a_key_that_is_no_key_is_refused_without_being_repeated(environ: dict[str, str], wrong: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ | {"IDP_SECRETS_WRAPPING_KEYS": wrong})

    assert "IDP_SECRETS_WRAPPING_KEYS has to be NAME:KEY" in str(caught.value)
    assert KEY[:-4] not in str(caught.value)


def test_two_keys_of_one_name_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsError, match="two keys of one name"):
        settings.load(environ | {"IDP_SECRETS_PEPPERS": f"p1:{KEY},p1:{KEY}"})


def test_several_keys_keep_their_order(environ: dict[str, str]) -> None:
    loaded = settings.load(environ | {"IDP_SECRETS_PEPPERS": f"new:{KEY},old:{KEY}"})

    assert [key.name for key in loaded.secrets.peppers] == ["new", "old"]


def test_no_text_of_the_settings_holds_a_secret(environ: dict[str, str]) -> None:
    loaded = settings.load(environ | {"IDP_DATABASE_URL": f"postgresql://idp:{_PASSWORD}@db/idp"})
    key = loaded.secrets.peppers[0]

    for text in (repr(loaded), str(loaded), repr(loaded.secrets), repr(loaded.database), f"{key}"):
        assert _PASSWORD not in text
        assert repr(key.value) not in text
        assert KEY not in text


def test_settings_can_not_be_changed_once_loaded(environ: dict[str, str]) -> None:
    loaded = settings.load(environ)

    with pytest.raises(AttributeError):
        loaded.server.port = 1  # type: ignore[misc]  # what is tried
    assert replace(loaded.server, port=1).port == 1
    assert loaded.server.port == 5000
