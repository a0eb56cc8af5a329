"""One square of a picture task: drawings on a ground, turned, half covered, striped, bent and broken.

Each disturbance is there for what it does to programs that compare edges, and for how little it does to eyes:
tests/captcha/matcher.py is such a program, and says how far it gets.
"""

import io
import math
from functools import lru_cache
from random import Random

from PIL import Image
from resvg import render, usvg

from idp.captcha import drawings
from idp.captcha.objects import SIDE

_AWAY = (29.0, 33.0)
"""How far from the middle a drawing stands, in pixels: neighbours cover each other's edges, and some are cut off."""
_SIZE = (0.92, 1.06)
_TALLER = (0.8, 1.25)
"""Between which height and width of a drawing are stretched against each other."""
_TURN, _LEAN = 40.0, 12.0
"""How far a drawing is turned and leans, in degrees to either side."""
_DASHED = 0.1
"""How many drawings have lines with gaps."""
_STRIPES, _PERIOD = (0.22, 0.33), (10.0, 18.0)
"""How strong stripes are, and how many pixels light and dark take together."""
_BEND, _BREAK = 6.0, 4.5
"""How many pixels the net's points are moved, and its cells against each other."""
_CELLS = 4
_NOISE = (0.05, 0.10)
_QUALITY = 50
_UNITS = 128
_LARGER = (SIDE / _UNITS, 0, 0, 0, SIDE / _UNITS, 0)


def draw(names: tuple[str, ...], random: Random) -> bytes:
    """Return a picture (WebP, some 4 kB) of these drawings, in any order: about 8 ms. No two pictures are alike."""
    scene = "".join((_ground(random), _strokes(random, 2, 5), *_placed(names, random), _strokes(random, 0, 2)))
    picture = _bent(_striped(_rendered(scene), random), random)
    picture = Image.blend(picture, _noise(random), random.uniform(*_NOISE))
    saved = io.BytesIO()
    picture.save(saved, "WEBP", quality=_QUALITY, method=2)
    return saved.getvalue()


def _rendered(scene: str) -> Image.Image:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_UNITS}" height="{_UNITS}">{scene}</svg>'
    tree = usvg.Tree.from_str(svg, usvg.Options.default())
    with Image.open(io.BytesIO(render(tree, _LARGER, bg_size=(SIDE, SIDE)))) as opened:
        return opened.convert("RGB")


def _ground(random: Random) -> str:
    """Return patches of colour to stand on."""
    patches = [f'<rect width="{_UNITS}" height="{_UNITS}" fill="{drawings.any_colour(random, 0.55, 0.95)}"/>']
    for _number in range(random.randint(4, 7)):
        x, y = random.uniform(0, _UNITS), random.uniform(0, _UNITS)
        wide, high = random.uniform(12, 45), random.uniform(12, 45)
        turned = f"rotate({random.uniform(0, 180):.0f} {x:.0f} {y:.0f})"
        patches.append(
            f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{wide:.0f}" ry="{high:.0f}" transform="{turned}" '
            f'fill="{drawings.any_colour(random, 0.55, 0.95)}"/>'
        )
    return "".join(patches)


def _strokes(random: Random, fewest: int, most: int) -> str:
    """Return lines as strong as those of the drawings, so that a line is no sign of anything."""
    strokes = []
    for _number in range(random.randint(fewest, most)):
        x, y = random.uniform(0, _UNITS), random.uniform(0, _UNITS)
        bends = " ".join(f"{random.uniform(-50, 50):.0f}" for _ in range(12))
        wide, colour = random.uniform(1.2, 2.2), drawings.any_colour(random, 0.05, 0.7)
        strokes.append(f'<path d="M{x:.0f} {y:.0f}c{bends}" fill="none" stroke-width="{wide:.1f}" stroke="{colour}"/>')
    return "".join(strokes)


def _placed(names: tuple[str, ...], random: Random) -> list[str]:
    """Stand the drawings around the middle, one over another by chance."""
    start = random.uniform(0, 2 * math.pi)
    placed = []
    for place in random.sample(range(len(names)), len(names)):
        angle = start + 2 * math.pi * place / len(names) + random.uniform(-0.2, 0.2)
        away = random.uniform(*_AWAY)
        x, y = _UNITS / 2 + away * math.cos(angle), _UNITS / 2 + away * math.sin(angle)
        placed.append(f'<g transform="translate({x:.1f} {y:.1f}) {_stance(random)}"{_dashes(random)}>')
        placed.append(drawings.recoloured(names[place], random) + "</g>")
    return placed


def _stance(random: Random) -> str:
    """Return how a drawing is turned, leant, mirrored and stretched about its middle."""
    size, taller = random.uniform(*_SIZE), math.sqrt(random.uniform(*_TALLER))
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
        while len(row) < 2 * SIDE:
            gap, bar = (round(random.uniform(*_PERIOD) / 2) for _ in range(2))
            row += bytes(gap) + bytes([level]) * bar
        bars = Image.frombytes("L", (2 * SIDE, 1), bytes(row[: 2 * SIDE])).resize((2 * SIDE, 2 * SIDE))
        bars = bars.rotate(turn + across, Image.Resampling.BILINEAR)
        picture.paste(colour, mask=bars.crop((SIDE // 2, SIDE // 2, SIDE // 2 + SIDE, SIDE // 2 + SIDE)))
    return picture


def _bent(picture: Image.Image, random: Random) -> Image.Image:
    """Lay a net over the picture, move its knots and its cells by chance, and the picture with them."""
    step = SIDE // _CELLS
    knots = {
        (column, row): (column * step + random.uniform(-_BEND, _BEND), row * step + random.uniform(-_BEND, _BEND))
        for column in range(_CELLS + 1)
        for row in range(_CELLS + 1)
    }
    cells = []
    for column in range(_CELLS):
        for row in range(_CELLS):
            across, down = random.uniform(-_BREAK, _BREAK), random.uniform(-_BREAK, _BREAK)
            corners = ((column, row), (column, row + 1), (column + 1, row + 1), (column + 1, row))
            seen = [
                value
                for x, y in (knots[corner] for corner in corners)
                for value in (_inside(x + across), _inside(y + down))
            ]
            cells.append(((column * step, row * step, (column + 1) * step, (row + 1) * step), seen))
    return picture.transform((SIDE, SIDE), Image.Transform.MESH, cells, Image.Resampling.BILINEAR)


def _inside(value: float) -> float:
    return min(float(SIDE), max(0.0, value))


def _noise(random: Random) -> Image.Image:
    noise = _much_noise()
    left, top = (random.randrange(noise.width - SIDE) for _ in range(2))
    return noise.crop((left, top, left + SIDE, top + SIDE)).transpose(random.choice(list(Image.Transpose)))


@lru_cache(maxsize=1)
def _much_noise() -> Image.Image:
    """Return noise to cut pieces from: 1 MB that a process makes once. Nothing rests on its being secret."""
    return Image.merge("RGB", [Image.effect_noise((4 * SIDE, 4 * SIDE), 70) for _ in range(3)])
