"""One square of a picture task: drawings on a ground, turned, half covered, bent and disturbed."""

import io
import math
from random import Random

import resvg_py
from PIL import Image

from idp.captcha import drawings

SIDE = 112
"""How many pixels a square is wide and high."""
_CELLS = 5
_BEND = 4.0
_QUALITY = 55


def draw(names: tuple[str, ...], random: Random) -> bytes:
    """Return a picture (WebP) of these drawings, given from behind to front. No two are alike."""
    scene = "".join((_ground(random), *_placed(names, random), _strokes(random)))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">{scene}</svg>'
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE, skip_system_fonts=True)
    with Image.open(io.BytesIO(drawn)) as opened:
        picture = _bent(opened.convert("RGB"), random)
    picture = Image.blend(picture, _noise(random), random.uniform(0.12, 0.22))
    saved = io.BytesIO()
    picture.save(saved, "WEBP", quality=_QUALITY, method=0)
    return saved.getvalue()


def _placed(names: tuple[str, ...], random: Random) -> list[str]:
    """Stand the drawings around the middle, so that neighbours cover each other's edges."""
    start = random.uniform(0, 2 * math.pi)
    placed = []
    for number, name in enumerate(random.sample(range(len(names)), len(names))):
        angle = start + 2 * math.pi * name / len(names) + random.uniform(-0.2, 0.2)
        away = random.uniform(22, 28)
        x, y = SIDE / 2 + away * math.cos(angle), SIDE / 2 + away * math.sin(angle)
        size = random.uniform(0.78, 0.92)
        flip = random.choice((-1, 1))
        placed.append(
            f'<g transform="translate({x:.1f} {y:.1f}) rotate({random.uniform(-40, 40):.1f}) '
            f"skewX({random.uniform(-15, 15):.1f}) "
            f"scale({flip * size * random.uniform(0.85, 1.15):.3f} {size:.3f}) "
            f'translate(-{drawings.SIDE / 2} -{drawings.SIDE / 2})">{drawings.recoloured(names[number], random)}</g>'
        )
    return placed


def _ground(random: Random) -> str:
    shapes = [f'<rect width="{SIDE}" height="{SIDE}" fill="{drawings.any_colour(random, 0.95, 0.5)}"/>']
    for _number in range(random.randint(4, 7)):
        x, y = random.uniform(0, SIDE), random.uniform(0, SIDE)
        wide, high = random.uniform(12, 45), random.uniform(12, 45)
        turned = f"rotate({random.uniform(0, 180):.0f} {x:.0f} {y:.0f})"
        shapes.append(
            f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{wide:.0f}" ry="{high:.0f}" transform="{turned}" '
            f'fill="{drawings.any_colour(random, 0.95, 0.45)}"/>'
        )
    return "".join(shapes) + _strokes(random)


def _strokes(random: Random) -> str:
    """Draw lines like those of the drawings, so that their edges are no sign of anything."""
    lines = (
        f'<path d="M {_curve(random)}" fill="none" stroke-width="{random.uniform(1.2, 2.2):.1f}" '
        f'stroke="{drawings.any_colour(random, 0.7, 0.05)}"/>'
        for _number in range(random.randint(2, 4))
    )
    return "".join(lines)


def _curve(random: Random) -> str:
    x, y = random.uniform(0, SIDE), random.uniform(0, SIDE)
    bends = " ".join(f"{random.uniform(-40, 40):.0f}" for _ in range(6))
    return f"{x:.0f} {y:.0f} c {bends}"


def _bent(picture: Image.Image, random: Random) -> Image.Image:
    """Move a net of points by chance and the picture with it; as a whole, too, as if seen from aside."""
    step = SIDE / _CELLS
    nodes = [
        [
            (
                column * step + random.uniform(-_BEND, _BEND),
                row * step + random.uniform(-_BEND, _BEND),
            )
            for column in range(_CELLS + 1)
        ]
        for row in range(_CELLS + 1)
    ]
    mesh = []
    for row in range(_CELLS):
        for column in range(_CELLS):
            box = (round(column * step), round(row * step), round((column + 1) * step), round((row + 1) * step))
            corners = (
                nodes[row][column],
                nodes[row + 1][column],
                nodes[row + 1][column + 1],
                nodes[row][column + 1],
            )
            mesh.append((box, tuple(value for corner in corners for value in corner)))
    return picture.transform((SIDE, SIDE), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _noise(random: Random) -> Image.Image:
    strength = random.uniform(50, 90)
    return Image.merge("RGB", [Image.effect_noise((SIDE, SIDE), strength) for _ in range(3)])
