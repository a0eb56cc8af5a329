"""The questions and answers of the help page: Markdown files, one a language, in the words of the district."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from idp.settings import PACKAGE, District, Settings, SettingsError
from idp.web.redirects import is_local

OTHER_FAQS = "other-faqs"
"""The id of the list that the page ends with, which answers may link to."""

_NAMES = ("district", "portal", "support_team", "support_email", "support_phone", "support_hours")
_ADDRESSES = ("general_faq", "other_faqs", "website")
_DASHBOARDS = "dashboards"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_ID = re.compile(r"\s*\{#([a-z][a-z0-9-]*)\}\s*$")
_ELSEWHERE = re.compile(r"(https?://[^/]|mailto:[^/]|tel:\+?[0-9])", re.IGNORECASE)
_LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and its answer as HTML."""

    id: str
    words: str
    answer: Markup


@dataclass(frozen=True, slots=True)
class HelpText:
    """What the page says, in one language."""

    language: str
    """The one that it is written in: the district's first, where there is no file for the one asked for."""
    introduction: Markup
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    words: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    introduction: tuple[Token, ...]
    entries: tuple[_Entry, ...]
    links: frozenset[str]
    problems: tuple[str, ...]


class _Reader(MarkdownIt):
    """CommonMark without HTML and pictures, and with links to where Help may lead."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False})
        self.disable("image")
        self.refused: list[str] = []

    def validateLink(self, url: str) -> bool:  # noqa: N802  the base class's name
        """Say whether a link may stand: to the web, to a mailbox or phone, to a page of ours, to another answer."""
        allowed = _is_placeholder(url) or url.startswith("#") or is_local(url) or bool(_ELSEWHERE.match(url))
        if not allowed:
            self.refused.append(url[:60])
        return allowed

    def normalizeLink(self, url: str) -> str:  # noqa: N802  the base class's name
        """Escape what an address can't hold, and leave a placeholder for an address as it is."""
        return url if _is_placeholder(url) else super().normalizeLink(url)


def check(app: Flask, settings: Settings) -> None:
    """Raise SettingsError with all that is wrong in the files, before anybody reads them."""
    paths = _paths(settings.district)
    problems = [f"{path}: {problem}" for path in paths.values() for problem in _read(path).problems]
    adapter = app.url_map.bind("localhost")
    for path in paths.values():
        pages = {link for link in _read(path).links if link.startswith("/")}
        dead = sorted(page for page in pages if not adapter.test(page.partition("?")[0].partition("#")[0], "GET"))
        problems += [f"{path}: {page} is no page of this site." for page in dead]
    if problems:
        raise SettingsError(problems)


def find(district: District, language: str, dashboards: tuple[tuple[str, str], ...]) -> HelpText:
    """Return the text in a language, or in the district's first; dashboards are the schools' names and addresses.

    A paragraph or an item of a list is left out when it names or links to what the district has not set.
    """
    paths = _paths(district)
    known = language if language in paths else next(iter(paths))
    return _written(paths[known], known, _values(district), dashboards)


def folder_of(district: District) -> Path:
    """Return where the files are: a checkout keeps them in config/, an installed package carries its own."""
    if district.help_folder:
        return Path(district.help_folder)
    beside = PACKAGE.parent / "config" / "help"
    return beside if beside.is_dir() else PACKAGE / "config" / "help"


@lru_cache(maxsize=64)
def _paths(district: District) -> dict[str, Path]:
    """Return the file of each language that has one; of a region, that of its language. There is one at least."""
    folder = folder_of(district)
    named = {code: [folder / f"{name}.md" for name in (code, re.split("[-_]", code)[0])] for code in district.languages}
    found = {code: path for code, paths in named.items() for path in reversed(paths) if path.is_file()}
    return found or {"en": folder / "en.md"}


def _values(district: District) -> tuple[tuple[str, str], ...]:
    return (
        ("district", district.name),
        ("portal", district.portal_name),
        ("support_team", district.support_team),
        ("support_email", district.support_email),
        ("support_phone", district.support_phone),
        ("support_hours", district.support_hours),
        ("general_faq", district.general_faq),
        ("website", district.website),
        ("other_faqs", f"#{OTHER_FAQS}" if district.general_faq or district.other_faqs else ""),
    )


