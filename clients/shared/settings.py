"""What a relying party must be told: six environment variables, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

REQUIRED = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "STATE_DIR")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Misconfigured(Exception):
    """The environment does not say enough; the message is one line for the person who starts the application."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the provider is, who we are to it, and where we live."""

    issuer: str
    client_id: str
    client_secret: str
    base_url: str
    state_dir: Path

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies may be kept to it."""
        return self.base_url.startswith("https://")

    @property
    def port(self) -> int:
        """The port to listen on, as the public address names or implies it."""
        parts = urlsplit(self.base_url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def portal_url(self) -> str:
        """The portal's menu, which every page leads back to."""
        return self.issuer.rstrip("/") + "/"


def load(environ: Mapping[str, str], *, also: tuple[str, ...] = ()) -> Settings:
    """Read the settings, or raise Misconfigured naming everything that is missing (with `also`) or wrong at once."""
    missing = [name for name in (*REQUIRED, *also) if not environ.get(name, "").strip()]
    if missing:
        raise Misconfigured(f"Set these environment variables first: {', '.join(missing)}")
    for name in ("ISSUER", "BASE_URL"):
        _check_address(name, environ[name])
    return Settings(
        issuer=environ["ISSUER"].strip(),
        client_id=environ["CLIENT_ID"].strip(),
        client_secret=environ["CLIENT_SECRET"].strip(),
        base_url=environ["BASE_URL"].strip().rstrip("/"),
        state_dir=Path(environ["STATE_DIR"].strip()),
    )


def origin_of(address: str) -> str:
    """Scheme, host and port of an address: what a browser calls its origin."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _check_address(name: str, value: str) -> None:
    parts = urlsplit(value.strip())
    try:
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound = False
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not port_is_sound or parts.query or parts.fragment:
        raise Misconfigured(f"{name} must be a web address such as http://localhost:5001, not {value!r}")
    if name == "BASE_URL" and parts.path.strip("/"):
        raise Misconfigured(f"BASE_URL must have no path, since cookies and addresses here start at /: {value!r}")
