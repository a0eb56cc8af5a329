"""What the tests of logging in share: an application that sends somebody here, and what the audit says."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.database import db
from tests.factories import Registered

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B


def request_of(application: Registered, **more: str) -> str:
    """Return the address by which an application asks who somebody is."""
    asked = {
        "client_id": application.client_id,
        "redirect_uri": application.redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "state": f"state of {application.name}",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/oauth/authorize?" + urlencode(asked | more)


def events(event: str) -> list[AuditEvent]:
    """Return what is on record of one kind, in its order."""
    db.session.rollback()
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.event == event).order_by(AuditEvent.id)))


@pytest.fixture
def gradebook(client: Callable[..., Registered]) -> Registered:
    """The district's own application."""
    return client(
        "Gradebook",
        redirect_uri="https://gradebook.example/callback",
        first_party=True,
        logo_uri="https://gradebook.example/logo.png",
        policy_uri="https://gradebook.example/privacy",
        tos_uri="https://gradebook.example/terms",
    )
