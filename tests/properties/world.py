"""A small district for generated requests: people, applications, and what its database says afterwards."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import func, select, update

from idp import clock
from idp.accounts.models import ADMIN
from idp.app import create_app
from idp.audit.models import AuditEvent
from idp.database import db
from idp.oidc import access_tokens
from idp.oidc.models import AccessToken, Grant
from idp.operations import intake
from idp.settings import Passwords, Recovery, RobotCheck, Settings, Support
from tests import factories
from tests.databases import with_database
from tests.factories import Person, Registered
from tests.ladders import WITHOUT_ROBOT_CHECKS
from tests.oidc.conftest import challenge_of
from tests.properties.wsgi import MARK, Judge, Visitor

VERIFIER = "v" * 43
CHALLENGE = challenge_of(VERIFIER)
AFTER = "https://lunch.example/bye"

# What a response may start with. A native application may listen on any port of the loopback (RFC 8252 section 7.3).
_ADDRESSES = (
    r"https://grades\.example/cb\?tenant=207(?=&)",
    r"https://lunch\.example/callback(?=\?)",
    r"https://lunch\.example/bye(?=\?|$)",
    r"http://127\.0\.0\.1(:[0-9]{1,5})?/app(?=\?)",
)


@dataclass
class World:
    """What is there, and who looks at the answers."""

    app: Flask
    judge: Judge
    parents: tuple[Person, Person]
    admin: Person
    applications: tuple[Registered, Registered, Registered]
    """The district's own; somebody else's; one without a secret."""

    def visitor(self, address: str) -> Visitor:
        """Return a browser that has not been here before."""
        served = self.app.config["IDP"].server.threads
        admitted = intake.admit(self.app.wsgi_app, served)
        return Visitor(admitted, self.judge, address)

    def proof(self, application: Registered) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the headers and the fields by which an application proves itself."""
        if application is self.applications[0]:
            pair = f"{application.client_id}:{application.secret}".encode()
            return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")], []
        fields = [("client_id", application.client_id)]
        if application.secret is not None:
            fields.append(("client_secret", application.secret))
        return [], fields

    def was_paid_for(self, access_token: str) -> bool:
        """Tell whether a token is what its code was spent for."""
        shown = access_tokens.read(access_token)
        with self.app.app_context():
            row = None if shown is None else db.session.get(AccessToken, shown.id)
            return shown is not None and row is not None and row.digest == shown.digest

    def take_back_consents(self) -> None:
        """Take back whatever anybody has let an application have."""
        with self.app.app_context():
            db.session.execute(update(Grant).values(revoked_at=clock.now()))
            db.session.commit()

    def tokens(self) -> tuple[int, int]:
        """Return how many access tokens were given, as the record has it, and how many codes were spent."""
        with self.app.app_context():
            given = select(func.count()).where(AuditEvent.event == "authorization_granted")
            spent = select(func.count()).select_from(AccessToken)
            return db.session.scalar(given) or 0, db.session.scalar(spent) or 0


@contextmanager
def made(settings: Settings, url: str, templates: FileSystemBytecodeCache) -> Iterator[World]:
    """Make the district on an empty database."""
    cheap = replace(
        with_database(settings, url),
        passwords=Passwords(bcrypt_cost=4),
        server=replace(settings.server, log_level="CRITICAL"),
        # The run itself is one long attack: were it slowed down, most of it would meet the same refusal.
        throttle=replace(
            WITHOUT_ROBOT_CHECKS,
            account_robot_failures=10**6,
            account_pictures_failures=10**6,
            account_failures=10**6,
            account_stop_failures=10**6,
            known_browser_failures=10**6,
            client_failures=10**6,
        ),
        recovery=Recovery(
            verifications_per_window=10**6,
            forgotten_per_hour=10**6,
            forgotten_per_day=10**6,
            forgotten_per_network_hour=10**6,
            wrong_links_per_network_hour=10**6,
        ),
        robot_check=RobotCheck(begun_per_network_hour=10**6, work_tries=1),
        support=Support(
            per_network_hour=10**6,
            in_all_per_hour=10**6,
            lookups_per_network_hour=10**6,
            lookups_per_ticket_hour=10**6,
            fill_in_seconds=0,
        ),
    )
    app = create_app(cheap)
    app.jinja_env.bytecode_cache = templates
    with app.app_context():
        parents = factories.account(family_name=MARK), factories.account()
        admin = factories.account(role=ADMIN)
        applications = (
            factories.client("Gradebook", redirect_uri="https://grades.example/cb?tenant=207", first_party=True),
            factories.client(
                f"Lunch {MARK}",
                redirect_uri="https://lunch.example/callback",
                description=MARK,
                token_endpoint_auth_method="client_secret_post",
                post_logout_redirect_uris=[AFTER],
            ),
            factories.client("Bus", redirect_uri="http://127.0.0.1/app", token_endpoint_auth_method="none"),
        )
    yield World(app, Judge(_ADDRESSES), parents, admin, applications)
    with app.app_context():
        db.engine.dispose()
