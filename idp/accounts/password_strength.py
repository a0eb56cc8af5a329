"""How hard a password is to guess, in bits: what a guesser has to know besides common words and the ways of keyboards.

static/strength.js is the same function for the meter under the field; a test holds both to the same numbers, so all
of them are whole, and no table of either language is used but Unicode's. A password is cut into pieces so that they
cost least together: words that are tried first, what stood there before, runs and rows of keys, dates; and single
characters for the rest. Capitals and accents count for nothing. (After D. L. Wheeler, "zxcvbn: Low-Budget Password
Strength Estimation", USENIX Security 2016, with a sum of bits in place of its factorials.)
"""

import enum
import re
import unicodedata
from collections.abc import Iterator, Mapping

_LONGEST = 256
"""Characters that are looked at: cutting takes time by the square of their number."""
_TYPED = 1025
"""Characters that are taken apart: composing and decomposing take time by the square of their number, too."""
_LETTER, _DIGIT, _SIGN, _OTHER = 4, 3, 4, 5
_SIGN_AGAIN, _OWN, _AGAIN, _RUN, _WALK, _TURN, _YEAR, _DATE = 1, 1, 3, 4, 4, 2, 6, 14
_SHORTEST_PIECE = 3
_LONGEST_WORD = 24
_LOOKALIKES = (str.maketrans("@4301!$57", "aaeoiisst"), str.maketrans("@4301!$57", "aaeollsst"))
"""Two ways to read what is written with signs and numbers: 1 stands for i or for l."""
_ROWS = ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
_KEYS = {key: (row, column) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
_NEIGHBOURS = {(0, 1), (0, -1), (1, 0), (1, -1), (-1, 0), (-1, 1)}
"""Steps (rows down, keys to the right) to a key that touches: each row lies half a key to the right of the last."""
_YEARS = re.compile(r"(?:19|20)[0-9]{2}")
_DATES = re.compile(
    r"[0-9]{1,2}([/. -]?)[0-9]{1,2}\1(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}([/. -]?)[0-9]{1,2}\2[0-9]{1,2}"
    r"|[0-9]{1,2}([/. -])[0-9]{1,2}\3[0-9]{2}"
)


class Strength(enum.IntEnum):
    """What the meter says."""

    WEAK = 0
    MEDIUM = 1
    STRONG = 2


_FEWEST_DIFFERENT = 5
_LONGEST_PERIOD = 8
_MEDIUM_BITS = 30
"""A billion guesses. Who guesses at our door has five, and a wait; who stole the hashes and the pepper needs weeks."""
_STRONG_BITS = 50


def rate(password: str, common: Mapping[str, int], own: frozenset[str]) -> Strength:
    """Return how strong a password is for somebody whose own words (folded and squeezed) are these."""
    folded = fold(password)
    found = estimate(folded, common, own)
    if found < _MEDIUM_BITS or repeats(folded) or is_built_on(folded, common, own):
        return Strength.WEAK
    return Strength.MEDIUM if found < _STRONG_BITS else Strength.STRONG


def repeats(folded: str) -> bool:
    """Tell whether a text has few different characters, or is one short piece said again and again."""
    period = (folded + folded).find(folded, 1)
    return len(set(folded)) < _FEWEST_DIFFERENT or period < min(len(folded), _LONGEST_PERIOD)


def holds(folded: str, own: frozenset[str]) -> bool:
    """Tell whether a text holds one of these words, spaced out or written with lookalikes as it may be."""
    spellings = [squeeze(folded), *(squeeze(folded.translate(table)) for table in _LOOKALIKES)]
    return any(word in spelling for word in own for spelling in spellings)


def is_built_on(folded: str, common: Mapping[str, int], own: frozenset[str]) -> bool:
    """Tell whether a text holds one of these words, and is not strong without it.

    The whole is judged, not that a word is somewhere in it (NIST SP 800-63B-4 section 3.1.1.2).
    """
    return holds(folded, own) and estimate(squeeze(folded), common, own) < _STRONG_BITS


def fold(text: str) -> str:
    """Return a text without capitals, accents and ways of writing: "Élève" is "eleve"."""
    apart = unicodedata.normalize("NFKD", text[:_TYPED])
    return "".join(character.lower() for character in apart if unicodedata.category(character)[0] != "M")[:_LONGEST]


def squeeze(folded: str) -> str:
    """Return the letters and digits of a folded text alone: "maine-east 2025" holds "maineeast"."""
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LN")


def spelled(folded: str) -> int:
    """Return the bits of a text's characters one by one."""
    return sum(_cost(folded, position) for position in range(len(folded)))


def estimate(folded: str, common: Mapping[str, int], own: frozenset[str]) -> int:
    """Return the fewest bits by which a folded text can be told."""
    costs = [0] + [_OTHER * (len(folded) + 1)] * len(folded)
    earlier = _earlier(folded)
    for start in range(len(folded)):
        costs[start + 1] = min(costs[start + 1], costs[start] + _cost(folded, start))
        for end, needed in _pieces(folded, start, start + earlier[start], common, own):
            costs[end] = min(costs[end], costs[start] + needed)
    return costs[-1]


def _cost(folded: str, position: int) -> int:
    """Return the bits of one character: a sign that was used before is used again."""
    character = folded[position]
    if "a" <= character <= "z":
        return _LETTER
    if "0" <= character <= "9":
        return _DIGIT
    if character > "~":
        return _OTHER
    return _SIGN_AGAIN if character in folded[:position] else _SIGN


def _pieces(
    folded: str, start: int, copied_to: int, common: Mapping[str, int], own: frozenset[str]
) -> Iterator[tuple[int, int]]:
    """Yield where each piece that starts here may end, and its bits."""
    for end in range(start + _SHORTEST_PIECE, copied_to + 1):
        yield end, _AGAIN
    yield from _words(folded, start, common, own)
    yield from _runs(folded, start)
    yield from _walks(folded, start)
    for pattern, needed in ((_YEARS, _YEAR), (_DATES, _DATE)):
        if found := pattern.match(folded, start):
            yield found.end(), needed


def _words(folded: str, start: int, common: Mapping[str, int], own: frozenset[str]) -> Iterator[tuple[int, int]]:
    for end in range(start + 2, min(len(folded), start + _LONGEST_WORD) + 1):
        written = folded[start:end]
        meant = [written.translate(table) for table in _LOOKALIKES]
        for word, more in ((written, 0), (written[::-1], 1), *((reading, 1) for reading in meant)):
            if word in common:
                yield end, common[word] + more
        if not own.isdisjoint([written, *meant]):
            yield end, _OWN
    for word in own:
        if len(word) > _LONGEST_WORD and folded.startswith(word, start):
            yield start + len(word), _OWN


def _runs(folded: str, start: int) -> Iterator[tuple[int, int]]:
    """Follow the alphabet or the numbers up or down: abcd, 9876."""
    for step in (1, -1):
        end = start + 1
        while end < len(folded) and ord(folded[end]) - ord(folded[end - 1]) == step:
            end += 1
            if end - start >= _SHORTEST_PIECE:
                yield end, _RUN


def _walks(folded: str, start: int) -> Iterator[tuple[int, int]]:
    """Follow keys that touch each other: qwerty, zaq12wsx; each turn has to be known."""
    end, turns, before = start + 1, 0, None
    while end < len(folded) and folded[end - 1] in _KEYS and folded[end] in _KEYS:
        (row, column), (next_row, next_column) = _KEYS[folded[end - 1]], _KEYS[folded[end]]
        step = (next_row - row, next_column - column)
        if step not in _NEIGHBOURS:
            return
        turns += before is not None and step != before
        before = step
        end += 1
        if end - start >= _SHORTEST_PIECE:
            yield end, _WALK + _TURN * turns


def _earlier(folded: str) -> list[int]:
    """Return for each position how many characters from there on stood somewhere before, one after the other."""
    size = len(folded)
    longest = [0] * size
    after = [0] * (size + 1)
    for first in range(size - 1, -1, -1):
        here = [0] * (size + 1)
        for second in range(size - 1, first, -1):
            if folded[first] == folded[second]:
                here[second] = after[second + 1] + 1
                longest[second] = max(longest[second], here[second])
        after = here
    return longest
