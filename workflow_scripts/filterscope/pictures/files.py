"""What the steps of the pictures room agree on: names of files and of beginnings, and the level of a test."""

MEAN, NOISE = "mean", "noise"  # what a facet's picture began as
CHANCE = 0.05  # above which the words of a facet do not tell it from the others


def file_of(unit: int, facet: int) -> str:
    """File of a facet's picture or mean image."""
    return f"unit_{unit:04d}_facet_{facet:02d}.png"


def file_of_sense(number: int, sense: int) -> str:
    """File of the picture of a filter's sense."""
    return f"filter_{number:04d}_sense_{sense:02d}.png"
