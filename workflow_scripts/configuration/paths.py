"""Paths in the config that Snakemake would not take as they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

# Keys whose text is the path of a file or folder.
PATHS = ("folder", "file", "model", "prototxt", "caffemodel", "factory", "allowed", "compare_with", "lock", "beside")


def mistakes(config: dict) -> list[str]:
    """Paths with braces: Snakemake reads what stands in them as a wildcard. Links to themselves: it stops at them."""
    paths = list(_paths(config, ""))
    braces = [
        f"{place} is {path!r}: Snakemake reads {{...}} as a wildcard, so no path may have braces; rename the file or "
        "folder, or give a link to it (ln -s)"
        for place, path in paths
        if "{" in path or "}" in path
    ]
    circles = [
        f"{place} is {path!r}: a link that leads back to itself; should lead to the file or folder"
        for place, path in paths
        if _leads_round(path)
    ]
    return braces + circles


def _leads_round(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    except ValueError:  # a zero byte, of which its reader will speak
        pass
    return False


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
