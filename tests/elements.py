"""Reads a page into what a person meets on it: words, links, forms, fields by their labels, buttons by their text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_UNSEEN = {"head", "script", "style", "template", "svg", "noscript"}
_BLOCKS = {"address", "article", "aside", "br", "button", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1"}
_BLOCKS |= {"h2", "h3", "h4", "header", "label", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section"}
_BLOCKS |= {"summary", "table", "td", "th", "tr", "ul"}


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    def get(self, name: str) -> str | None:
        """Return an attribute; one without a value is an empty text."""
        return self.attributes.get(name)

    def all(self, *tags: str) -> Iterator["Element"]:
        """Go through the elements of these kinds below this one (all of them, when none is named)."""
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def above(self, tag: str) -> "Element | None":
        """Return the nearest element of this kind around this one."""
        element = self.parent
        while element is not None and element.tag != tag:
            element = element.parent
        return element

    @property
    def words(self) -> str:
        """What can be read, on one line; a bar stands where one block ends and another begins."""
        pieces = " ".join("".join(self._pieces()).split()).split("|")
        return " | ".join(piece.strip() for piece in pieces if piece.strip())

    @property
    def raw(self) -> str:
        """Every text within, as it is written."""
        return "".join(child if isinstance(child, str) else child.raw for child in self.children)

    def _pieces(self) -> Iterator[str]:
        if self.tag in _UNSEEN or "hidden" in self.attributes:
            return
        bar = "|" if self.tag in _BLOCKS else ""
        yield bar
        if self.tag == "img":
            yield self.attributes.get("alt", "")
        for child in self.children:
            if isinstance(child, str):
                yield child.replace("|", "¦")
            else:
                yield from child._pieces()  # noqa: SLF001  its own kind
        yield bar


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.open = Element("document")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, parent=self.open)
        self.open.children.append(made)
        if tag not in _VOID:
            self.open = made

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML knows no <div/>: only SVG's elements end so, and void elements anyway.
        self.handle_starttag(tag, attrs)
        if self.open.tag == tag and tag not in _VOID:
            self.open = self.open.parent or self.root

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self.open
        while element is not None and element.tag != tag:
            element = element.parent
        if element is not None:
            self.open = element.parent or self.root

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)


def read(text: str) -> Element:
    """Return a page's root element."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.root
