"""The support desk: who may enter it, and what all of its pages know."""

from flask import render_template
from flask.typing import ResponseReturnValue

from idp.accounts.models import ADMIN, SUPPORT
from idp.admin import gate
from idp.sessions.store import ActiveSession
from idp.support import desk_words, words

PREFIX = "/desk"


def admit() -> ResponseReturnValue | None:
    """Let nobody but the team, on one of the district's networks, into anything under /desk."""
    return gate.admit_under(PREFIX, SUPPORT, ADMIN)


def before_page() -> None:
    """Stand before each of the desk's pages once more, should admit() ever misread an address."""
    member()


def member() -> ActiveSession:
    """Return the session of the member of the team whose request this is."""
    return gate.one_of(SUPPORT, ADMIN)


def page(template: str, **values: object) -> str:
    """Render one of the desk's pages."""
    return render_template(template, words=words, say=desk_words, **values)
