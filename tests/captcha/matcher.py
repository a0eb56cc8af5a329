"""A program that takes the picture task on: it knows how squares are drawn, and holds every drawing they are made of.

It looks for the edges of each drawing at every place of a square, in many turns and both ways round, each bent in
ways by chance as squares are. Edges have no colour, so that recolouring does not hinder it; it smooths stripes and
noise away and blurs edges, so that what is bent otherwise still meets. How much a likeness is worth it has learnt from
squares whose answer it knew: it draws as many as it likes, with the same code.
"""

import io
import itertools
from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from resvg import render, usvg

from idp.captcha import drawings, pictures, scenes
from idp.captcha.objects import ALIKE, SHOWN_BY, Kind

Numbers = NDArray[np.float32]
_SMOOTH, _BLUR = 1.6, 1.8
"""How many pixels squares are smoothed by before their edges are looked for, and edges afterwards: the best of some."""
_COARSER = 3
"""Edges are compared at a third of a square's size: as good as at a half, and twice as quick."""
_MARGIN = 4
_TURNS = (-40, -27, -13, 0, 13, 27, 40)
_SIZE = sum(scenes.SIZE) / 2
_BENDS = 8
"""In how many ways by chance each drawing is bent in each turn, as squares are."""
_PLAIN = 144
_GREY = (200, 200, 200)
_chance = SystemRandom()


def edges(picture: NDArray[np.uint8]) -> Numbers:
    """Return how strong edges are at each place of a colour picture, apart for each of four directions."""
    smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTH).astype(np.float32)
    across, down = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    strength = np.sqrt(across**2 + down**2)
    best = strength.argmax(axis=2)[..., None]
    across, down, strength = (np.take_along_axis(each, best, axis=2)[..., 0] for each in (across, down, strength))
    angle = np.arctan2(down, across)
    apart = [np.sqrt(strength) * np.maximum(0, np.cos(2 * (angle - way))) ** 2 for way in np.arange(4) * np.pi / 4]
    blurred = cv2.GaussianBlur(np.dstack(apart).astype(np.float32), (0, 0), _BLUR)
    return np.asarray(cv2.resize(blurred, None, fx=1 / _COARSER, fy=1 / _COARSER, interpolation=cv2.INTER_AREA))


def opened(tile: bytes) -> Numbers:
    """Return the edges of a square as it is served, with some room around."""
    with Image.open(io.BytesIO(tile)) as picture:
        seen = edges(np.asarray(picture.convert("RGB")))
    return np.asarray(cv2.copyMakeBorder(seen, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE))


class Drawings:
    """The edges of some drawings in every turn and bend that is tried, ready to be looked for."""

    def __init__(self, names: Sequence[str]) -> None:
        """Draw each of them in all these ways."""
        self._number = len(names)
        seen = [(number, each) for number, name in enumerate(names) for each in _templates(name)]
        self._groups = []
        for shape in sorted({each.shape[:2] for _, each in seen}):
            alike = [(number, each) for number, each in seen if each.shape[:2] == shape]
            owners = np.array([number for number, _ in alike])
            self._groups.append((shape, owners, np.stack([_transformed(_normal(each)) for _, each in alike]).conj()))

    def found(self, square: Numbers) -> Numbers:
        """Return how well each drawing is found anywhere in a square: 1 is the same.

        This is OpenCV's TM_CCOEFF_NORMED, by Fourier transforms that are kept: several times as quick.
        """
        best = np.full(self._number, -1.0, dtype=np.float32)
        transformed = _transformed(square)
        for (high, wide), owners, templates in self._groups:
            products = np.fft.irfft2((templates * transformed).sum(axis=1), s=square.shape[:2])
            places = products[:, : square.shape[0] - high + 1, : square.shape[1] - wide + 1]
            likest = (places / _spread(square, high, wide)).max(axis=(1, 2))
            np.maximum.at(best, owners, likest.astype(np.float32))
        return best


def _transformed(picture: Numbers) -> NDArray[np.complex64]:
    side = pictures.SIDE // _COARSER + 2 * _MARGIN
    return np.fft.rfft2(picture.transpose(2, 0, 1), s=(side, side)).astype(np.complex64)


def _normal(template: Numbers) -> Numbers:
    """Return a template whose channels have no mean and which has the length 1."""
    level = template - template.mean(axis=(0, 1), keepdims=True)
    return np.asarray(level / np.linalg.norm(level))


def _spread(square: Numbers, high: int, wide: int) -> Numbers:
    """Return how far a square's values are from their mean, for a window of this size at each place."""
    inside: NDArray[np.float64] = np.zeros((square.shape[0] - high + 1, square.shape[1] - wide + 1))
    for channel in range(square.shape[2]):
        total, squares = cv2.integral2(np.ascontiguousarray(square[..., channel]), sdepth=cv2.CV_64F)
        inside = inside + _windows(np.asarray(squares), high, wide)
        inside = inside - _windows(np.asarray(total), high, wide) ** 2 / (high * wide)
    return np.sqrt(np.maximum(inside, 1e-3)).astype(np.float32)


