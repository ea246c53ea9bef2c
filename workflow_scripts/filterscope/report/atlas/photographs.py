"""Photographs of an atlas: each decoded once and stored once, small, many to a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from filterscope import tables
from filterscope.report.atlas.writing import Texts

TILE = 96  # px, side of a tile, which the longer side of a photograph fills
ACROSS = 16  # tiles along either side of a sprite
LARGE = 640  # px, longer side of a photograph that is stored by itself, too
QUALITY = 80  # of WebP
_AT_ONCE = 64  # photographs that wait to be written
# What Pillow raises for files that it cannot read; SyntaxError and struct.error come from broken headers.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombError)
_OBJECTS = ["image_id", "category", "x", "y", "w", "h"]


@dataclass
class Photographs:
    """The photographs of one dataset that an atlas shows, numbered in order of their image numbers.

    images: of them, rows of `images`. tiles: by image number its tile. pixels: "none", "thumbnails" or "full".
    unreadable: why, by image number.
    """

    number: int
    dataset: str
    images: pd.DataFrame
    pixels: str
    unreadable: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, dataset: str, table: pd.DataFrame, wanted: Iterable[int], pixels: str) -> Photographs:
        """Those of the table's images that are wanted."""
        shown = table[table["image_id"].isin(set(wanted))].sort_values("image_id", ignore_index=True)
        return cls(number, dataset, shown, pixels)

    def __post_init__(self):
        self.tiles = dict(zip(self.images["image_id"].tolist(), range(len(self.images)), strict=True))
        self._sizes = list(zip(self.images["width"].tolist(), self.images["height"].tolist(), strict=True))

    def size(self, image_id: int) -> tuple[int, int]:
        """Width and height of a photograph, px."""
        return self._sizes[self.tiles[image_id]]

    def write(self, source: Path, folder: Path, threads: int) -> None:
        """Sprites photographs/D/S.webp, and for "full" photographs/D/large/N.webp, of the pictures below `source`."""
        if self.pixels == "none" or not len(self.images):
            return
        target = folder / "photographs" / str(self.number)
        target.mkdir(parents=True)
        large = target / "large" if self.pixels == "full" else None
        if large:
            large.mkdir()
        per_sprite = ACROSS * ACROSS
        with ThreadPoolExecutor(max(1, threads)) as pool:
            small = _in_order(pool, self._tasks(source, large))
            for sprite in range(-(-len(self.images) // per_sprite)):
                first = sprite * per_sprite
                count = min(per_sprite, len(self.images) - first)
                canvas = Image.new("RGB", (ACROSS * TILE, -(-count // ACROSS) * TILE), (128, 128, 128))
                for place, found in enumerate(islice(small, count)):
                    if isinstance(found, str):
                        self.unreadable[int(self.images["image_id"].iloc[first + place])] = found
                    else:
                        middle = ((TILE - found.width) // 2, (TILE - found.height) // 2)
                        canvas.paste(found, (place % ACROSS * TILE + middle[0], place // ACROSS * TILE + middle[1]))
                canvas.save(target / f"{sprite}.webp", quality=QUALITY, method=4)

    def _tasks(self, source: Path, large: Path | None) -> Iterator[tuple]:
        for tile, row in enumerate(self.images.itertuples()):
            yield source / row.path, bool(row.turned), large / f"{tile}.webp" if large else None

    def noted(self) -> dict:
        """What the study says of them."""
        return {
            "number": self.number,
            "dataset": self.dataset,
            "count": len(self.images),
            "tile": TILE,
            "across": ACROSS,
            "down": ACROSS,
            "pictures": self.pixels,
            "unreadable": len(self.unreadable),
        }

    def data(self, objects: pd.DataFrame | None) -> dict:
        """What the page is told of them: sizes and names, why one cannot be shown, objects with their boxes in shares.

        objects: rows of `annotations` of these images, None for photographs without masks.
        """
        found = {
            "image": self.images["image_id"].tolist(),
            "width": self.images["width"].tolist(),
            "height": self.images["height"].tolist(),
            "split": self.images["split"].tolist(),
            "name": self.images["path"].tolist(),
            "unreadable": {str(self.tiles[key]): cause for key, cause in sorted(self.unreadable.items())},
        }
        if objects is not None:
            texts = Texts()
            found["objects"] = self._objects(objects, texts)
            found["texts"] = texts.all
        return found

    def _objects(self, objects: pd.DataFrame, texts: Texts) -> list[list]:
        found: list[list] = [[] for _ in self.tiles]
        columns = (objects[name].tolist() for name in _OBJECTS)
        for image_id, category, x, y, wide, high in zip(*columns, strict=True):
            width, height = self.size(image_id)
            box = (x / width, y / height, (x + wide) / width, (y + high) / height)
            found[self.tiles[image_id]].append([texts.code(category), *(round(each, 3) for each in box)])
        return found


def objects_of(path: Path, image_ids: Iterable[int]) -> pd.DataFrame:
    """Categories and boxes of the annotations of these images, without their masks."""
    wanted = np.array(sorted(image_ids), np.int64)
    parts = []
    for batch in tables.batches(path, "annotations", _OBJECTS, 100_000):
        rows = batch.to_pandas()
        parts.append(rows[rows["image_id"].isin(wanted)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_OBJECTS)


def _in_order(pool: ThreadPoolExecutor, tasks: Iterator[tuple]) -> Iterator[Image.Image | str]:
    """The small pictures of the tasks in their order, not more than so many at once."""
    waiting = [pool.submit(_shrunk, *task) for task in islice(tasks, _AT_ONCE)]
    while waiting:
        found = waiting.pop(0).result()
        waiting += [pool.submit(_shrunk, *task) for task in islice(tasks, 1)]
        yield found


def opened(path: Path, turned: bool, side: int) -> Image.Image:
    """A photograph in RGB, turned as the images table says, perhaps decoded smaller, but not below `side` px.

    Raises FileNotFoundError, or one of UNREADABLE for what is no whole picture.
    """
    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))  # a JPEG is decoded at a size near this one, in less time
        return _on_white(ImageOps.exif_transpose(picture) if turned else picture)


def _shrunk(path: Path, turned: bool, large: Path | None) -> Image.Image | str:
    """A photograph whose longer side is TILE px; what is wrong with one that cannot be read."""
    try:
        seen = opened(path, turned, 2 * (LARGE if large else TILE))
    except FileNotFoundError:
        return "the file is missing"
    except UNREADABLE as error:
        return f"the picture cannot be read ({error})"
    if large:
        _fitted(seen, min(LARGE, max(seen.size))).save(large, quality=QUALITY, method=4)
    return _fitted(seen, TILE)


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent on white; 16 bits as 8."""
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture with a longer side of `side` px."""
    share = side / max(picture.size)
    size = tuple(max(1, round(each * share)) for each in picture.size)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
