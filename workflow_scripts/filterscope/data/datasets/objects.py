"""Visual Genome's objects.json, streamed into arrays."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filterscope import job
from filterscope.data import strangers
from filterscope.data.datasets import json_stream
from filterscope.data.datasets.instances import is_text
from filterscope.data.rejection import Rejections

SEVERAL, WITHOUT = ("first", "each", "drop"), ("drop", "name")
_NOBODY = -1  # category of an object that has none


class VisualGenomeError(ValueError):
    """The folder is not Visual Genome, or its objects contradict themselves."""


class ObjectError(ValueError):
    """An object cannot be used: says why."""


@dataclass(frozen=True)
class Listed:
    """What objects.json lists. n rows, one an object; one that counts for several categories has a row for each.

    image_ids: [N]. objects: how many there are, unusable ones included. images: position of each row's image, [n].
    numbers: object_id, [n]. is_object: False for a further row of the same object, [n]. categories: index among the
    names, -1 for none, [n]. boxes: x, y, w, h as they are listed, px, [n, 4]. findings: what is unusual, counted.
    """

    image_ids: np.ndarray
    objects: int
    images: np.ndarray
    numbers: np.ndarray
    is_object: np.ndarray
    categories: np.ndarray
    boxes: np.ndarray
    names: list[str]
    findings: dict[str, int]

    def only(self, chosen: np.ndarray) -> Listed:
        """These rows, bool [n]; the images stay."""
        rows = {name: getattr(self, name)[chosen] for name in ("images", "numbers", "is_object", "categories", "boxes")}
        others = {name: getattr(self, name) for name in ("image_ids", "objects", "names", "findings")}
        return Listed(**rows, **others)

    def label(self, row: int) -> str:
        """What a row is called in messages."""
        return f"{self.numbers[row]} (image {self.image_ids[self.images[row]]})"

    def count(self, images: int | None = None) -> dict[str, int]:
        """Images (so many, or all that are listed), objects and categories."""
        return {
            "images": len(self.image_ids) if images is None else images,
            "annotations": int(self.is_object.sum()),
            "categories": len(np.unique(self.categories[self.categories >= 0])),
        }


def category_of(synset: str, whole_names: bool = False) -> str:
    """The category of a synset such as traffic_light.n.01: its lemma's first word, or the whole lemma."""
    lemma = synset.split(".")[0]
    return lemma if whole_names else lemma.split("_")[0]


def read_objects(
    path: str | Path,
    rejections: Rejections,
    whole_names: bool = False,
    several_synsets: str = "first",
    without_synset: str = "drop",
) -> Listed:
    """Read objects.json, entry by entry.

    several_synsets: whether an object with several synsets counts for the "first", for "each", or is left without
    a category ("drop"). without_synset: whether an object without any is left without a category ("drop") or gets
    that of its "name". Objects with a broken box go to `rejections`; their number is in `objects` all the same.

    Raises VisualGenomeError for what is no list of images with their objects, naming the byte, for an image that is
    listed twice and for a list without images or without objects.
    """
    for name, value, known in (
        ("several_synsets", several_synsets, SEVERAL),
        ("without_synset", without_synset, WITHOUT),
    ):
        if value not in known:
            raise ValueError(f"{name} is {value!r}, should be one of {', '.join(known)}")
    path = Path(path)
    names: dict[str, int] = {}
    found = Counter({"objects without a synset": 0, "objects with several synsets": 0, "images without objects": 0})
    image_ids, images, numbers, is_object, categories = (array("q") for _ in range(5))
    boxes = array("d")
    objects = 0
    for image_id, entries in job.progress(_images(path), None, "images of objects.json"):
        found["images without objects"] += not entries
        objects += len(entries)
        for entry in entries:
            try:
                number, box, synsets = _object(entry)
                own = _named(entry, synsets, several_synsets, without_synset)
                mine = [names.setdefault(category_of(each, whole_names), len(names)) for each in own]
            except ObjectError as error:
                number = entry.get("object_id") if isinstance(entry, dict) else None
                rejections.add("annotation", f"{number} (image {image_id})", error)
                continue
            found["objects without a synset"] += not synsets
            found["objects with several synsets"] += len(synsets) > 1
            for position, category in enumerate(dict.fromkeys(mine) or [_NOBODY]):
                images.append(len(image_ids))
                numbers.append(number)
                is_object.append(position == 0)
                categories.append(category)
                boxes.extend(box)
        image_ids.append(image_id)
    ids = np.asarray(image_ids).view(np.int64)  # shares the memory
    values, times = np.unique(ids, return_counts=True)
    if (times > 1).any():
        first = ", ".join(map(str, values[times > 1][:5]))
        raise VisualGenomeError(f"{path}: {(times > 1).sum()} images are listed more than once: {first}")
    if not objects:
        what = "no objects in any of its images" if len(ids) else "an empty list"
        raise VisualGenomeError(f"{path}: {what}; fetch the file again")
    return Listed(
        ids,
        objects,
        np.asarray(images).view(np.int64),
        np.asarray(numbers).view(np.int64),
        np.asarray(is_object).astype(bool),
        np.asarray(categories).view(np.int64),
        np.asarray(boxes).reshape(-1, 4),
        list(names),
        dict(found),
    )


