"""Paths in the config that Snakemake would not take as they are."""

from __future__ import annotations

from collections.abc import Iterator

# Keys whose text is the path of a file or folder.
PATHS = ("folder", "file", "prototxt", "caffemodel", "factory", "allowed", "compare_with", "lock")


def mistakes(config: dict) -> list[str]:
    """Paths with braces: Snakemake reads what stands in them as a wildcard."""
    return [
        f"{place} is {path!r}: Snakemake reads {{...}} as a wildcard, so no path may have braces; rename the file or "
        "folder, or give a link to it (ln -s)"
        for place, path in _paths(config, "")
        if "{" in path or "}" in path
    ]


def _paths(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Dotted key and text of every path below a value."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in PATHS and isinstance(each, str):
                yield f"{place}{key}", each
            else:
                yield from _paths(each, f"{place}{key}.")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _paths(each, f"{place}{number}.")
