"""Round trips to the provider that are under way: a row and a cookie each, so that tabs never disturb each other."""

import json
from typing import Any

from flask import Request
from werkzeug import Response

from clients.shared import clock
from clients.shared.store import Store, digest, random_token

LIFETIME = 3600
MOST_COOKIES = 12  # a browser's cookies must fit into a server's limit for headers


class Attempts:
    """What must be remembered from the redirect to the provider until the browser is back, keyed by `state`."""

    def __init__(self, store: Store, cookie_prefix: str, *, secure: bool) -> None:
        """`cookie_prefix` tells this application's cookies from others on the same host."""
        self._store = store
        self._prefix = cookie_prefix
        self._secure = secure

    def begin(self, purpose: str, state: str, data: dict[str, Any], request: Request, response: Response) -> None:
        """Remember `data` under `state` and bind it to this browser by a cookie on `response`."""
        secret = random_token()
        now = clock.now()
        with self._store.writing() as connection:
            connection.execute("DELETE FROM attempts WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT INTO attempts (digest, purpose, browser, data, expires_at) VALUES (?, ?, ?, ?, ?)",
                (digest(state), purpose, digest(secret), json.dumps(data), now + LIFETIME),
            )
        self._forget_oldest(request, response)
        response.set_cookie(
            self._cookie_name(state), secret, max_age=LIFETIME, httponly=True, samesite="Lax", secure=self._secure
        )

    def finish(self, purpose: str, state: str, request: Request) -> dict[str, Any] | None:
        """Spend the attempt: its data, once, to the browser that began it; None for everybody else."""
        secret = request.cookies.get(self._cookie_name(state), "")
        with self._store.writing() as connection:
            row = connection.execute(
                "DELETE FROM attempts WHERE digest = ? AND purpose = ? AND browser = ? AND expires_at > ?"
                " RETURNING data",
                (digest(state), purpose, digest(secret), clock.now()),
            ).fetchone()
        return None if row is None else dict(json.loads(row["data"]))

    def forget(self, state: str, response: Response) -> None:
        """Take back the cookie of a finished attempt."""
        self._drop(self._cookie_name(state), response)

    def _cookie_name(self, state: str) -> str:
        return self._prefix + digest(state)[:16]

    def _forget_oldest(self, request: Request, response: Response) -> None:
        # Browsers send older cookies first (RFC 6265, 5.4).
        names = [name for name in request.cookies if name.startswith(self._prefix)]
        for name in names[: max(0, len(names) - MOST_COOKIES + 1)]:
            self._drop(name, response)

    def _drop(self, name: str, response: Response) -> None:
        response.delete_cookie(name, httponly=True, samesite="Lax", secure=self._secure)
