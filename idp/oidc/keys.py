"""Signing keys: made, sealed, published before use and after, rotated, and parsed once per process."""

import itertools
import json
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import current_app
from joserfc.errors import SecurityWarning
from joserfc.jwk import Key, KeySet
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import undefer

from idp import faults, sealing, settings
from idp.audit import service as audit
from idp.database import db, take_turn
from idp.faults import Fault, Unavailable
from idp.oidc import private_keys
from idp.oidc.models import SigningKey
from idp.oidc.signing import Signer

log = structlog.get_logger(__name__)

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""What may sign; every application's library reads the first, the others are chosen per application."""

PURPOSE = "signing key"

# RFC 9864 renames EdDSA; what the libraries in the field read is still the old name.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What one process knows of the keys."""

    signers: dict[str, Signer]
    published: KeySet
    jwks: bytes
    good_until: datetime

    @property
    def is_complete(self) -> bool:
        """Whether there is a key that signs now for each algorithm."""
        return self.signers.keys() >= set(ALGORITHMS)

    def signer(self, algorithm: str) -> Signer:
        """Return the key that signs now. Raises Unavailable when none can be opened."""
        if algorithm not in self.signers:
            raise Unavailable(Fault.KEYS)
        return self.signers[algorithm]


class _Cache:
    """The ring of one application object, and the private keys it has opened and parsed."""

    def __init__(self, good_for: timedelta) -> None:
        self.good_for = good_for
        self.ring: KeyRing | None = None
        self.parsed: dict[str, Key] = {}
        self.lock = threading.Lock()


def ring(now: datetime) -> KeyRing:
    """Return the keys; they are read again every few seconds, so that a rotation reaches each process by itself."""
    cache = _cache()
    if cache.ring is None or not now < cache.ring.good_until <= now + cache.good_for:
        with cache.lock:
            if cache.ring is None or not now < cache.ring.good_until <= now + cache.good_for:
                cache.ring = _load(cache, now)
    return cache.ring


def published(now: datetime) -> bytes:
    """Return the public keys as JSON: those known last, when the database can't be asked, since nobody signs then."""
    try:
        return ring(now).jwks
    except SQLAlchemyError as error:
        known = _cache().ring
        if known is None or faults.find(error) is None:
            raise
        return known.jwks


def forget() -> None:
    """Read the keys again at their next use: whoever has just changed them wants to see it."""
    _cache().ring = None


def _cache() -> _Cache:
    cache: _Cache | None = current_app.extensions.get("idp_keys")
    if cache is None:
        cache = current_app.extensions.setdefault("idp_keys", _Cache(reread_interval()))
    return cache


def reread_interval() -> timedelta:
    """Return how long a process goes on with the keys that it knows before it reads them again."""
    return timedelta(seconds=settings.current().keys.reread_seconds)


def activation_margin() -> timedelta:
    """Return how long an urgent key waits, so that no process signs with what another does not publish yet."""
    return 3 * reread_interval()


def rotate_due(now: datetime) -> int:
    """Do what the calendar asks: a first key, a successor, a retirement. Returns how many rows changed; commits."""
    take_turn(db.session.connection(), "signing keys")  # or each of two nodes that start at once would make first ones
    changed = 0
    for algorithm in ALGORITHMS:
        keys = _keys(algorithm)
        if not keys:
            # A little earlier than now: a request that began before this one, or a slow clock, needs a key, too.
            _create(algorithm, now, now - activation_margin())
            changed += 1
        elif now >= keys[-1].active_from + _life() - _ahead():
            _create(algorithm, now, max(keys[-1].active_from + _life(), now + _ahead()))
            changed += 1
        changed += _retire(keys, now)
    db.session.commit()
    if changed:
        forget()
    return changed


def rotate_now(algorithm: str, now: datetime, *, revoke: bool = False) -> str:
    """Make a key that takes over in half a minute, for an emergency, and return its kid. Commits.

    With revoke every other key of the algorithm is taken out of the published ones at that moment: whatever it signed
    is good for nothing any more, whoever has it. Until then the applications learn of the new one.
    """
    active_from = now + activation_margin()
    others = _keys(algorithm) if revoke else []
    kid = _create(algorithm, now, active_from)
    for key in others:
        _revoke(key, active_from, now)
    _retire(_keys(algorithm), now)
    db.session.commit()
    forget()
    return kid


def listed() -> list[SigningKey]:
    """Return every key that is still kept, oldest first."""
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.active_from, SigningKey.kid)))


def next_rotation(key: SigningKey) -> datetime:
    """Return when the calendar lets the next key take over from one that signs now."""
    return key.retired_at or key.active_from + _life()


