"""The words of the embedded study: what its objects look like, and what else one may call it."""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = {  # channels in [0, 1]
    "red": (0.87, 0.16, 0.19),
    "orange": (0.95, 0.50, 0.11),
    "yellow": (0.97, 0.82, 0.18),
    "green": (0.24, 0.69, 0.27),
    "turquoise": (0.14, 0.76, 0.72),
    "blue": (0.18, 0.39, 0.88),
    "purple": (0.57, 0.24, 0.82),
    "pink": (0.97, 0.38, 0.67),
}
TEXTURES = ("plain", "horizontal", "vertical", "diagonal", "dotted", "checkered")
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring", "heart", "crescent")
TOKENS = (*COLOURS, *TEXTURES, *SHAPES)

# The two faces of every class: each colour twice, each texture two or three times.
FACETS = {
    "circle": (("red", "dotted"), ("blue", "plain")),
    "square": (("orange", "horizontal"), ("purple", "checkered")),
    "triangle": (("yellow", "diagonal"), ("pink", "plain")),
    "star": (("green", "vertical"), ("red", "horizontal")),
    "cross": (("turquoise", "checkered"), ("orange", "dotted")),
    "ring": (("blue", "vertical"), ("yellow", "checkered")),
    "heart": (("purple", "plain"), ("green", "dotted")),
    "crescent": (("pink", "horizontal"), ("turquoise", "diagonal")),
}

# Other words for the tokens. No category has them, so they are the right answers to "which novel word".
SYNONYMS = {
    "red": ("crimson", "scarlet"),
    "orange": ("tangerine", "amber"),
    "yellow": ("golden", "canary"),
    "green": ("emerald", "jade"),
    "turquoise": ("teal", "aqua"),
    "blue": ("azure", "cobalt"),
    "purple": ("violet", "mauve"),
    "pink": ("rosy", "fuchsia"),
    "plain": ("solid", "uniform"),
    "horizontal": ("level", "recumbent"),
    "vertical": ("upright", "columnar"),
    "diagonal": ("slanted", "oblique"),
    "dotted": ("spotted", "speckled"),
    "checkered": ("plaid", "tartan"),
    "circle": ("disc", "roundel"),
    "square": ("box", "block"),
    "triangle": ("wedge", "trigon"),
    "star": ("asterisk", "pentagram"),
    "cross": ("plus", "crucifix"),
    "ring": ("hoop", "annulus"),
    "heart": ("valentine", "cardioid"),
    "crescent": ("sickle", "moon"),
}


def facet_of(colour: str, texture: str, shape: str) -> int | None:
    """Which facet of its shape an object shows: 0, 1, or None where it shows neither."""
    faces = FACETS[shape]
    return faces.index((colour, texture)) if (colour, texture) in faces else None


def known_words(filters: Sequence[tuple[str, str]]) -> dict[str, list]:
    """The known_words table of filters given as (what it detects, its token): the right names of each."""
    return {
        "filter": list(range(len(filters))),
        "detects": [kind for kind, _ in filters],
        "words": [[token, *SYNONYMS[token]] for _, token in filters],
    }
