"""Every word that people see is in the catalogues, and every catalogue is whole."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment

from idp.settings import PACKAGE
from tests.rules.sources import CHECKOUT, name, text_files

_FOLDERS = (PACKAGE / "translations", CHECKOUT / "clients" / "translations")
_CATALOGUES = sorted(path for folder in _FOLDERS for path in folder.glob("*/LC_MESSAGES/messages.po"))
_TEMPLATES = [path for path in text_files() if path.suffix in {".html", ".txt"} and "templates" in path.parts]
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)[ds]")
_READ_ALOUD = {"alt", "title", "aria-label", "aria-description", "placeholder", "label"}
_UNREAD = {"script", "style", "pre"}
"""What holds no sentences: code, and settings to be copied as they are."""
_ATTRIBUTE = re.compile(r"[a-z\u00b7-]+=\"[^\"]*\"")
"""An attribute that a block or a macro writes by itself, outside of any tag."""
_CLASSES = re.compile(r"{% block \w+_class %}[a-z -]*(?=\W)")
"""Blocks that fill in an attribute and are read by no one."""
_STANDS_FOR_ITSELF = re.compile(r"[\W\d_]*")
"""What is the same in every language: marks and numbers."""


@pytest.mark.parametrize("path", _CATALOGUES, ids=name)
def test_a_catalogue_has_no_hole(path: Path) -> None:
    template = _read(path.parents[2] / "messages.pot")
    catalogue = _read(path)

    missing = [message.id for message in _messages(template) if not _is_whole(catalogue.get(message.id))]
    left_over = [message.id for message in _messages(catalogue) if template.get(message.id) is None]

    assert (missing, left_over) == ([], [])


@pytest.mark.parametrize("path", _CATALOGUES, ids=name)
def test_a_translation_fills_in_what_the_original_does(path: Path) -> None:
    wrong = []
    for message in _messages(_read(path)):
        originals, written = _texts(message.id), _texts(message.string)
        wanted = set(_PLACEHOLDER.findall(originals[-1]))
        if any(set(_PLACEHOLDER.findall(text)) != wanted for text in written):
            wrong.append(message.id)

    assert wrong == []


def test_there_is_a_catalogue_for_each_language_of_the_demo() -> None:
    assert [path.parents[1].name for path in _CATALOGUES] == ["es", "es"]


def test_the_applications_catalogue_is_what_extraction_of_their_sources_gives(tmp_path: Path) -> None:
    extracted = tmp_path / "messages.pot"
    program = Path(sys.executable).parent / "pybabel"
    options = ["--quiet", "extract", "--no-location", "--omit-header", "--sort-output", "--mapping-file=babel.cfg"]

    subprocess.run([program, *options, f"--output-file={extracted}", "."], cwd=CHECKOUT / "clients", check=True)

    kept = CHECKOUT / "clients" / "translations" / "messages.pot"
    assert extracted.read_text("utf-8") == kept.read_text("utf-8"), "Type: make words"


@pytest.mark.parametrize("path", _TEMPLATES, ids=name)
def test_a_template_has_no_word_that_nobody_can_translate(path: Path) -> None:
    assert list(_bare_words(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "template",
    [
        "<p>Hello</p>",
        "{{ _('Hello') }} <b>you</b>",
        '<a href="/" title="Home"></a>',
        '<button aria-label="Close {{ name }}"></button>',
        "{% if name %}Hello{% endif %}",
    ],
)
def test_the_search_finds_bare_words(template: str) -> None:
    assert list(_bare_words(template))


def test_the_search_passes_what_is_translated_or_is_no_word() -> None:
    template = "<!doctype html><p class=\"lead\">{{ _('Hello') }} – 1 · {{ name }}{# a note #}</p><script>go()</script>"

    assert list(_bare_words(template)) == []


class _Words(HTMLParser):
    """Gathers what a reader would see or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self.found += [value for key, value in attrs if key in _READ_ALOUD and value]

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.found.append(data)


def _bare_words(template: str) -> Iterator[str]:
    reader = _Words()
    # Whatever Jinja fills in becomes one sign that is no word; what is between its tags is data.
    pieces, inside = [], False
    for _line, kind, value in Environment(autoescape=True).lex(_CLASSES.sub("", template)):
        if kind == "data":
            pieces.append(value)
        elif kind.endswith("_begin") and not inside:
            inside = True
            pieces.append("\u00b7" if kind == "variable_begin" else "")
        elif kind.endswith("_end"):
            inside = False
    reader.feed("".join(pieces))
    reader.close()
    for words in reader.found:
        if not _STANDS_FOR_ITSELF.fullmatch(_ATTRIBUTE.sub("", words)):
            yield " ".join(words.split())


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="es" if path.suffix == ".po" else None)


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _texts(given: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _is_whole(message: Message | None) -> bool:
    return message is not None and not message.fuzzy and all(_texts(message.string))
