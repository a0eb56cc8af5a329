"""What the picture task asks for, and which of OpenMoji's drawings show it or only look like it."""

from enum import StrEnum

SIDE = 144
"""How many pixels a square is wide and high."""


class Kind(StrEnum):
    """What a picture task asks for. Words for it are in captcha/words.py."""

    BALLS = "balls"
    BIRDS = "birds"
    BOATS = "boats"
    BUILDINGS = "buildings"
    CLOCKS = "clocks"
    FLOWERS = "flowers"
    FRUIT = "fruit"
    HATS = "hats"
    INSECTS = "insects"
    INSTRUMENTS = "instruments"
    SHOES = "shoes"
    TRAINS = "trains"
    TREES = "trees"


_SHOWN_BY: dict[Kind, str] = {
    Kind.BALLS: "26BD 1F3C0 1F3C8 26BE 1F3D0 1F3C9 1F94E",
    Kind.BIRDS: "1F426 1F425 1F986 1F989 1F985 1F54A 1F99C 1F9A2 1F9A9 1F427 1F983 1F413 1F99A 1F9A4 1FABF E010",
    Kind.BOATS: "26F5 1F6A4 1F6E5 1F6A2 1F6F3 26F4 1F6F6",
    Kind.BUILDINGS: "1F3E0 1F3E2 1F3E5 1F3E6 1F3E8 1F3ED 1F3F0 1F3DB 26EA 1F54C E209",
    Kind.CLOCKS: "1F550 1F552 1F558 1F55A 1F55E 23F0 1F570 23F2",
    Kind.FLOWERS: "1F338 1F33A 1F33B 1F33C 1F339 1F490 1FAB7",
    Kind.FRUIT: "1F34E 1F350 1F34C 1F349 1F347 1F353 1F352 1F34D",
    Kind.HATS: "1F452 1F3A9 1F9E2 26D1 E14A",
    Kind.INSECTS: "1F41C 1F41D 1F41E 1F98B 1F99F 1FAB0 1FAB2 1FAB3",
    Kind.INSTRUMENTS: "1F3B8 1F3BB 1F3BA 1F3B7 1F941 1FA95 1FA97 1FA87 1FA89 1FA8A",
    Kind.SHOES: "1F45F 1F45E 1F460 1F461 1F462 1F97E 1F97F",
    Kind.TRAINS: "1F682 1F683 1F684 1F685 1F686 1F688 1F68A 1F68B",
    Kind.TREES: "1F332 1F384 1FABE",
}
_ALIKE: dict[Kind, str] = {
    Kind.BALLS: "1F36A 1F369 1F3AF 1FA99 1F6DE 1F6DF 1F95E 1F967",
    Kind.BIRDS: "1F996 1F98E 1F43F 1F407 1F422 1F98A 1F408",
    Kind.BOATS: "1F433 1F6F8 1F40A 1F9F3 1F69C 1F98B 1F407",
    Kind.BUILDINGS: "1F4DA 1F4BB 1F4F0 1F5C4 1F9F0 1F4FB 1F381",
    Kind.CLOCKS: "1F3AF 1F6DE 1F6DF 1F4F7 1F4FB 1F369",
    Kind.FLOWERS: "1F33F 1F341 1F344 1F966 2600 2744 1F6DE 1F4A5",
    Kind.FRUIT: "1F4A1 1F388 1F9F6 1F3AF 1F9ED 1F381 1F514 1F36A",
    Kind.HATS: "1F514 1F9C1 1F4BC 1F45C 1F6CE 1F3BA 1F382",
    Kind.INSECTS: "1F401 1F407 1F43F 1F331 1F33F",
    Kind.INSTRUMENTS: "1F528 1FA93 1FA8F 1F3F9 1F52D 1F511 1F526 1F9F9 1FA9A",
    Kind.SHOES: "1F45C 1F6F7 1F50C 1F97D 1F4DE 1F4BC 1F6F4",
    Kind.TRAINS: "1F692 1F69B 1F69C 1F697 1F695 1F6F5 1F4FB 1F9F3",
    Kind.TREES: "2602 1F302 1FA82 1F388 1F366 1F341 1F338 1F3A9 1F514",
}

SHOWN_BY: dict[Kind, tuple[str, ...]] = {kind: tuple(names.split()) for kind, names in _SHOWN_BY.items()}
"""The drawings that show a kind, by their names in OpenMoji."""
ALIKE: dict[Kind, tuple[str, ...]] = {kind: tuple(names.split()) for kind, names in _ALIKE.items()}
"""Drawings that look like a kind, and that nobody would call by its name."""
OTHERS: dict[Kind, tuple[str, ...]] = {
    kind: tuple(name for other in Kind if other is not kind for name in SHOWN_BY[other]) for kind in Kind
}
"""What else stands in a square: whatever another task asks for."""
ASKED: tuple[Kind, ...] = (Kind.BALLS, Kind.FLOWERS, Kind.INSECTS)
"""What tasks ask for. The other kinds only stand among the wrong squares: the matcher of the tests finds them too
often, or people, once they are bent, do not."""
