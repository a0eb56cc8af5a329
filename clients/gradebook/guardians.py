"""Who sees which children: the demo's list until the roster exists, and the bond made at the first log-in."""

import unicodedata
from collections.abc import Mapping

from clients.shared.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS guardians (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, guardian TEXT NOT NULL,
    PRIMARY KEY (issuer, subject), UNIQUE (issuer, guardian)
) STRICT;
"""


class Guardians:
    """Bonds between accounts at the provider and guardians in the school's records."""

    def __init__(self, store: Store, issuer: str, children: Mapping[str, tuple[str, ...]]) -> None:
        """`children` holds each guardian's children, by the username that the school was given."""
        self._store = store
        self._issuer = issuer
        self._children = {_key(username): names for username, names in children.items()}

    def bind(self, subject: str, username: str) -> None:
        """Bind an account to the guardian whom the school knows by this username, at its first log-in.

        From then on `sub` alone decides: a changed username changes nothing, and somebody who is later given a used one
        sees nobody's children.
        """
        if (guardian := _key(username)) not in self._children:
            return
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO guardians (issuer, subject, guardian) VALUES (?, ?, ?)",
                (self._issuer, subject, guardian),
            )

    def children_of(self, subject: str) -> tuple[str, ...]:
        """The children of whoever is logged in, by id; none if the school doesn't know the account."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT guardian FROM guardians WHERE issuer = ? AND subject = ?", (self._issuer, subject)
            ).fetchone()
        return () if row is None else self._children.get(row["guardian"], ())


def _key(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold().strip()
