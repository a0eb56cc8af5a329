"""The box "I'm not a robot" as a page shows it: what components/robot.html draws, and what its form sends back."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from flask import g, request, url_for

from idp import clock
from idp.captcha import providers, service, words
from idp.captcha.models import LOG_IN, REAUTHENTICATION
from idp.captcha.providers import Widget
from idp.throttle.ladder import Level
from idp.web import cookies, files, headers
from idp.web.redirects import is_local, next_path

ANSWER, BOX = "robot_answer", "robot"
"""Names of the form's fields."""
PAGES = {LOG_IN: "login.log_in", REAUTHENTICATION: "login.reauthenticate"}
"""Where one comes back to after questions without JavaScript, if nothing else is said."""
_LOG_IN_PAGE = {"login.log_in", "login.check_log_in"}


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose drawings the squares are made of, as their licence asks."""

    words: str
    address: str
    license: str


@dataclass(frozen=True, slots=True)
class Box:
    """The box on one page."""

    purpose: str
    is_log_in: bool
    """Whether the page's button says Log In."""
    level: int
    """How far the check has to go here."""
    answer: str = field(repr=False)
    """An answer that is good already; empty while the box is not checked."""
    seconds: int
    """How long that answer is good for."""
    plain: str
    """The page that asks the questions of whoever has no JavaScript."""
    code: str
    """The page that mails a code in place of the questions."""
    credit: Credit
    widget: Widget | None
    """The box of a service that a setting names; this one then shows where that does not come."""
    script: str
    worker: str
    """The addresses of its script, and of the one that works."""


def here() -> Box | None:
    """Return the box for the page that answers this request; None where no check is asked for (`g.robot_level`).

    It is checked already if its answer has come with the form, or was given without JavaScript: whoever comes from
    there is shown it, although nobody knows on a page that is opened anew who is going to log in.
    """
    level: Level = g.get("robot_level", Level.NONE)
    purpose, now = LOG_IN if request.endpoint in _LOG_IN_PAGE else REAUTHENTICATION, clock.now()
    good, until = _good_answer(purpose, level, now) or ("", now)
    if not level and not good:
        return None
    headers.allow_sources({"worker-src": ("'self'",), "media-src": ("data:",)})
    widget = providers.widget(now) if not good else None
    if widget is not None:
        headers.allow_sources(providers.script_origins())
    return Box(
        purpose=purpose,
        is_log_in=(request.endpoint or "").startswith("login."),
        level=int(level),
        answer=good,
        seconds=int((until - now).total_seconds()),
        plain=_page("robot_plain.start", purpose),
        code=_page("robot_code.form", purpose),
        credit=credit(),
        widget=widget,
        script=files.asset("robot.js"),
        worker=files.asset("robot-worker.js"),
    )


def answer() -> str:
    """Return the answer that came with the form at hand; empty when there is none, or the box was not checked.

    A service's box has a field of its own; what it says is told apart by how it begins.
    """
    ours = request.form.get(ANSWER, "") if BOX in request.form else ""
    return ours or providers.answer_in(request.form)


def carried(purpose: str) -> dict[str, str]:
    """Return what leads on from the page of a purpose, as this request has it: it is looked at once more there."""
    sealed, path = request.values.get("continue", ""), next_path("")
    if purpose == LOG_IN and sealed and sealed.isascii():
        return {"continue": sealed}
    return {"next": path} if path else {}


def page_of_code(purpose: str) -> str:
    """Return the address of the page that mails a code, and leads back to the page of a purpose."""
    return f"{url_for('robot_code.form')}?{urlencode({'purpose': purpose, **carried(purpose)}, safe='/')}"


def credit() -> Credit:
    """Return what stands by the squares."""
    return Credit(words.credit(), words.CREDIT_ADDRESS, words.LICENSE_ADDRESS)


def _good_answer(purpose: str, level: Level, now: datetime) -> tuple[str, datetime] | None:
    for given in (answer(), cookies.read(cookies.ROBOT) or ""):
        good = service.checked(given, browser=cookies.browser_token(), purpose=purpose, now=now, level=level)
        if good is not None:
            return given, good.until
    return None


def _page(endpoint: str, purpose: str) -> str:
    """Return the address of a page that stands in for the box, and leads back to this one."""
    leads_on = carried(purpose)
    if purpose == REAUTHENTICATION:
        address = request.path + (f"?{urlencode(leads_on, safe='/')}" if leads_on else "")
        leads_on = {"next": address} if is_local(address) else {}
    return f"{url_for(endpoint)}?{urlencode({'purpose': purpose, **leads_on}, safe='/')}"
