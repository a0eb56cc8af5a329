"""Sealing the signing keys anew after the wrapping key was changed, so that the old one can be taken away."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, select, update

from idp import sealing, settings
from idp.audit import service as audit
from idp.database import db
from idp.oidc import keys
from idp.oidc.models import SigningKey

_KEYS = cast("Table", SigningKey.__table__)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many keys were sealed anew, and which could not be opened."""

    count: int
    unreadable: tuple[str, ...]


def reseal() -> Resealed:
    """Seal every signing key by the wrapping key that is used now; safe to repeat and to break off. Commits each."""
    used = settings.current().secrets.wrapping_keys[0].name
    count, unreadable = 0, []
    for kid, sealed in db.session.execute(select(_KEYS.c.kid, _KEYS.c.sealed_private_jwk)).all():
        if sealing.key_name(sealed) == used:
            continue
        try:
            anew = sealing.seal(keys.PURPOSE, sealing.open_sealed(keys.PURPOSE, sealed))
        except sealing.CannotOpen:
            unreadable.append(kid)
            continue
        # Only what was read is replaced: another command may have been here, or the key may be gone.
        same = (_KEYS.c.kid == kid) & (_KEYS.c.sealed_private_jwk == sealed)
        changed = db.session.connection().execute(update(_KEYS).where(same).values(sealed_private_jwk=anew)).rowcount
        if changed:
            audit.record("signing_key_resealed", kid=kid, wrapping_key=used)
        db.session.commit()
        count += changed
    return Resealed(count, tuple(unreadable))
