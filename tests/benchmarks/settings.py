"""The settings that are measured: production's costs, and limits that no load runs into."""

import secrets
from dataclasses import replace

from idp.settings import DEVELOPMENT, Database, NamedKey, Passwords, Secrets, Server, Sessions, Settings
from tests.ladders import WITHOUT_ROBOT_CHECKS

BCRYPT_COST = 12


def measured() -> Settings:
    """Return settings with keys of their own; the issuer is plain HTTP, so development's."""

    def key() -> tuple[NamedKey, ...]:
        return (NamedKey("k1", secrets.token_bytes(32)),)

    return Settings(
        environment=DEVELOPMENT,
        server=Server(issuer="http://localhost:5000"),
        database=Database(url="sqlite:///:memory:"),
        secrets=Secrets(wrapping_keys=key(), peppers=key(), audit_keys=key()),
        passwords=Passwords(bcrypt_cost=BCRYPT_COST),
        throttle=replace(WITHOUT_ROBOT_CHECKS, account_failures=100, client_failures=10_000),
        sessions=Sessions(per_account=1000),
    )
