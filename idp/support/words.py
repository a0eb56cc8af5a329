"""What the parts of a request for support are called: on its form, in mail, and in the team's queue."""

from flask_babel import gettext as _
from flask_babel import ngettext

from idp import settings
from idp.support.models import CHANGE_USERNAME, CLOSED, FORGOT, NO_ACCOUNT, NO_VERIFICATION, OPEN, OTHER, WAITING
from idp.web import language as web_language

RELATIONSHIPS = ("parent", "guardian", "relative", "student", "other")
"""Who asks, as seen from the student."""
BEST_TIMES = ("any", "morning", "midday", "afternoon")
"""When the family would like to be called, in the team's hours."""
OTHER_LANGUAGE = "other"


def topic(name: str) -> str:
    """Return the words for a topic, one of models.TOPICS."""
    names: dict[str, str] = {
        NO_ACCOUNT: _("I have no account"),
        NO_VERIFICATION: _("Verification email not received"),
        CHANGE_USERNAME: _("Change my username"),
        FORGOT: _("I cannot log in"),
        OTHER: _("Other"),
    }
    return names.get(name, name)


def relationship(name: str) -> str:
    """Return the words for who asks, one of RELATIONSHIPS."""
    names: dict[str, str] = {
        "parent": _("Parent"),
        "guardian": _("Legal guardian"),
        "relative": _("Grandparent or other relative"),
        "student": _("I am the student"),
        "other": _("Another person"),
    }
    return names.get(name, name)


def state(name: str) -> str:
    """Return the word for where a request stands, one of models.STATES."""
    names: dict[str, str] = {OPEN: _("Open"), WAITING: _("Waiting for an answer"), CLOSED: _("Closed")}
    return names.get(name, name)


def best_time(name: str) -> str:
    """Return the words for when somebody would like to be called, one of BEST_TIMES."""
    names: dict[str, str] = {
        "any": _("Any time"),
        "morning": _("In the morning"),
        "midday": _("Around noon"),
        "afternoon": _("In the afternoon"),
    }
    return names.get(name, name)


def school(key: str) -> str:
    """Return the name of a school by its key in the settings; words for another one, and for one that is no more."""
    names = {one.key: one.name for one in settings.current().district.schools}
    return names.get(key) or str(_("Another school"))


def languages() -> tuple[str, ...]:
    """Return the languages that a family can be answered in: those of the portal, and another by an interpreter."""
    return (*settings.current().district.languages, OTHER_LANGUAGE)


def language(code: str) -> str:
    """Return what a language is called by those who speak it."""
    return str(_("Another language")) if code == OTHER_LANGUAGE else web_language.own_name(code)


def expected() -> str:
    """Say in a sentence when the team answers."""
    return str(
        ngettext(
            "We expect to contact you within %(num)s school day.",
            "We expect to contact you within %(num)s school days.",
            settings.current().support.answer_days,
        )
    )
