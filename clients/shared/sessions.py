"""Sessions of this application, kept on the server, and the log-outs that end them."""

from dataclasses import dataclass

from clients.shared import clock
from clients.shared.logout_token import LogoutNotice
from clients.shared.provider import Identity
from clients.shared.store import Store, digest, random_token

IDLE_LIMIT = 30 * 60
ABSOLUTE_LIMIT = 12 * 3600
SEEN_EVERY = 60  # so that a page view seldom costs a write
LOG_OUT_MEMORY = 2 * 3600  # longer than any log-in stays under way


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in here."""

    digest: str
    subject: str
    name: str
    id_token: str
    form_token: str


class Sessions:
    """The sessions of one application."""

    def __init__(self, store: Store) -> None:
        """Keep them in `store`."""
        self._store = store

    def start(self, identity: Identity, began_at: float, replaces: str | None) -> str | None:
        """Begin a session and return its cookie, always a new one; None if a log-out overtook the log-in.

        `began_at` is when this log-in came back from the provider. A log-out that names its very session wins whenever
        it came; one for all of a person's sessions wins if it came since: an earlier one the provider knew of already
        when it let this log-in pass.
        """
        cookie, now = random_token(), clock.now()
        who = (identity.subject, identity.sid, identity.name, identity.id_token)
        with self._store.writing() as connection:
            overtaken = connection.execute(
                "SELECT 1 FROM log_outs WHERE (sid IS NOT NULL AND sid = :sid)"
                " OR (sid IS NULL AND subject = :subject AND received_at >= :began_at)",
                {"sid": identity.sid, "subject": identity.subject, "began_at": began_at},
            ).fetchone()
            connection.execute(
                "DELETE FROM sessions WHERE digest = ? OR seen_at <= ? OR started_at <= ?",
                (digest(replaces or ""), now - IDLE_LIMIT, now - ABSOLUTE_LIMIT),
            )
            if overtaken:
                return None
            connection.execute(
                "INSERT INTO sessions (digest, subject, sid, name, id_token, form_token, started_at, seen_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (digest(cookie), *who, random_token(), now, now),
            )
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The live session of a cookie, which being seen keeps alive."""
        now = clock.now()
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT * FROM sessions WHERE digest = ? AND seen_at > ? AND started_at > ?",
                (digest(cookie), now - IDLE_LIMIT, now - ABSOLUTE_LIMIT),
            ).fetchone()
        if row is None:
            return None
        if row["seen_at"] < now - SEEN_EVERY:
            with self._store.writing() as connection:
                connection.execute("UPDATE sessions SET seen_at = ? WHERE digest = ?", (now, row["digest"]))
        return Session(
            digest=row["digest"],
            subject=row["subject"],
            name=row["name"],
            id_token=row["id_token"],
            form_token=row["form_token"],
        )

    def end(self, session: Session) -> None:
        """End one session: its cookie is worth nothing from now on."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE digest = ?", (session.digest,))

    def end_as_told(self, notice: LogoutNotice) -> bool:
        """Do what the provider's log-out notice says; False if this notice was already used (a replay)."""
        now = clock.now()
        with self._store.writing() as connection:
            connection.execute("DELETE FROM log_outs WHERE keep_until <= ?", (now,))
            new = connection.execute(
                "INSERT OR IGNORE INTO log_outs (jti, subject, sid, received_at, keep_until) VALUES (?, ?, ?, ?, ?)",
                (notice.jti, notice.subject, notice.sid, now, max(now, notice.expires_at) + LOG_OUT_MEMORY),
            )
            if new.rowcount == 0:
                return False
            # With a sid only that session ends, without one all of the person's (Back-Channel Logout 1.0, 2.7).
            connection.execute(
                "DELETE FROM sessions WHERE (:sid IS NOT NULL AND sid = :sid AND subject = coalesce(:subject, subject))"
                " OR (:sid IS NULL AND subject = :subject)",
                {"sid": notice.sid, "subject": notice.subject},
            )
        return True
