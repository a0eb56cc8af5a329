"""The steps between a right password and a session, in their order: no session exists before the last one is done."""

from idp.accounts.passwords import Match

NEW_PASSWORD = "new_password"  # noqa: S105  the name of a step

_PAGES = {NEW_PASSWORD: "login.setup_password"}
"""Each step and the endpoint of its page; the order of the entries is the order of the steps."""


def needed(match: Match) -> list[str]:
    """Return the steps that have to follow a password that was right."""
    asked = {NEW_PASSWORD} if match is Match.TEMPORARY else set()
    return [step for step in _PAGES if step in asked]


def page_of(step: str) -> str:
    """Return the endpoint of a step's page."""
    return _PAGES[step]