def _images(path: Path) -> Iterator[tuple[int, list]]:
    """Number and objects of every image that is listed."""
    with path.open("rb") as file:
        try:
            for place, entry in json_stream.entries(file):
                image_id = entry.get("image_id") if isinstance(entry, dict) else None
                if type(image_id) is not int or not 0 <= image_id < 2**63:
                    raise VisualGenomeError(
                        f"{path}: the entry at byte {place} has the image_id {image_id!r}, should be a whole number"
                    )
                if not isinstance(entry.get("objects"), list):
                    raise VisualGenomeError(f"{path}: image {image_id}, at byte {place}, has no list of objects")
                yield image_id, entry["objects"]
        except json_stream.JsonError as error:
            raise VisualGenomeError(f"{path}: {_told(path, error)}") from error


def _told(path: Path, error: json_stream.JsonError) -> str:
    """What a file is that is no JSON list in UTF-8, and what to do about it."""
    with path.open("rb") as file:
        what = strangers.recognised(file.read(strangers.START))
    if what:
        return f"{what}; should be a JSON list"
    if isinstance(error, json_stream.NotUtf8Error):
        return f"{error}; {strangers.recoding(path.name)}"
    return f"not a whole JSON list: {error}; fetch the file again"


def _object(entry: object) -> tuple[int, tuple[float, ...], list[str]]:
    """Number, box and synsets. Raises ObjectError."""
    if not isinstance(entry, dict):
        raise ObjectError(f"it is {str(entry)[:40]!r}, should be an object with x, y, w and h")
    number, synsets = entry.get("object_id"), entry.get("synsets", [])
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise ObjectError(f"its object_id is {number!r}, should be a whole number")
    if not isinstance(synsets, list) or not all(is_text(each) for each in synsets):
        raise ObjectError(f"its synsets are {str(synsets)[:40]!r}, should be a list of names in Unicode")
    box = tuple(entry.get(key) for key in "xywh")
    if not all(type(value) in (int, float) for value in box):
        raise ObjectError(f"its box is {', '.join(map(repr, box))}, should be four numbers")
    try:
        box = tuple(map(float, box))
    except OverflowError:
        raise ObjectError("its box is not finite") from None
    if not all(map(math.isfinite, box)):
        raise ObjectError("its box is not finite")
    return number, box, synsets


def _named(entry: dict, synsets: list[str], several: str, without: str) -> list[str]:
    """The synsets, or what stands for them, that the object counts for. Raises ObjectError."""
    if not synsets and without == "name":
        given = entry.get("names")
        name = given[0] if isinstance(given, list) and given and is_text(given[0]) else ""
        synsets = ["_".join(name.lower().replace(".", " ").split())] if name.strip(". ") else []
    if len(synsets) > 1:
        synsets = {"first": synsets[:1], "each": synsets, "drop": []}[several]
    if not all(category_of(each) for each in synsets):
        raise ObjectError(f"its synsets are {synsets}, one of which names nothing")
    return synsets
