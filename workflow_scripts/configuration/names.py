"""Names that one part of the config uses and another must define."""

from __future__ import annotations

import difflib


def suggestion(name: str, known) -> str:
    """The end of a sentence about an unknown name: the nearest known ones, or all of them."""
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known are {', '.join(map(str, known))}"


def listed(value: str | list[str] | None) -> list[str]:
    """The names that a key gives, which takes one, several or none."""
    return [value] if isinstance(value, str) else list(value or ())


def undefined(config: dict, place: str, name: str, section: str) -> list[str]:
    """The mistake of naming, at this place, what the section does not define; empty where it does."""
    if name in config[section]:
        return []
    return [f"{place} is {name!r}, which {section} does not define{suggestion(name, config[section])}"]
