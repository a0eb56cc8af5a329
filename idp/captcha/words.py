"""What the picture task says: what to choose, and whose drawings they are."""

from flask_babel import gettext as _

from idp.captcha.objects import Kind


def question(kind: Kind) -> str:
    """Return the sentence that says what to choose, in the page's language."""
    questions: dict[Kind, str] = {
        Kind.BALLS: _("Select all squares with balls."),
        Kind.BIRDS: _("Select all squares with birds."),
        Kind.BOATS: _("Select all squares with boats or ships."),
        Kind.BUILDINGS: _("Select all squares with houses or other buildings."),
        Kind.CLOCKS: _("Select all squares with clocks or watches."),
        Kind.FLOWERS: _("Select all squares with flowers."),
        Kind.FRUIT: _("Select all squares with fruit."),
        Kind.HATS: _("Select all squares with hats or helmets."),
        Kind.INSECTS: _("Select all squares with insects."),
        Kind.INSTRUMENTS: _("Select all squares with musical instruments."),
        Kind.SHOES: _("Select all squares with shoes or boots."),
        Kind.TRAINS: _("Select all squares with trains or trams."),
        Kind.TREES: _("Select all squares with trees."),
    }
    return questions[kind]


def credit() -> str:
    """Return whose drawings the squares are made of, as their licence asks. It stands by the squares."""
    words: str = _("Drawings by OpenMoji, changed. License: CC BY-SA 4.0.")
    return words


CREDIT_ADDRESS = "https://openmoji.org/"
LICENSE_ADDRESS = "https://creativecommons.org/licenses/by-sa/4.0/"