def state(key: SigningKey, now: datetime) -> str:
    """Return next, active or retired: what the key is at this moment."""
    if now < key.active_from:
        return "next"
    return "retired" if key.retired_at is not None and key.retired_at <= now else "active"


def _keys(algorithm: str) -> list[SigningKey]:
    statement = select(SigningKey).where(SigningKey.algorithm == algorithm)
    return list(db.session.scalars(statement.order_by(SigningKey.active_from, SigningKey.kid)))


def _create(algorithm: str, now: datetime, active_from: datetime) -> str:
    key = private_keys.generate(algorithm, settings.current().keys.rsa_bits)
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
    private = json.dumps(key.as_dict(private=True)).encode()
    db.session.add(
        SigningKey(
            kid=kid,
            algorithm=algorithm,
            public_jwk=public,
            sealed_private_jwk=sealing.seal(PURPOSE, private),
            created_at=now,
            active_from=active_from,
        )
    )
    audit.record("signing_key_created", kid=kid, algorithm=algorithm, active_from=active_from.isoformat())
    db.session.flush()
    return kid


def _retire(keys: Sequence[SigningKey], now: datetime) -> int:
    """Give each key whose successor has taken over its end, and take away what is no longer published."""
    changed = 0
    for key, successor in itertools.pairwise(keys):
        if key.retired_at is None and successor.active_from <= now:
            key.retired_at = successor.active_from
            key.unpublish_at = successor.active_from + timedelta(days=settings.current().keys.keep_days)
            changed += 1
        elif key.unpublish_at is not None and key.unpublish_at <= now:
            db.session.delete(key)
            audit.record("signing_key_deleted", kid=key.kid)
            changed += 1
    return changed


def _revoke(key: SigningKey, at: datetime, now: datetime) -> None:
    """Let a key end at a moment soon, with all that it signed; one that has signed nothing yet ends now."""
    audit.record("signing_key_revoked", kid=key.kid, algorithm=key.algorithm)
    if key.active_from > now:
        db.session.delete(key)
        return
    if key.retired_at is None or key.retired_at > now:
        key.retired_at = at
    key.unpublish_at = at


def _life() -> timedelta:
    return timedelta(days=settings.current().keys.rotate_days)


def _ahead() -> timedelta:
    return timedelta(days=settings.current().keys.publish_ahead_days)


def _load(cache: _Cache, now: datetime) -> KeyRing:
    rows = _published(now)
    if not {row.algorithm for row in rows if row.active_from <= now} >= set(ALGORITHMS):
        rotate_due(now)
        rows = _published(now)
    public = sorted((row.public_jwk for row in rows), key=lambda jwk: str(jwk["kid"]))
    signers: dict[str, Signer | None] = {}
    for row in rows:  # oldest first, so that the youngest one that is active stays
        if row.active_from <= now:
            signers[row.algorithm] = _signer(cache, row)
    good_until = min([now + cache.good_for, *(row.active_from for row in rows if row.active_from > now)])
    jwks = json.dumps({"keys": public}, separators=(",", ":")).encode()
    opened = {algorithm: signer for algorithm, signer in signers.items() if signer is not None}
    return KeyRing(opened, KeySet.import_key_set({"keys": public}), jwks, good_until)


def _published(now: datetime) -> list[SigningKey]:
    statement = (
        select(SigningKey)
        .options(undefer(SigningKey.sealed_private_jwk))
        .where(or_(SigningKey.unpublish_at.is_(None), SigningKey.unpublish_at > now))
        .order_by(SigningKey.active_from, SigningKey.kid)
    )
    return list(db.session.scalars(statement))


def _signer(cache: _Cache, row: SigningKey) -> Signer | None:
    """Return a key that can sign, or None and a line in the log.

    Then none does: the one before it may have been replaced for having been seen. The public half is still published.
    """
    try:
        return Signer(row.kid, row.algorithm, _private(cache, row))
    except sealing.CannotOpen:
        sealed_by = row.sealed_private_jwk.partition(".")[0]
        log.error("unavailable", fault=Fault.KEYS, advice=Fault.KEYS.advice, kid=row.kid, sealed_by=sealed_by)  # noqa: TRY400  a trace tells nothing more
        return None


def _private(cache: _Cache, row: SigningKey) -> Key:
    """Open and parse a private key once; whoever can write into the database still can't make one we would open."""
    if row.kid not in cache.parsed:
        cache.parsed[row.kid] = private_keys.parse(json.loads(sealing.open_sealed(PURPOSE, row.sealed_private_jwk)))
    return cache.parsed[row.kid]
