"""A configuration folder and an environment of the test's own."""

import hashlib
from base64 import b64encode
from pathlib import Path

import pytest


def key(name: str) -> str:
    """Return a key that looks random but is the same each time, so that a test can look for it where it must not be."""
    return b64encode(hashlib.sha256(name.encode()).digest()).decode()


KEY = key("w1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the three files, which set nothing."""
    for name in ("development", "production", "district"):
        (tmp_path / f"{name}.toml").touch()
    return tmp_path


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    """Return the least that production starts with."""
    return {
        "IDP_CONFIG": str(folder),
        "IDP_SERVER_ISSUER": "https://login.example.org",
        "IDP_SECRETS_WRAPPING_KEYS": f"w1:{KEY}",
        "IDP_SECRETS_PEPPERS": f"p1:{key('p1')}",
        "IDP_SECRETS_AUDIT_KEYS": f"a1:{key('a1')}",
    }
