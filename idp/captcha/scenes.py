"""One square of a picture task: a drawing on a ground, turned, partly covered, striped, and bent as if under water.

Each disturbance is there for what it does to programs that compare edges, and for how little it does to eyes:
tests/captcha/matcher.py is such a program, and says how far it gets.
"""

import cmath
import io
import math
from collections.abc import Callable
from functools import lru_cache
from random import Random

from PIL import Image
from resvg import render, usvg

from idp.captcha import drawings
from idp.captcha.objects import SIDE

_AWAY = 12.0
"""How far from the middle a drawing stands at most: parts of some are cut off."""
SIZE = (1.2, 1.4)
"""How large a drawing is: at 1 it is 72 of a square's 128 units wide and high."""
_TALLER = (0.8, 1.25)
"""Between which height and width of a drawing are stretched against each other."""
_TURN, _LEAN = 40.0, 12.0
"""How far a drawing is turned and leans, in degrees to either side."""
_DASHED = 0.1
"""How many drawings have lines with gaps."""
_STRIPES, _PERIOD = (0.08, 0.14), (10.0, 18.0)
"""How strong stripes are, and how many pixels light and dark take together."""
_WAVES, _HIGH, _OFTEN = 3, (7.0, 10.5), (0.5, 1.3)
"""How many waves run through a square, how many pixels each moves it, and how often each goes up and down in it."""
_SWIRL = (42.0, 70.0)
"""By how many degrees the middle is turned against the rim. Eyes follow a bend; a program has to try each."""
_CELLS = 12
"""How many straight pieces bends are made of."""
_NOISE = (0.03, 0.06)
_QUALITY = 35
MARGIN = 48
"""How many pixels are drawn around a square, for a bend to bring in: as far as all waves go together, and a swirl."""
_WIDE = SIDE + 2 * MARGIN
_PIXELS = SIDE / 128
"""Drawings are placed in units of which a square has 128, the margin not counted."""
_UNITS = _WIDE / _PIXELS


def draw(name: str, random: Random) -> bytes:
    """Return a picture (WebP, some 2 kB) of a drawing: about 10 ms. No two pictures are alike."""
    under = _ground(random) + _strokes(random, 3, 7)
    over = _patch(random, *_near(random), 6, 16) + _strokes(random, 0, 3)
    picture = bent(_striped(_rendered(under + _placed(name, random) + over), random), random)
    picture = Image.blend(picture, _noise(random), random.uniform(*_NOISE))
    saved = io.BytesIO()
    picture.save(saved, "WEBP", quality=_QUALITY, method=4)
    return saved.getvalue()


def _rendered(scene: str) -> Image.Image:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_UNITS}" height="{_UNITS}">{scene}</svg>'
    tree = usvg.Tree.from_str(svg, usvg.Options.default())
    with Image.open(io.BytesIO(render(tree, (_PIXELS, 0, 0, 0, _PIXELS, 0), bg_size=(_WIDE, _WIDE)))) as opened:
        return opened.convert("RGB")


def _ground(random: Random) -> str:
    """Return patches of colour to stand on."""
    ground = f'<rect width="{_UNITS}" height="{_UNITS}" fill="{_pale(random)}"/>'
    for _number in range(random.randint(8, 12)):
        ground += _patch(random, random.uniform(0, _UNITS), random.uniform(0, _UNITS), 12, 45)
    return ground


def _patch(random: Random, x: float, y: float, smallest: float, largest: float) -> str:
    wide, high = random.uniform(smallest, largest), random.uniform(smallest, largest)
    turned = f"rotate({random.uniform(0, 180):.0f} {x:.0f} {y:.0f})"
    return (
        f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{wide:.0f}" ry="{high:.0f}" transform="{turned}" '
        f'fill="{_pale(random)}"/>'
    )


def _pale(random: Random) -> str:
    return drawings.any_colour(random, 0.55, 0.95)


def _near(random: Random) -> tuple[float, float]:
    """Return where a patch covers a drawing's rim and no more."""
    way = cmath.rect(random.uniform(38, 50), random.uniform(0, 2 * math.pi))
    return _UNITS / 2 + way.real, _UNITS / 2 + way.imag


def _strokes(random: Random, fewest: int, most: int) -> str:
    """Return lines as strong as those of the drawings, so that a line is no sign of anything."""
    strokes = []
    for _number in range(random.randint(fewest, most)):
        x, y = random.uniform(0, _UNITS), random.uniform(0, _UNITS)
        bends = " ".join(f"{random.uniform(-50, 50):.0f}" for _ in range(12))
        wide, colour = random.uniform(1.2, 2.2), drawings.any_colour(random, 0.05, 0.7)
        strokes.append(f'<path d="M{x:.0f} {y:.0f}c{bends}" fill="none" stroke-width="{wide:.1f}" stroke="{colour}"/>')
    return "".join(strokes)


