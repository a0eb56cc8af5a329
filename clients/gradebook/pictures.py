"""Where the lines and dots of a picture of marks go; the template draws them."""

from dataclasses import dataclass

WIDTH, HEIGHT = 280, 132
LEFT, RIGHT, TOP, BOTTOM = 24, 32, 10, 20
LOWEST, HIGHEST = 66, 100
GRADE_LINES = ((90, "A"), (80, "B"), (70, "C"), (60, "D"))


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the picture, and the mark it stands for."""

    x: float
    y: float
    mark: int


@dataclass(frozen=True, slots=True)
class GradeLine:
    """A thin line at the least mark of a letter grade."""

    y: float
    letter: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A line of marks over the weeks of a term."""

    points: tuple[Point, ...]
    lines: tuple[GradeLine, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT

    @property
    def path(self) -> str:
        """The line from point to point."""
        return "M" + " L".join(f"{point.x:g} {point.y:g}" for point in self.points)

    @property
    def area(self) -> str:
        """The surface below the line."""
        floor = HEIGHT - BOTTOM
        return f"{self.path} L{self.points[-1].x:g} {floor} L{self.points[0].x:g} {floor} Z"


def draw(marks: tuple[int, ...]) -> Picture:
    """Place marks from left to right; the scale is the same in every picture unless a mark falls below it."""
    lowest = min(LOWEST, min(marks) - 4)
    step = (WIDTH - LEFT - RIGHT) / (len(marks) - 1)
    points = tuple(
        Point(round(LEFT + index * step, 1), _height(mark, lowest), mark) for index, mark in enumerate(marks)
    )
    return Picture(
        points, tuple(GradeLine(_height(least, lowest), name) for least, name in GRADE_LINES if least > lowest)
    )


def _height(mark: int, lowest: int) -> float:
    share = (mark - lowest) / (HIGHEST - lowest)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)
