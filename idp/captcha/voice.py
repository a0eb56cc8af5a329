"""Speaks in a process of its own: `python -m idp.captcha.voice` reads a task and writes a recording.

eSpeak NG has one state for a whole process, and can't be stopped in the middle; here it can be killed, and no worker
carries it. `speech` starts it.
"""

import array
import ctypes
import io
import json
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from random import Random

import espeakng_loader

RATE = 11025
"""Samples a second of what is written: one byte each, as WAV's 8 bits are (0 to 255, 128 is silence)."""
FALLBACK = "en-us"
"""What is spoken where eSpeak NG has no voice for a language."""
_VOICES = ("f1", "f2", "f4", "m1", "m2", "m3", "m4", "m7")
"""Variants of eSpeak NG's voices that are easy to understand."""
_MUMBLED = (12.0, 20.0)
"""How loud the others are, where the digits are 90."""
_HISS = 16
"""What noise is divided by."""
_SYNCHRONOUS, _NO_EXIT, _UTF8 = 2, 0x8000, 1
_SPEED, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
"""speak_lib.h's t_espeak_callback: samples, how many, events. To return 0 goes on."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to say, and how."""

    text: str
    voice: str
    speed: int
    """Words a minute."""
    pitch: int
    """From 0 to 100; 50 is usual."""


class Engine:
    """eSpeak NG by its C interface (speak_lib.h). One in a process, used by one thread."""

    def __init__(self) -> None:
        """Load the library and the voices that came with it; OSError where they can't be."""
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._samples = array.array("h")
        self._callback = _CALLBACK(self._take)
        beside = str(Path(espeakng_loader.get_data_path()).parent).encode()
        self._native_rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, beside, _NO_EXIT))
        if self._native_rate < RATE:
            raise OSError("eSpeak NG can't read its voices")
        self._library.espeak_SetSynthCallback(self._callback)

    def has(self, language: str) -> bool:
        """Tell whether there is a voice for a language."""
        return int(self._library.espeak_SetVoiceByName(language.encode())) == 0

    def say(self, utterance: Utterance) -> "array.array[int]":
        """Return 16-bit samples, RATE of them a second."""
        self._samples = array.array("h")
        self._library.espeak_SetVoiceByName(utterance.voice.encode())
        self._library.espeak_SetParameter(_SPEED, utterance.speed, 0)
        self._library.espeak_SetParameter(_PITCH, utterance.pitch, 0)
        text = utterance.text.encode() + b"\0"
        self._library.espeak_Synth(
            ctypes.c_char_p(text), ctypes.c_size_t(len(text)), 0, 0, 0, _UTF8, ctypes.c_void_p(), ctypes.c_void_p()
        )
        step = self._native_rate // RATE
        pairs = zip(self._samples[::step], self._samples[step - 1 :: step], strict=False)
        return array.array("h", ((first + last) // 2 for first, last in pairs))

    def _take(self, samples: int | None, number: int, _events: int | None) -> int:
        if samples and number > 0:
            self._samples.frombytes(ctypes.string_at(samples, 2 * number))
        return 0


def recording(engine: Engine, digits: str, language: str, random: Random) -> bytes:
    """Return a WAV file in which these digits are said, each by another voice, before others who mumble."""
    said = array.array("h", bytes(2 * (RATE // 2)))
    for digit in digits:
        said.extend(engine.say(_utterance(digit, language, random, speeds=(105, 140))))
        said.extend(array.array("h", bytes(2 * round(RATE * random.uniform(0.25, 0.6)))))
    behind = _mumbled(engine, language, len(said), random)
    loudest = max(1, *map(abs, said))
    hiss = random.randbytes(len(said))
    samples = bytes(
        max(0, min(255, 128 + round(90 * voice / loudest + other) + noise // _HISS - 128 // _HISS))
        for voice, other, noise in zip(said, behind, hiss, strict=True)
    )
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(samples)
    return written.getvalue()


def _mumbled(engine: Engine, language: str, length: int, random: Random) -> list[float]:
    """Return what others say behind: digits as well, but backwards, so that no ear takes them for the task's."""
    others: list[int] = []
    while len(others) < length:
        number = str(random.randrange(10**8, 10**9))
        others.extend(reversed(engine.say(_utterance(number, language, random, speeds=(150, 220)))))
    loudest = max(1, *map(abs, others))
    loud = random.uniform(*_MUMBLED)
    return [loud * other / loudest for other in others[:length]]


def _utterance(text: str, language: str, random: Random, speeds: tuple[int, int]) -> Utterance:
    voice = f"{language}+{random.choice(_VOICES)}"
    return Utterance(text, voice, random.randint(*speeds), random.randint(35, 65))


def main() -> None:
    """Read what to say from standard input, as JSON; write the language, a line end and a WAV file."""
    asked = json.load(sys.stdin)
    engine = Engine()
    language = next((each for each in asked["languages"] if engine.has(each)), FALLBACK)
    random = Random(asked["seed"])  # noqa: S311  voices and noise; what has to be guessed are the digits
    sys.stdout.buffer.write(language.encode() + b"\n" + recording(engine, asked["digits"], language, random))


if __name__ == "__main__":
    main()
