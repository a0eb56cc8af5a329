"""The steps between a right password and a session, in their order: no session exists before the last one is done."""

from datetime import datetime

from idp import settings
from idp.accounts.models import Account
from idp.accounts.passwords import Match
from idp.sessions import service as sessions
from idp.sessions.models import OpenSteps

NEW_PASSWORD, SECURITY_EMAIL = "new_password", "security_email"

_PAGES = {NEW_PASSWORD: "login.setup_password", SECURITY_EMAIL: "security_email.setup"}
"""Each step and the endpoint of its page; the order of the entries is the order of the steps."""


def needed(match: Match, account: Account, *, has_security_email: bool) -> list[str]:
    """Return the steps that have to follow a password that was right."""
    asked = {NEW_PASSWORD} if match is Match.TEMPORARY else set()
    if not has_security_email and account.recovery_by is None:
        asked.add(SECURITY_EMAIL)
    return [step for step in _PAGES if step in asked]


def find_open(token: str | None, step: str, now: datetime) -> OpenSteps | None:
    """Return the steps that are open in this browser if this one is next: none is done before its turn."""
    opened = sessions.find_open_steps(token, now) if token else None
    return opened if opened is not None and opened.steps[:1] == [step] else None


def next_page(token: str | None, now: datetime) -> str:
    """Return the endpoint of the page that is next in this browser: the log-in page where nothing is open."""
    opened = sessions.find_open_steps(token, now) if token else None
    return page_of(opened.steps[0]) if opened is not None and opened.steps else "login.log_in"


def after(step: str, steps: list[str]) -> list[str]:
    """Return the steps that are left once one of them is done."""
    return steps[steps.index(step) + 1 :]


def may_put_off(account: Account) -> bool:
    """Tell whether entering a security email may wait until the next log-in (R11)."""
    return account.security_email_put_off < settings.current().recovery.setup_postponements


def page_of(step: str) -> str:
    """Return the endpoint of a step's page."""
    return _PAGES[step]