@lru_cache(maxsize=32)
def _read(path: Path) -> _Source:
    """Read a file, once in a process, and note what is wrong with it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _Source((), (), frozenset(), (f"it can't be read: {error.__class__.__name__}.",))
    if len(text) > _LARGEST:
        return _Source((), (), frozenset(), (f"it has more than {_LARGEST} characters.",))
    reader = _Reader()
    tokens = reader.parse(text)
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    ends = [*starts[1:], len(tokens)][: len(starts)]
    introduction = tuple(tokens[: starts[0] if starts else len(tokens)])
    entries = tuple(
        _entry(number, tokens[start:end]) for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    )
    links = frozenset(str(token.attrs["href"]) for token in _inline(tokens) if token.type == "link_open")
    return _Source(introduction, entries, links, tuple(_problems(reader, tokens, entries, links)))


def _entry(number: int, tokens: Sequence[Token]) -> _Entry:
    written = "".join(token.content for token in tokens[1].children or ())
    named = _ID.search(written)
    return _Entry(named[1] if named else f"question-{number}", _ID.sub("", written), tuple(tokens[3:]))


def _problems(
    reader: _Reader, tokens: Sequence[Token], entries: Sequence[_Entry], links: Iterable[str]
) -> Iterator[str]:
    if not entries:
        yield "it holds no question: each is a line that begins with ##."
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type == "heading_open" and token.tag == "h1":
            yield f"line {line}: the page has its title already; begin questions with ##."
        for name in _PLACEHOLDER.findall(token.content) if token.type == "inline" else ():
            if name not in {*_NAMES, *_ADDRESSES, _DASHBOARDS}:
                known = ", ".join(sorted([*_NAMES, *_ADDRESSES, _DASHBOARDS]))
                yield f"line {line}: {{{name}}} stands for nothing; there are {known}."
    for url in dict.fromkeys(reader.refused):
        yield f"{url!r} is no address that Help may link to: https://…, mailto:…, tel:…, /page or #answer."
    ids = [entry.id for entry in entries]
    yield from (f"two answers have the name {name}." for name in sorted({one for one in ids if ids.count(one) > 1}))
    yield from (f"{entry.words!r} has no answer." for entry in entries if not entry.tokens)
    anchors = {f"#{name}" for name in [*ids, OTHER_FAQS]}
    yield from (f"no answer has the name {link}." for link in sorted(links) if link[:1] == "#" and link not in anchors)
    yield from (
        f"{link} is no address; there are {', '.join(_ADDRESSES)}."
        for link in sorted(links)
        if _is_placeholder(link) and link[1:-1] not in _ADDRESSES
    )


@lru_cache(maxsize=32)
def _written(
    path: Path, language: str, values: tuple[tuple[str, str], ...], dashboards: tuple[tuple[str, str], ...]
) -> HelpText:
    source, known = _read(path), dict(values)
    return HelpText(
        language,
        _html(source.introduction, known, dashboards),
        tuple(
            Question(entry.id, _filled(entry.words, known), _html(entry.tokens, known, dashboards))
            for entry in source.entries
        ),
    )


def _html(tokens: Iterable[Token], known: dict[str, str], dashboards: tuple[tuple[str, str], ...]) -> Markup:
    reader = _Reader()
    kept = [
        token.copy(children=list(_children(token, known, dashboards))) if token.type == "inline" else token
        for token in _without_unset(tokens, known | {_DASHBOARDS: "yes" if dashboards else ""})
    ]
    return Markup(reader.renderer.render(kept, reader.options, {}))  # noqa: S704  Markdown-It has escaped every text


def _without_unset(tokens: Iterable[Token], known: dict[str, str]) -> list[Token]:
    """Leave out each paragraph or item of a list that speaks of what is not set, and a list that has lost its items."""
    kept: list[Token] = []
    around: list[tuple[int, Token]] = []
    gone: set[int] = set()
    for token in tokens:
        if token.nesting == 1:
            around.append((len(kept), token))
        if token.type == "inline" and not all(known.get(name) for name in _used(token)):
            items = [start for start, opened in around if opened.type == "list_item_open"]
            gone.add(items[-1] if items else around[-1][0])
        kept.append(token)
        if token.nesting == -1:
            start, opened = around.pop()
            is_empty = opened.type in {"bullet_list_open", "ordered_list_open"} and len(kept) == start + 2
            if start in gone or is_empty:
                gone.discard(start)
                del kept[start:]
    return kept


def _used(token: Token) -> set[str]:
    return set(_PLACEHOLDER.findall(token.content))


def _children(token: Token, known: dict[str, str], dashboards: tuple[tuple[str, str], ...]) -> Iterator[Token]:
    for child in token.children or ():
        if child.type == "link_open" and _is_placeholder(str(child.attrs["href"])):
            yield child.copy(attrs={"href": known[str(child.attrs["href"])[1:-1]]})
        elif child.type == "text" and f"{{{_DASHBOARDS}}}" in child.content:
            before, _, after = child.content.partition(f"{{{_DASHBOARDS}}}")
            yield child.copy(content=_filled(before, known))
            yield from _links(dashboards)
            yield child.copy(content=_filled(after, known))
        else:
            yield child.copy(content=_filled(child.content, known))


def _links(dashboards: tuple[tuple[str, str], ...]) -> Iterator[Token]:
    for place, (name, address) in enumerate(dashboards):
        if place:
            yield Token("text", "", 0, content=" | ")
        yield Token("link_open", "a", 1, attrs={"href": address})
        yield Token("text", "", 0, content=name)
        yield Token("link_close", "a", -1)


def _filled(text: str, known: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)


def _inline(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _is_placeholder(url: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(url))
