"""The spoken task: digits that are heard and typed, for whoever can't see squares or would rather listen."""

import json
import re
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from random import Random
from threading import BoundedSemaphore

DIGITS = 6
"""How many digits are said: one guess in a million is right."""
MEDIA_TYPE = "audio/wav"
_SECONDS = 5.0
"""How long a recording may take. It takes a quarter of a second; this is for a machine that is out of breath."""
_AT_ONCE = 2
"""How many recordings a process makes at once: each is a process of its own."""
_WAIT = 2.0
"""How many seconds a request waits for its turn."""
_LONGEST = 40
_VOICES = {"en": "en-us", "es": "es-419", "pt": "pt-br", "zh": "cmn"}
"""What eSpeak NG calls a language where that is not its code."""
_CODE = re.compile(r"[a-z]{2,3}")
_turns = BoundedSemaphore(_AT_ONCE)


class NotSpoken(Exception):
    """Nothing could be recorded just now: too many ask, or the voice does not answer. The other tasks are there."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording, the digits that are said in it, and in which language."""

    audio: bytes = field(repr=False)
    answer: str = field(repr=False)
    language: str
    """A code for `lang`, such as "es": English where there is no voice for the one that was asked for."""


def task(random: Random, language: str) -> Spoken:
    """Record digits in a language, given as `lang` writes it.

    The source of chance has to be SystemRandom, but for tests. May be called by several threads.
    NotSpoken where it takes too long.
    """
    answer = "".join(random.choices("0123456789", k=DIGITS))
    asked = {"digits": answer, "languages": _voices(language), "seed": random.getrandbits(64)}
    spoken, _, audio = _recorded(json.dumps(asked)).partition(b"\n")
    return Spoken(audio, answer, _code(spoken.decode()))


def is_right(answer: str, typed: str) -> bool:
    """Tell whether what was typed are the digits that were said, in any script, whatever stands between them."""
    if len(typed) > _LONGEST:
        return False
    kept = [letter for letter in typed if letter.isalnum()]
    return answer == "".join(str(unicodedata.decimal(letter, letter)) for letter in kept)


def _voices(language: str) -> list[str]:
    """Return what eSpeak NG may call a language. A name of letters alone: a longer one could lead to any file."""
    short = language.replace("_", "-").split("-")[0].lower()
    return [_VOICES.get(short, short), short] if _CODE.fullmatch(short) else []


def _code(voice: str) -> str:
    known = {name: code for code, name in _VOICES.items()}
    return known.get(voice, voice)


def _recorded(asked: str) -> bytes:
    if not _turns.acquire(timeout=_WAIT):
        raise NotSpoken("too many recordings at once")
    try:
        command = [sys.executable, "-P", "-m", "idp.captcha.voice"]
        done = subprocess.run(command, input=asked.encode(), capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotSpoken(type(error).__name__) from error
    finally:
        _turns.release()
    return done.stdout
