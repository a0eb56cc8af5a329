"""config/compose.yaml says what this version understands; no container is started here."""

import base64
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from idp import settings
from idp.settings import PACKAGE, Settings

_CHECKOUT = PACKAGE.parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as Compose reads it."""
    read: dict[str, Any] = yaml.safe_load((_CHECKOUT / "config" / "compose.yaml").read_text("utf-8"))
    return read


@pytest.mark.parametrize("service", ["idp-1", "idp-2", "worker", "upgrade"])
def test_its_settings_are_accepted(service: str, compose: dict[str, Any], tmp_path: Path) -> None:
    loaded = _loaded(compose["services"][service]["environment"], tmp_path)

    assert (loaded.environment, loaded.server.trusted_proxies) == ("production", 1)
    assert loaded.database.url.startswith("postgresql://")


def test_what_it_names_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    build = services["idp-1"]["build"]["dockerfile_inline"]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", build, re.MULTILINE)
    mounted = [volume.split(":")[0] for volume in services["idp-1"]["volumes"]]

    assert [path for path in copied if not (_CHECKOUT / path).exists()] == []
    assert [path for path in mounted if path.endswith(".toml") and not (_CHECKOUT / "config" / path).exists()] == []
    assert {name for service in services.values() for name in service.get("depends_on", {})} <= services.keys()
    assert "/readyz" in services["idp-1"]["healthcheck"]["test"][-1]


def test_nodes_have_the_addresses_that_its_words_give_to_nginx(compose: dict[str, Any]) -> None:
    written = (_CHECKOUT / "config" / "compose.yaml").read_text("utf-8")
    told = set(re.findall(r"(10\.207\.0\.\d+):5000", written))
    nodes = [compose["services"][name] for name in ("idp-1", "idp-2")]

    assert {node["networks"]["default"]["ipv4_address"] for node in nodes} == told


def test_the_settings_that_readme_gives_to_systemd_are_accepted(tmp_path: Path) -> None:
    readme = (_CHECKOUT / "README.md").read_text("utf-8")
    lines = re.findall(r"^ *(IDP_[A-Z_]+)=(\S+)$", readme, re.MULTILINE)

    assert len(lines) >= 6
    assert _loaded(dict(lines), tmp_path).server.trusted_proxies == 1


def _loaded(environment: dict[str, str], folder: Path) -> Settings:
    """Load the settings of an environment whose files of secrets lie in a folder of this machine."""
    here = dict(environment) | {"IDP_CONFIG": str(_CHECKOUT / "config")}
    for name in [name for name in here if name.endswith("_FILE")]:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        value = "postgresql://idp:secret@db.example.org/idp" if name == "IDP_DATABASE_URL_FILE" else f"k1:{key}"
        here[name] = str(folder / name)
        (folder / name).write_text(value)
    return settings.load(here)