def _placed(name: str, random: Random) -> str:
    """Return a drawing that stands near the middle."""
    x, y = (_UNITS / 2 + random.uniform(-_AWAY, _AWAY) for _ in range(2))
    stance = f'transform="translate({x:.1f} {y:.1f}) {_stance(random)}"{_dashes(random)}'
    return f"<g {stance}>{drawings.recoloured(name, random)}</g>"


def _stance(random: Random) -> str:
    """Return how a drawing is turned, leant, mirrored and stretched about its middle."""
    size, taller = random.uniform(*SIZE), math.sqrt(random.uniform(*_TALLER))
    wide, high = random.choice((-1, 1)) * size / taller, size * taller
    middle = -drawings.SIDE / 2
    return (
        f"rotate({random.uniform(-_TURN, _TURN):.1f}) skewX({random.uniform(-_LEAN, _LEAN):.1f}) "
        f"scale({wide:.3f} {high:.3f}) translate({middle} {middle})"
    )


def _dashes(random: Random) -> str:
    if random.random() > _DASHED:
        return ""
    return f' stroke-dasharray="{random.uniform(4, 9):.1f} {random.uniform(1, 3):.1f}"'


def _striped(picture: Image.Image, random: Random) -> Image.Image:
    """Lay bars of light and of shade over everything: eyes look through them, and edges are everywhere."""
    turn = random.uniform(0, 180)
    for colour, strength, across in (("#fff", 1.0, 0.0), ("#000", 0.75, random.uniform(60, 120))):
        level = round(255 * strength * random.uniform(*_STRIPES))
        row = bytearray()
        while len(row) < 2 * _WIDE:
            gap, bar = (round(random.uniform(*_PERIOD) / 2) for _ in range(2))
            row += bytes(gap) + bytes([level]) * bar
        bars = Image.frombytes("L", (2 * _WIDE, 1), bytes(row[: 2 * _WIDE]))
        way = cmath.rect(1, math.radians(turn + across))
        start = _WIDE - (way.real + way.imag) * _WIDE / 2  # the row's middle lies in the picture's
        seen = (way.real, way.imag, start, 0, 0, 0.5)
        picture.paste(
            colour, mask=bars.transform(picture.size, Image.Transform.AFFINE, seen, Image.Resampling.BILINEAR)
        )
    return picture


def bent(picture: Image.Image, random: Random) -> Image.Image:
    """Return a square out of a picture with its margin, bent as if it were seen through water."""
    move, step = _water(random), SIDE // _CELLS
    knots = {
        (column, row): move(column * step, row * step) for column in range(_CELLS + 1) for row in range(_CELLS + 1)
    }
    cells = []
    for column in range(_CELLS):
        for row in range(_CELLS):
            corners = ((column, row), (column, row + 1), (column + 1, row + 1), (column + 1, row))
            seen = [value for corner in corners for value in knots[corner]]
            cells.append(((column * step, row * step, (column + 1) * step, (row + 1) * step), seen))
    return picture.transform((SIDE, SIDE), Image.Transform.MESH, cells, Image.Resampling.BILINEAR)


def _water(random: Random) -> Callable[[float, float], tuple[float, float]]:
    """Return where in a picture with its margin each point of a square is taken from: a swirl, and waves over it."""
    waves = [_wave(random) for _number in range(_WAVES)]
    turn = math.radians(random.uniform(*_SWIRL)) * random.choice((-1, 1))
    middle = complex(SIDE / 2 + random.uniform(-20, 20), SIDE / 2 + random.uniform(-20, 20))

    def move(x: float, y: float) -> tuple[float, float]:
        away = complex(x, y) - middle
        seen = middle + away * cmath.rect(1, turn * math.exp(-8 * (abs(away) / SIDE) ** 2))
        seen += sum(wave(x, y) for wave in waves)
        return MARGIN + seen.real, MARGIN + seen.imag

    return move


def _wave(random: Random) -> Callable[[float, float], complex]:
    """Return by how much one wave moves each point: it runs one way, and moves things another."""
    runs = cmath.rect(random.uniform(*_OFTEN) * 2 * math.pi / SIDE, random.uniform(0, 2 * math.pi))
    moves, start = cmath.rect(random.uniform(*_HIGH), random.uniform(0, 2 * math.pi)), random.uniform(0, 2 * math.pi)
    return lambda x, y: moves * math.sin(runs.real * x + runs.imag * y + start)


def _noise(random: Random) -> Image.Image:
    noise = _much_noise()
    left, top = (random.randrange(noise.width - SIDE) for _ in range(2))
    return noise.crop((left, top, left + SIDE, top + SIDE)).transpose(random.choice(list(Image.Transpose)))


@lru_cache(maxsize=1)
def _much_noise() -> Image.Image:
    """Return noise to cut pieces from: 1 MB that a process makes once. Nothing rests on its being secret."""
    return Image.merge("RGB", [Image.effect_noise((4 * SIDE, 4 * SIDE), 70) for _ in range(3)])