def _windows(sums: NDArray[Any], high: int, wide: int) -> NDArray[np.float64]:
    return np.asarray(sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide])


def _templates(name: str) -> list[Numbers]:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="72" height="72">{drawings.read(name)}</svg>'
    tree = usvg.Tree.from_str(svg, usvg.Options.default())
    drawn = render(tree, (2, 0, 0, 0, 2, 0), bg_size=(_PLAIN, _PLAIN), bg_color=(*_GREY, 255))
    with Image.open(io.BytesIO(drawn)) as picture:
        plain = np.asarray(picture.convert("RGB"))
    ways = itertools.product((1, -1), _TURNS, range(_BENDS))
    return [_seen(plain, way, turn) for way, turn, _bend in ways]


def _seen(plain: NDArray[np.uint8], way: int, turn: float) -> Numbers:
    """Return a drawing's edges as they may be in a square: turned one way or the other, and bent by chance."""
    taller = np.sqrt(_chance.uniform(0.85, 1.18))
    stretched = np.diag([way * _SIZE / taller, _SIZE * taller]) * pictures.SIDE / 256
    radians = np.deg2rad(turn)
    turned = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]]) @ stretched
    room = pictures.SIDE + 2 * scenes.MARGIN
    moved = np.full(2, room / 2) - turned @ np.full(2, _PLAIN / 2)
    matrix = np.hstack([turned, moved[:, None]])
    alone = cv2.warpAffine(plain, matrix, (room, room), borderValue=_GREY, flags=cv2.INTER_AREA)
    strong = edges(np.asarray(scenes.bent(Image.fromarray(np.asarray(alone, dtype=np.uint8)), _chance)))
    places = np.argwhere(strong.sum(axis=2) > 0.15 * strong.sum(axis=2).max())
    start, end = (places.min(axis=0) // 4) * 4, -(-(places.max(axis=0) + 1) // 4) * 4
    return np.ascontiguousarray(strong[start[0] : end[0], start[1] : end[1]])


class Matcher:
    """It has looked at squares of one kind whose answer it knew, and chooses in others."""

    def __init__(self, kind: Kind, random: Random, squares: int) -> None:
        """Learn from so many squares, half of them right."""
        self._drawings = Drawings(SHOWN_BY[kind] + ALIKE[kind])
        self._wanted = len(SHOWN_BY[kind])
        right = np.arange(squares) % 2 == 0
        found = np.array([self._drawings.found(opened(pictures.tile(kind, bool(each), random))) for each in right])
        self._usual, self._spread = found[~right].mean(axis=0), found[~right].std(axis=0) + 1e-6
        signs = self._signs(found)
        self._middle, self._scale = signs.mean(axis=0), signs.std(axis=0) + 1e-6
        self._weights = _fitted(self._prepared(signs), right)

    def chances(self, tiles: Sequence[bytes]) -> Numbers:
        """Return for each square how likely it is right."""
        signs = self._signs(np.array([self._drawings.found(opened(tile)) for tile in tiles]))
        return np.asarray(1 / (1 + np.exp(-self._prepared(signs) @ self._weights)))

    def choose(self, tiles: Sequence[bytes]) -> frozenset[int]:
        """Return the squares that it takes for right: as many as a task can have."""
        chances = self.chances(tiles)
        number = min(pictures.MOST, max(pictures.FEWEST, int((chances > 0.5).sum())))
        return frozenset(int(place) for place in np.argsort(-chances)[:number])

    def _signs(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum up what was found: how unusual the best likenesses are, with what is asked for and with the rest."""
        unusual = (found - self._usual) / self._spread
        wanted = -np.sort(-unusual[:, : self._wanted], axis=1)[:, :3]
        rest = -np.sort(-unusual[:, self._wanted :], axis=1)[:, :2]
        plain = found[:, : self._wanted].max(axis=1, keepdims=True)
        return np.hstack([wanted, rest, plain])

    def _prepared(self, signs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack([(signs - self._middle) / self._scale, np.ones((len(signs), 1))])


def _fitted(signs: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return weights by logistic regression, held small: Newton's steps."""
    weights = np.zeros(signs.shape[1])
    for _step in range(20):
        chances = 1 / (1 + np.exp(-signs @ weights))
        slope = signs.T @ (right - chances) - weights
        curve = (signs * (chances * (1 - chances))[:, None]).T @ signs + np.eye(len(weights))
        weights += np.linalg.solve(curve, slope)
    return weights
