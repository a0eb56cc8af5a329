"""How hard it becomes to guess passwords: decisions without a database."""

from enum import IntEnum


class Level(IntEnum):
    """How far a robot check has to have gone before a password is looked at; a higher one is worth the lower, too."""

    NONE = 0
    BOX = 1
    """The box is checked; most visitors see no more."""
    PICTURES = 2
    """A task with pictures, or what stands in for it, is solved."""
