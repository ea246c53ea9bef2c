"""Names of files that several steps of the pictures room share."""


def file_of(unit: int, facet: int) -> str:
    """File of a facet's picture or mean image."""
    return f"unit_{unit:04d}_facet_{facet:02d}.png"


def file_of_sense(number: int, sense: int) -> str:
    """File of the picture of a filter's sense."""
    return f"filter_{number:04d}_sense_{sense:02d}.png"
