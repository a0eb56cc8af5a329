"""Words that are tried first when passwords are guessed, and how soon: from the ranked lists that zxcvbn brings.

The lists hold leaked passwords, English words, names of people and words of films, the most frequent first.
"""

import functools
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from idp.accounts import password_strength

_TAKEN = {
    "passwords": 30_000,
    "english_wikipedia": 8_192,
    "us_tv_and_film": 8_192,
    "female_names": 4_096,
    "male_names": 1_024,
    "surnames": 4_096,
}
"""How many of each list: leaked passwords whole; of the others what is common, since a browser loads it, too."""
_OURS = ("gradebook", "classof", "contrasena", "parentportal", "highschool", "schoolyear", "senha", "haslo", "teamo")
"""Words of school life, and "password" in the languages of our families, where the lists know them late or never."""
_OURS_BITS = 6


@functools.cache
def bits() -> Mapping[str, int]:
    """Return how many bits it takes to say which one each word is: 1 for the first, 15 for the 20,000th.

    A word that single characters say as shortly is left out. It takes a tenth of a second and some megabytes, once
    a process, when the first new password comes.
    """
    found = dict.fromkeys(_OURS, _OURS_BITS)
    for word, rank in _ranked():
        folded = password_strength.fold(word)
        needed = rank.bit_length()
        if needed < min(found.get(folded, 99), password_strength.spelled(folded)):
            found[folded] = needed
    return found


@functools.cache
def as_text() -> str:
    """Return the words for a browser: line by line those of 1 bit, of 2 bits and so on, kept apart by spaces."""
    lines: dict[int, list[str]] = defaultdict(list)
    for word, needed in bits().items():
        lines[needed].append(word)
    return "\n".join(" ".join(sorted(lines[needed])) for needed in range(1, max(lines) + 1))


@functools.cache
def version() -> str:
    """Return what tells this list from another one, for its address. It is known without making the list."""
    from importlib import metadata  # loaded late: a command's --help need not wait for it

    told = f"{metadata.version('zxcvbn')} {_TAKEN} {_OURS} {_OURS_BITS}"
    return hashlib.sha256(told.encode()).hexdigest()[:10]


@functools.cache
def compressed() -> bytes:
    """Return as_text() compressed by gzip."""
    return gzip.compress(as_text().encode(), mtime=0)


def _ranked() -> Iterator[tuple[str, int]]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # loaded late: most processes never judge a password

    lists: Mapping[str, Iterable[str]] = FREQUENCY_LISTS
    for name, number in _TAKEN.items():
        for rank, word in enumerate(lists[name], start=1):
            if rank > number:
                break
            yield word, rank
