"""The demo's applications: the gradebook and a dashboard for each school, which are the district's own."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from idp.audit import service as audit
from idp.clients import service
from idp.clients.validation import ClientMetadata, validate
from idp.database import db
from idp.demo.instance import write_secret


@dataclass(frozen=True, slots=True)
class Application:
    """A relying party of the demo, and where it runs."""

    key: str
    name: str
    module: str
    port: int
    school: str | None = None

    @property
    def address(self) -> str:
        """Return where browsers and the provider reach it."""
        return f"http://localhost:{self.port}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """By what an application proves who it is."""

    client_id: str
    client_secret: str


def at(port: int) -> tuple[Application, ...]:
    """Return the applications beside a provider on a port."""
    dashboard = "clients.dashboard"
    return (
        Application("gradebook", "Gradebook", "clients.gradebook", port + 1),
        Application("maine-east", "Maine East Parent Dashboard", dashboard, port + 2, "maine-east"),
        Application("maine-south", "Maine South Parent Dashboard", dashboard, port + 3, "maine-south"),
        Application("maine-west", "Maine West Parent Dashboard", dashboard, port + 4, "maine-west"),
    )


def ensure(application: Application, folder: Path, now: datetime) -> Credentials:
    """Register an application unless it is, bring its addresses up to date, and return what it logs in with. Commits.

    The secret is kept beside the database, since the provider itself knows only its digest.
    """
    metadata = _metadata(application)
    kept = folder / "secrets" / f"client-{application.key}"
    client_id = f"demo-{application.key}"
    client = service.get(client_id)
    secret: str | None
    if client is None:
        client, secret = service.register(metadata, first_party=True, now=now, client_id=client_id)
        audit.record("client_add", client_id=client_id, first_party=True)
    else:
        service.update(client, metadata, first_party=True, now=now)
        secret = kept.read_text("utf-8") if kept.exists() else None
        secret = secret or service.rotate_secret(client, now, old_ends_now=True).secret
    write_secret(kept, str(secret))
    db.session.commit()
    return Credentials(client_id, str(secret))


def _metadata(application: Application) -> ClientMetadata:
    found = validate(
        {
            "client_name": application.name,
            "redirect_uris": [f"{application.address}/callback"],
            "post_logout_redirect_uris": [f"{application.address}/logged-out"],
            "backchannel_logout_uri": f"{application.address}/backchannel-logout",
            "initiate_login_uri": f"{application.address}/login",
            "client_uri": f"{application.address}/",
        }
    )
    if isinstance(found, list):
        raise TypeError(f"the demo's own application is refused: {found}")
    return found
