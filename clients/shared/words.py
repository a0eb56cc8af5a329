"""The languages of the pages: the translators' catalogues, read as they write them, and the reader's choice of one."""

import io
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import request
from flask_babel import Domain, get_locale
from werkzeug import Response
from werkzeug.datastructures import LanguageAccept

TRANSLATIONS = Path(__file__).parent.parent / "translations"
SOURCE = "en"


class Catalogues(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """Flask-Babel's words, without a compiled copy that could be older than what the translators wrote."""

    def get_translations(self) -> NullTranslations:
        """The words of the page's language; those of the sources where nobody has translated them."""
        locale = get_locale()
        return _read(str(locale)) if str(locale) in offered() else NullTranslations()


@cache
def offered() -> tuple[str, ...]:
    """The languages that somebody has translated the pages into, the sources' own first."""
    return (SOURCE, *sorted(path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")))


def choose(cookie: str) -> str:
    """What the account behind the log-in reads, as the cookie says, else the browser's first that is offered."""
    tags = [request.cookies.get(cookie, ""), *(tag for tag, quality in request.accept_languages if quality > 0)]
    matches = (LanguageAccept([(tag, 1)]).best_match(offered()) for tag in tags[:10] if tag)
    return next(filter(None, matches), SOURCE)


def remember(response: Response, cookie: str, locale: str, *, secure: bool) -> None:
    """Keep the account's language until the browser closes, if it is one that is offered."""
    matched = LanguageAccept([(locale, 1)]).best_match(offered()) if locale else None
    if matched:
        response.set_cookie(cookie, matched, httponly=True, samesite="Lax", secure=secure)


@cache
def _read(language: str) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        words = read_po(file, locale=Locale.parse(language))
    compiled = io.BytesIO()
    write_mo(compiled, words)
    compiled.seek(0)
    return Translations(compiled)
