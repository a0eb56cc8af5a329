"""The language of a page: the account's, else the one picked in this browser, else what application or browser ask for.

A picker on every page is a list of plain links to the page itself with `language` in its address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

from babel import Locale
from flask import current_app, g, request
from flask.sansio.app import App
from flask_babel import get_locale, refresh
from werkzeug import Response
from werkzeug.datastructures import LanguageAccept

from idp import settings
from idp.web import cookies

PARAMETER = "language"
_COOKIE = "language"
_PENDING = "+"
"""Stands before a language that was picked here by somebody who was not logged in, until an account takes it over."""
_A_YEAR = 365 * 24 * 3600
_MOST_TAGS = 10
_LONGEST_HINT = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """One language of the picker."""

    code: str
    """As the settings and `lang` write it."""
    name: str
    """What its own speakers call it."""
    address: str
    """The page in this language."""
    is_current: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """In which language somebody has come to log in."""

    code: str
    is_picked: bool
    """Whether they picked it here, which counts for more than what their account says."""


def ask_account(app: App, find: Callable[[], str | None]) -> None:
    """Let a feature above say which language the account behind a request has chosen."""
    app.extensions["idp_account_language"] = find


def forget_account() -> None:
    """Ask for no account's language in this request any more: the database is what has failed."""
    g.account_language = None


def suggest(hint: str) -> None:
    """Take an application's wish for its pages: tags in the order of its preference (ui_locales, Core 3.1.2.1).

    A wish that is too long, or for languages that nobody offers here, is no error.
    """
    tags = hint.split(" ")[:_MOST_TAGS] if len(hint) <= _LONGEST_HINT else []
    g.suggested_language = _best(tags)
    refresh()


def choose() -> Locale:
    """Return the language to write in; outside of a request it is the district's first."""
    return locale_of(_chosen() if request else _offered()[0])


def current() -> str:
    """Return the language of the page at hand, as the settings write it."""
    locale = get_locale()
    return next((code for code in _offered() if locale_of(code) == locale), _offered()[0])


def spoken() -> Spoken:
    """Return the language in which somebody fills in the form at hand."""
    picked, pending = _picked()
    return Spoken(current(), is_picked=pending and picked is not None)


def choices() -> list[Choice]:
    """Return the languages to pick from, nothing where there is but one."""
    offered = _offered()
    now = current()
    return [Choice(code, own_name(code), _address(code), code == now) for code in offered] if len(offered) > 1 else []


def asked() -> str | None:
    """Return the language that the picker's link asks for."""
    code = request.args.get(PARAMETER)
    return code if request.method == "GET" and code in _offered() else None


def address_without() -> str:
    """Return the address at hand without the picker's parameter."""
    return _local(_kept_query())


def keep(response: Response, code: str, *, pending: bool) -> None:
    """Let the browser remember a language; pending says that the next account to log in here takes it over."""
    cookies.write(response, _COOKIE, f"{_PENDING if pending else ''}{code}", max_age=_A_YEAR)


def remember(response: Response, code: str, *, shared_computer: bool) -> None:
    """Let the log-in page greet who is logged in now in their language, but not on a computer that others use."""
    sent = request.cookies.get(cookies.name(_COOKIE))
    if len(_offered()) == 1 or code not in _offered():
        return
    if shared_computer and sent is not None:
        cookies.clear(response, _COOKIE)
    elif not shared_computer and sent != code:
        keep(response, code, pending=False)


def is_from_own_page() -> bool:
    """Tell whether a page of ours sent the browser here: no other may change what an account says."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    return (request.referrer or "").startswith(f"{settings.current().server.issuer}/")


@lru_cache(maxsize=64)
def locale_of(code: str) -> Locale:
    """Return the locale of a language as settings write it. Raises ValueError for what is none that Babel knows."""
    try:
        return Locale.parse(code.replace("-", "_"))
    except Exception as error:  # Babel's own errors are of several kinds, TypeError among them
        raise ValueError(code) from error


def _chosen() -> str:
    offered = _offered()
    wishes = (_of_account(), _picked()[0], g.get("suggested_language"))
    wished = next((code for code in wishes if code in offered), None)
    accepted = [tag for tag, quality in request.accept_languages if quality > 0]
    return wished or _best(accepted[:_MOST_TAGS]) or offered[0]


def _best(tags: list[str]) -> str | None:
    """Return the first wish that can be met, by the language alone where nobody offers the region: es for es-MX."""
    matches = (LanguageAccept([(tag, 1)]).best_match(_offered()) for tag in tags if tag)
    return next(filter(None, matches), None)


def _of_account() -> str | None:
    """Return the account's language; a request whose database has failed once asks it nothing more."""
    if "account_language" not in g:
        g.account_language = None  # what is asked below may fail, and its error page is written in a language, too
        find = current_app.extensions.get("idp_account_language")
        g.account_language = find() if find else None
    found: str | None = g.account_language
    return found


def _picked() -> tuple[str | None, bool]:
    sent = request.cookies.get(cookies.name(_COOKIE), "")
    code = sent.removeprefix(_PENDING)
    return (code if code in _offered() else None), sent.startswith(_PENDING)


def _offered() -> tuple[str, ...]:
    return settings.current().district.languages


@lru_cache(maxsize=64)
def own_name(code: str) -> str:
    """Return what a language is called by those who speak it. Raises ValueError for what is no language's code."""
    locale = locale_of(code)
    name = locale.get_display_name(locale) or code
    return name[0].upper() + name[1:]


def _address(code: str) -> str:
    """Return this page in another language; what only a form leads to has no address, so it is the start's."""
    if request.method != "GET" and not _can_be_opened():
        return f"/?{urlencode({PARAMETER: code})}"
    return _local("&".join(filter(None, [_kept_query(), urlencode({PARAMETER: code})])))


def _can_be_opened() -> bool:
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(request.path, method="GET")


def _local(query: str) -> str:
    # A path that begins with two slashes would be another host's: it is no page of ours, and may lose one.
    path = "/" + urlsplit(request.url).path.lstrip("/")
    return f"{path}?{query}" if query else path


def _kept_query() -> str:
    """Return the query byte for byte, but for the picker's parameter: what is sealed in it must not change.

    Nothing sealed has an apostrophe, which browsers write as %27 here; a Location that somebody else made has none.
    """
    pieces = request.query_string.decode("ascii", "replace").replace("'", "%27").split("&")
    return "&".join(piece for piece in pieces if piece and piece.partition("=")[0] != PARAMETER)
