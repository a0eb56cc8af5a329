"""The spoken task: digits in the page's language, before others who mumble; typed as one likes; never for long."""

import io
import sys
import wave
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom

import pytest

from idp.captcha import speech, voice
from tests.captcha.chance import seeded


def _samples(audio: bytes) -> "tuple[int, bytes]":
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 1)
        return file.getframerate(), file.readframes(file.getnframes())


@pytest.mark.parametrize("language", ["en", "es", "pl", "ar"])
def test_six_digits_are_said_in_the_pages_language(language: str) -> None:
    spoken = speech.task(SystemRandom(), language)

    rate, samples = _samples(spoken.audio)
    assert spoken.language == language
    assert len(spoken.answer) == 6
    assert spoken.answer.isdigit()
    assert 3 < len(samples) / rate < 15
    assert len(spoken.audio) < 200_000


@pytest.mark.parametrize("language", ["xx", "", "../../etc/passwd", "en\0us", "tlh-x-" + "a" * 300])
def test_where_there_is_no_voice_it_is_english(language: str) -> None:
    assert speech.task(seeded(1), language).language == "en"


def test_two_languages_say_the_same_digits_differently_and_no_recording_is_like_another() -> None:
    english, spanish = (speech.task(seeded(1), language) for language in ("en", "es"))
    again = speech.task(seeded(2), "en")

    assert english.answer == spanish.answer
    assert len({english.audio, spanish.audio, again.audio}) == 3


def test_others_are_heard_between_the_digits_and_never_as_loud() -> None:
    _, samples = _samples(speech.task(seeded(5), "en").audio)
    loud = array("i", (abs(sample - 128) for sample in samples))
    before = max(loud[: voice.RATE // 4])

    assert 5 < before < 45
    assert max(loud) > 80


def test_an_answer_may_be_typed_in_any_way() -> None:
    for typed in ("482957", " 482 957 ", "4-8-2-9-5-7", "4, 8, 2, 9, 5, 7", "٤٨٢٩٥٧", "४८२९५७", "４８２９５７"):
        assert speech.is_right("482957", typed)


def test_another_answer_is_wrong() -> None:
    for typed in ("", "482958", "48295", "4829577", "482957x", "four", "²82957", "0" * 1_000_000):
        assert not speech.is_right("482957", typed)


def test_nothing_of_a_task_shows_in_its_words() -> None:
    assert repr(speech.task(seeded(1), "en")) == "Spoken(language='en')"


def test_many_at_once_are_each_spoken_or_refused_soon() -> None:
    def ask(_number: int) -> str:
        try:
            return speech.task(SystemRandom(), "en").answer
        except speech.NotSpoken:
            return "refused"

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(ask, range(6)))

    assert len({answer for answer in answers if answer != "refused"}) >= 2


def test_a_voice_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for body in ("exec sleep 60", "exit 3"):
        mute = tmp_path / "python"
        mute.write_text(f"#!/bin/sh\n{body}\n")
        mute.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(mute))
        monkeypatch.setattr(speech, "_SECONDS", 0.2)
        with pytest.raises(speech.NotSpoken):
            speech.task(seeded(1), "en")
