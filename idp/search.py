"""People found by how their name begins: a key without case and accents, compared byte by byte on both databases.

Byte by byte an index finds what begins with some letters, whatever language a database server sorts in.
"""

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, String, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

SEARCH_KEY = String(300).with_variant(String(300, collation="C"), "postgresql")
_LONGEST = 300
_LONGEST_TYPED = 200
"""Characters that are looked at: composing takes time by the square of the length."""
_MOST_WORDS = 6
_LAST = "\U0010ffff"
"""No name has it, and every name comes before it."""


def fold(text: str) -> str:
    """Return what is compared: González, GONZALEZ and gonzález are one name, and O'Brien needs no apostrophe."""
    apart = unicodedata.normalize("NFKD", text[:_LONGEST_TYPED].casefold())
    letters = "".join(one for one in apart if unicodedata.category(one) != "Mn" and one not in "'\u2019`")
    return " ".join("".join(one if one.isalnum() or one in "@._-+" else " " for one in letters).split())[:_LONGEST]


def name_key(name: str, family_name: str = "") -> str:
    """Return the key of a name: the family name first, since lists are in its order and people ask by it."""
    whole, family = fold(name), fold(family_name)
    if not family or not whole.endswith(family):
        words = whole.split()
        family = " ".join(words[-1:])
    return f"{family} {whole.removesuffix(family)}".strip()[:_LONGEST]


def begins(column: InstrumentedAttribute[Any], typed: str) -> ColumnElement[bool]:
    """Tell which keys begin with what was typed; nothing does with nothing."""
    return begins_with(column, fold(typed))


def begins_with(column: InstrumentedAttribute[Any], key: str) -> ColumnElement[bool]:
    """Tell likewise of a column whose keys are made in another way, by the beginning of such a key."""
    return and_(column >= key, column < key + _LAST) if key else column.is_(None)


def name_begins(column: InstrumentedAttribute[Any], typed: str) -> ColumnElement[bool]:
    """Tell which names begin with what was typed, the family name first or last."""
    return or_(*(begins(column, turn) for turn in name_turns(typed)))


def name_turns(typed: str) -> list[str]:
    """Return what was typed, begun at each of its words: each is one stretch of the index, in the order of names."""
    words = fold(typed).split()[:_MOST_WORDS]
    return [" ".join(words[turn:] + words[:turn]) for turn in range(max(1, len(words)))]
