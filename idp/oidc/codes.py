"""The authorization code (RFC 6749 section 1.3.1): it carries what it stands for, sealed, so that one costs no row.

Nobody but the provider reads, makes or changes one. That it is good once the database knows, which keeps those that
were spent. A key should seal no more than 2**32 of them (NIST SP 800-38D section 8.3): eleven years of a million a day.
"""

import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from idp import ids, sealing, settings
from idp.ids import new_id
from idp.oidc.authorization_request import AuthorizationRequest
from idp.sessions.store import ActiveSession
from idp.settings.ranges import RANGES
from idp.web.context import origin

LONGEST = 4096
"""Characters, and no code has more: a nonce of 300 control characters makes one of 3400, and a usual one has 460."""

LONGEST_LIFE = timedelta(seconds=RANGES["tokens", "code_seconds"][1])
"""No code is good for longer, whatever the settings said when it was issued."""

_PURPOSE = "authorization code"
_VERSION = b"\x02"
"""Of what is packed: a version beside this one, during an upgrade, refuses what it would misread."""
_HEAD = struct.Struct(">c16s16s16s16s16sqqH")
_LONGEST_ADDRESS = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Code(NamedTuple):
    """What a code stands for; the interface is the one that Authlib's grant asks for."""

    id: uuid.UUID
    """By this it is spent. With the nonce of the seal it has 170 random bits (RFC 6749 section 10.10 asks for 128)."""
    client_pk: uuid.UUID
    account_id: uuid.UUID
    session_id: uuid.UUID
    grant_id: uuid.UUID
    auth_time: datetime
    issued_at: datetime
    expires_at: datetime
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    acr: str
    amr: list[str]
    address: str
    """Where the person's browser was: the application's server redeems it from elsewhere."""
    code_challenge_method: str = "S256"

    def __repr__(self) -> str:
        """Tell nothing of it."""
        return "<Code>"

    def get_redirect_uri(self) -> str:
        """Return the redirect URI of the authorization request."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.scope


def issue(
    request: AuthorizationRequest,
    session: ActiveSession,
    *,
    client_pk: uuid.UUID,
    grant_id: uuid.UUID,
    now: datetime,
) -> str:
    """Return a new code for the person of a session and the browser at hand, good from now on."""
    head = _HEAD.pack(
        _VERSION,
        new_id().bytes,
        client_pk.bytes,
        session.account_id.bytes,
        session.id.bytes,
        grant_id.bytes,
        _packed(session.auth_time),
        _packed(now),
        settings.current().tokens.code_seconds,
    )
    texts = orjson.dumps(
        [
            request.redirect_uri,
            request.scope,
            request.nonce,
            request.code_challenge,
            session.acr,
            session.amr,
            (origin().address or "")[:_LONGEST_ADDRESS],
        ]
    )
    return sealing.seal(_PURPOSE, head + texts)


def read(text: str) -> Code | None:
    """Return what a code stands for; None for whatever else was sent. Whether it is still good is not asked here."""
    try:
        content = sealing.open_sealed(_PURPOSE, text)
    except sealing.CannotOpen:
        return None
    if content[:1] != _VERSION:
        return None
    _version, *packed, auth_time, issued_at, seconds = _HEAD.unpack_from(content)
    code_id, client_pk, account_id, session_id, grant_id = map(ids.of_bytes, packed)
    redirect_uri, scope, nonce, code_challenge, acr, amr, address = orjson.loads(content[_HEAD.size :])
    return Code(
        id=code_id,
        client_pk=client_pk,
        account_id=account_id,
        session_id=session_id,
        grant_id=grant_id,
        auth_time=_unpacked(auth_time),
        issued_at=_unpacked(issued_at),
        expires_at=_unpacked(issued_at) + timedelta(seconds=seconds),
        redirect_uri=redirect_uri,
        scope=scope,
        nonce=nonce,
        code_challenge=code_challenge,
        acr=acr,
        amr=amr,
        address=address,
    )


def _packed(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _unpacked(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
