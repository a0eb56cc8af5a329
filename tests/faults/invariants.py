"""What holds in the database at every moment, whoever was killed in the middle of what: no half of anything."""

from flask import Flask
from sqlalchemy import text

from idp.database import db

NOTHING_HALF = {
    "a code that was spent for nothing, in a session that lives": """
        SELECT count(*) FROM access_tokens t
        JOIN browser_sessions s ON s.id = t.session_id AND s.ended_at IS NULL
        WHERE t.revoked_at = t.issued_at""",
    "a token whose application is missing": """
        SELECT count(*) FROM access_tokens t LEFT JOIN clients a ON a.id = t.client_pk WHERE a.id IS NULL""",
    "a token whose grant is missing, or somebody else's": """
        SELECT count(*) FROM access_tokens t LEFT JOIN grants g ON g.id = t.grant_id
            AND g.account_id = t.account_id AND g.client_pk = t.client_pk
        WHERE g.id IS NULL""",
    "a token whose session is missing, or somebody else's": """
        SELECT count(*) FROM access_tokens t
        LEFT JOIN browser_sessions s ON s.id = t.session_id AND s.account_id = t.account_id
        WHERE s.id IS NULL""",
    "a token in whose session its application takes no part": """
        SELECT count(*) FROM access_tokens t
        LEFT JOIN session_participants p ON p.session_id = t.session_id AND p.client_pk = t.client_pk
        WHERE p.sid IS NULL""",
    "a session without the record of its log-in, or the other way round": """
        SELECT count(*) FROM accounts a
        WHERE (SELECT count(*) FROM browser_sessions s WHERE s.account_id = a.id) <>
              (SELECT count(*) FROM audit_events e
               WHERE e.account_id = a.id AND e.event = 'log_in' AND e.outcome = 'success')""",
    "a token without the record of what was granted, or the other way round": """
        SELECT count(*) FROM accounts a
        WHERE (SELECT count(*) FROM access_tokens t
               WHERE t.account_id = a.id AND (t.revoked_at IS NULL OR t.revoked_at <> t.issued_at)) <>
              (SELECT count(*) FROM audit_events e WHERE e.account_id = a.id AND e.event = 'authorization_granted')""",
    "a session that was ended without the record of it, or the other way round": """
        SELECT count(*) FROM accounts a
        WHERE (SELECT count(*) FROM browser_sessions s WHERE s.account_id = a.id AND s.ended_by = 'log_out') <>
              (SELECT count(*) FROM audit_events e WHERE e.account_id = a.id AND e.event = 'log_out')""",
    "a session that was ended without a notice to each application that took part": """
        SELECT count(*) FROM session_participants p
        JOIN browser_sessions s ON s.id = p.session_id AND s.ended_at IS NOT NULL
        JOIN clients c ON c.id = p.client_pk AND c.backchannel_logout_uri IS NOT NULL
        LEFT JOIN logout_notices n ON n.sid = p.sid AND n.client_pk = p.client_pk
        WHERE n.id IS NULL""",
    "a notice of a session that lives": """
        SELECT count(*) FROM logout_notices n JOIN session_participants p ON p.sid = n.sid
        JOIN browser_sessions s ON s.id = p.session_id WHERE s.ended_at IS NULL""",
    "two notices of one session to one application": """
        SELECT count(*) FROM (SELECT sid FROM logout_notices GROUP BY sid, client_pk HAVING count(*) > 1) twice""",
    "an event with half a place in the chain": """
        SELECT count(*) FROM audit_events WHERE (position IS NULL) <> (position_mac IS NULL)""",
}
"""Each has to count nothing."""


def broken(app: Flask) -> dict[str, int]:
    """Return how often each of these is not so, for those that are not, and what the database says of itself."""
    with app.app_context(), db.engine.connect() as connection:
        counted = {what: connection.execute(text(query)).scalar_one() for what, query in NOTHING_HALF.items()}
        if db.engine.dialect.name == "sqlite":
            counted["damaged pages"] = int(connection.execute(text("PRAGMA integrity_check")).scalar_one() != "ok")
            counted["rows without what they refer to"] = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    return {what: count for what, count in counted.items() if count}
