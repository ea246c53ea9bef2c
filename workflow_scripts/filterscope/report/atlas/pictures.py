"""Optimised pictures, mean images and figures: copied under numbers, never under names that users gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from PIL import Image

from filterscope.report.atlas.places import Places

QUALITY = 88  # of WebP


class Gallery:
    """Pictures that are copied into the atlas, numbered in the order in which they are asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.count = 0

    def add(self, source: Path) -> int | None:
        """The number of a picture, pictures/NUMBER.webp; None where there is no such file."""
        if not source.is_file():
            return None
        number, self.count = self.count, self.count + 1
        target = self.folder / _path(number)
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source) as picture:
            seen = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        seen.save(target, quality=QUALITY, method=4)
        return number

    def add_figure(self, source: Path) -> tuple[str, int, int]:
        """Path, width and height in px of a figure, which is stored without loss."""
        number, self.count = self.count, self.count + 1
        target = self.folder / _path(number)
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source) as picture:
            seen = picture.convert("RGB")
        seen.save(target, lossless=True, method=3)
        return (_path(number), *seen.size)

    def path(self, source: Path) -> str | None:
        """Where a picture is stored, as seen from the atlas; None where there is none."""
        number = self.add(source)
        return None if number is None else _path(number)


def _path(number: int) -> str:
    return f"pictures/{number}.webp"


def of_layer(places: Places, entries: Sequence[Mapping], gallery: Gallery) -> pd.DataFrame | None:
    """The pictures of all recipes of a layer, in the order of filters and recipes; None where there are none.

    Columns of `pictures`, `words` and `found` of `picture_words`, `file`: its number, `path` as seen from the atlas.
    """
    parts = []
    for order, entry in enumerate(entries):
        table = places.table(entry["tables"], "pictures")
        if table is None:
            continue
        said, key = places.table(entry["tables"], "picture_words"), ["filter", "number"]
        if said is None:
            table = table.assign(words=None, found=None)
        else:
            table = table.merge(said[[*key, "words", "found"]], on=key, how="left")
        beside = places.path(entry["tables"]["pictures"]).parent
        sources = [None if pd.isna(each) else beside / each for each in table["path"]]
        parts.append(table.assign(source=sources, order=order))
    if not parts:
        return None
    found = pd.concat(parts, ignore_index=True).sort_values(["filter", "order", "number"], ignore_index=True)
    numbers = [None if source is None else gallery.add(source) for source in found["source"]]
    found["file"] = pd.Series(numbers, dtype=object)
    found["path"] = pd.Series([None if each is None else _path(each) for each in numbers], dtype=object)
    return found


def first_files(pictures: pd.DataFrame | None) -> dict[int, int]:
    """By filter, the number of its first picture that there is."""
    if pictures is None:
        return {}
    there = pictures[pictures["path"].notna()].drop_duplicates("filter")
    return dict(zip(there["filter"].tolist(), map(int, there["file"]), strict=True))
