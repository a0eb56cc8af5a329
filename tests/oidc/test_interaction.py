"""The decision what stands between a request and its code, as a table of cases."""

import pytest

from idp.oidc.authorization_request import AuthorizationRequest
from idp.oidc.interaction import (
    CONSENTED,
    SELECTED,
    AskConsent,
    Decision,
    Issue,
    LogIn,
    Refuse,
    SelectAccount,
    Visitor,
    decide,
)

START = 1_000_000.0
ALL = frozenset({"openid", "profile", "email"})


def request(prompt: str = "", max_age: int | None = None) -> AuthorizationRequest:
    """Return a request for everything."""
    return AuthorizationRequest(
        client_id="c",
        redirect_uri="https://lunch.example/callback",
        scope="openid profile email",
        state=None,
        nonce=None,
        prompt=tuple(prompt.split()),
        max_age=max_age,
        code_challenge=None,
        login_hint="",
        id_token_hint=None,
    )


def visitor(logged_in: float, granted: frozenset[str] = ALL, *, is_hinted: bool = True) -> Visitor:
    """Return somebody who logged in so many seconds before the request (or after it, if negative)."""
    return Visitor(START - logged_in, granted, is_hinted)


NOBODY = None


@pytest.mark.parametrize(
    ("asked", "done", "who", "decision"),
    [
        (request(), (), NOBODY, LogIn(None)),
        (request(), (), visitor(60), Issue()),
        (request("none"), (), NOBODY, "login_required"),
        (request("none"), (), visitor(60), Issue()),
        (request("none"), (), visitor(60, frozenset()), "consent_required"),
        (request("none"), (), visitor(60, is_hinted=False), "login_required"),
        (request(), (), visitor(60, is_hinted=False), LogIn(START)),
        (request(), (), visitor(-1, is_hinted=False), "login_required"),
        (request("login"), (), visitor(60), LogIn(START)),
        (request("login"), (), visitor(0.001), LogIn(START)),
        (request("login"), (), visitor(-1), Issue()),
        (request(max_age=0), (), visitor(1), LogIn(START)),
        (request(max_age=100), (), visitor(99), Issue()),
        (request(max_age=100), (), visitor(101), LogIn(START - 100)),
        (request("none", max_age=100), (), visitor(101), "login_required"),
        (request(), (), visitor(60, frozenset({"openid"})), AskConsent()),
        (request("consent"), (), visitor(60), AskConsent()),
        (request("consent"), (CONSENTED,), visitor(60), Issue()),
        (request("consent"), (CONSENTED,), visitor(60, frozenset()), AskConsent()),
        (request("select_account"), (), visitor(60), SelectAccount()),
        (request("select_account"), (SELECTED,), visitor(60), Issue()),
        (request("select_account"), (), visitor(-1), Issue()),
        (request("consent select_account"), (SELECTED,), visitor(60), AskConsent()),
    ],
)
def test_the_next_step_follows_from_request_steps_and_visitor(
    asked: AuthorizationRequest, done: tuple[str, ...], who: Visitor | None, decision: Decision | str
) -> None:
    decided = decide(asked, START, done, who)

    assert (decided.error if isinstance(decided, Refuse) else decided) == decision
