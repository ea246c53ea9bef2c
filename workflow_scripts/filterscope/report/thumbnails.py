"""Small pictures of what filters fire at: their strongest photographs side by side, dark where the filter is silent."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope import tables
from filterscope.report.atlas.photographs import UNREADABLE, opened
from filterscope.report.atlas.views import View

SIDE = 120  # px, of a photograph as the network sees it
ACROSS = 3  # photographs of a filter
GAP = 4  # px between them
DIM = 0.7  # share of its light that a place loses at which the filter is silent
QUALITY = 80  # of WebP
_MAPS = ["filter", "image_id", "rows", "columns", "map"]
_GREY = (200, 200, 200)  # of a photograph that cannot be read


@dataclass(frozen=True)
class Strips:
    """What strips are made from. top: rows of `top_images` of the filters that are asked for; images: `images`; folder:
    of the photographs; view: what the network sees; maps: heatmaps, uint8 [rows, columns], by filter and image."""

    top: pd.DataFrame
    images: pd.DataFrame
    folder: Path
    view: View
    maps: Mapping[tuple[int, int], np.ndarray]

    def of(self, number: int) -> bytes | None:
        """The strip of a filter, WebP; None for one that no photograph excites."""
        own = self.top[(self.top["filter"] == number) & (self.top["maximum"] > 0)].sort_values("rank")
        chosen = own["image_id"][:ACROSS].tolist()
        if not chosen:
            return None
        canvas = Image.new("RGB", (len(chosen) * (SIDE + GAP) - GAP, SIDE), "white")
        for place, image_id in enumerate(chosen):
            canvas.paste(self._tile(number, image_id), (place * (SIDE + GAP), 0))
        data = io.BytesIO()
        canvas.save(data, "WEBP", quality=QUALITY, method=4)
        return data.getvalue()

    def _tile(self, number: int, image_id: int) -> Image.Image:
        row = self.images.loc[image_id]
        left, upper, right, lower = self.view.box(row["width"], row["height"])
        try:
            seen = opened(self.folder / row["path"], bool(row["turned"]), 2 * SIDE)
        except (FileNotFoundError, *UNREADABLE):  # the atlas says which and why
            return Image.new("RGB", (SIDE, SIDE), _GREY)
        box = (left * seen.width, upper * seen.height, right * seen.width, lower * seen.height)
        tile = seen.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box)
        heat = self.maps.get((number, image_id))
        if heat is None or heat.size == 1:  # a unit without a map looks everywhere
            return tile
        light = np.asarray(Image.fromarray(heat).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) / 255
        return Image.fromarray(np.rint(np.asarray(tile) * (1 - DIM * (1 - light[..., None]))).astype(np.uint8))


def read_maps(path: Path, filters: Iterable[int], ranks: int = ACROSS) -> dict[tuple[int, int], np.ndarray]:
    """Heatmaps of these filters in their first top images, by filter and image; `heatmaps` may be large."""
    wanted = np.array(sorted(filters), np.int64)
    found: dict[tuple[int, int], np.ndarray] = {}
    for batch in tables.batches(path, "heatmaps", [*_MAPS, "rank"], 50_000):
        numbers = batch["filter"].to_numpy()
        kept = np.flatnonzero(np.isin(numbers, wanted) & (batch["rank"].to_numpy() < ranks))
        rows = batch.take(kept).to_pydict()
        for number, image_id, *shape, values in zip(*(rows[name] for name in _MAPS), strict=True):
            found[number, image_id] = np.frombuffer(values, np.uint8).reshape(shape)
    return found


def strips(
    filters: Sequence[int], top: pd.DataFrame, images: pd.DataFrame, folder: Path, view: View, heatmaps: Path
) -> dict[int, bytes]:
    """By filter its strip, of those that have one. top, images: the tables; heatmaps: path to that table."""
    own = top[top["filter"].isin(filters) & (top["rank"] < ACROSS)]
    maker = Strips(own, images.set_index("image_id"), folder, view, read_maps(heatmaps, filters))
    made = {number: maker.of(number) for number in filters}
    return {number: strip for number, strip in made.items() if strip is not None}
