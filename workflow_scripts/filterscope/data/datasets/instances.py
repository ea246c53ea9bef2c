"""COCO's instances files: read, and what is in them checked before anything is made of it."""

from __future__ import annotations

import json
from pathlib import Path

from filterscope.data import strangers

# What an entry of each list must have.
KEYS = {
    "images": ("id", "file_name", "width", "height"),
    "annotations": ("id", "image_id", "category_id"),
    "categories": ("id", "name"),
}


class CocoError(ValueError):
    """The folder is not COCO, or its annotation files contradict themselves."""


def read_instances(path: Path) -> dict[str, list[dict]]:
    """The lists of images, annotations and categories, each entry with its keys and a whole number as its id.

    UTF-8, with a byte order mark or without, UTF-16 and UTF-32 are understood. Categories have names that are text.
    Raises CocoError naming the file and the entry, what was found and what would be right.
    """
    dataset = _decoded(path)
    if not isinstance(dataset, dict):
        raise CocoError(
            f"{path}: not COCO's instances format: it holds a {type(dataset).__name__}, should be a mapping"
        )
    for section, wanted in KEYS.items():
        if not isinstance(dataset.get(section), list):
            raise CocoError(f"{path}: the list {section!r} is missing")
        for place, entry in enumerate(dataset[section]):
            if not isinstance(entry, dict):
                raise CocoError(f"{path}: entry {place} of {section!r} is {str(entry)[:40]!r}, should be a mapping")
            missing = [key for key in wanted if key not in entry]
            if missing:
                raise CocoError(f"{path}: {', '.join(missing)} missing in {str(entry)[:80]} of {section!r}")
            if not is_number(entry["id"]):
                raise CocoError(
                    f"{path}: the id {entry['id']!r} of entry {place} of {section!r} should be a whole number "
                    "from -2^63 to 2^63 - 1"
                )
    for entry in dataset["categories"]:
        if not is_text(entry["name"]):
            raise CocoError(
                f"{path}: category {entry['id']} has the name {str(entry['name'])[:40]!r} "
                f"({type(entry['name']).__name__}), should be text in Unicode"
            )
    return {section: dataset[section] for section in KEYS}


def is_number(value: object) -> bool:
    """Whether it is a whole number that a table can hold; true and false are none."""
    return type(value) is int and -(2**63) <= value < 2**63


def is_text(value: object) -> bool:
    """Whether it is text that UTF-8 can hold: JSON's escapes may write halves of characters."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _decoded(path: Path) -> object:
    data = path.read_bytes()
    what = strangers.recognised(data[: strangers.START])
    if what:
        raise CocoError(f"{path}: {what}; should be JSON")
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        place = error.start + len(data) - len(error.object)  # utf-8-sig counts from behind the byte order mark
        raise CocoError(
            f"{path}: byte {place} is {data[place : place + 1]!r}, which is not {error.encoding}: "
            f"{strangers.recoding(path.name)}"
        ) from None
    del data
    try:
        return json.loads(text)
    except RecursionError:
        raise CocoError(f"{path}: nested too deeply for COCO's instances format") from None
    except ValueError as error:
        raise CocoError(f"{path}: not whole JSON ({error}); fetch the file again") from error
