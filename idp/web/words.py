"""The translators' catalogues, read as they write them: no compiled copy that could be older lies beside them."""

import io
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

from idp.settings import PACKAGE

FOLDER = PACKAGE / "translations"
SOURCE = Locale("en")
"""The language that the sources are written in, which needs no catalogue."""


class Catalogues(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """Flask-Babel's words, from the catalogue of the page's language."""

    def get_translations(self) -> NullTranslations:
        """Return the words of the language at hand; those of the sources where nobody has translated them."""
        locale = get_locale()
        return read(locale) if locale else NullTranslations()


@lru_cache(maxsize=32)
def read(locale: Locale) -> NullTranslations:
    """Return the words of a language, or of the language without its region; read once in a process."""
    path = catalogue(locale)
    if path is None:
        return NullTranslations()
    with path.open("rb") as file:
        words = read_po(file, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, words)  # which leaves out what is empty or fuzzy
    compiled.seek(0)
    return Translations(compiled)


def catalogue(locale: Locale) -> Path | None:
    """Return the file of a language's words; None when there is none."""
    paths = (FOLDER / name / "LC_MESSAGES" / "messages.po" for name in (str(locale), locale.language))
    return next((path for path in paths if path.exists()), None)


def is_translated(locale: Locale) -> bool:
    """Tell whether pages can speak a language at all."""
    return locale.language == SOURCE.language or catalogue(locale) is not None
