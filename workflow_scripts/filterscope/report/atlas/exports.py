"""What other programs read: a table of a layer's filters with places and thumbnails, and exemplars as MILAN lays them.

A table has the columns x and y that Embedding Atlas takes, and thumbnails as bytes of JPEG files. MILAN's exemplars
(Hernandez et al. 2022): a folder per layer with images.npy and masks.npy, one row per unit, and units.npy, which says
the units' numbers; beside the folders annotations.csv. Folders have names that are no numbers: MILAN's reader takes a
layer of digits in annotations.csv for a number, and no folder has a number's name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from filterscope import tables
from filterscope.report.atlas.layers import FIRST, Layer
from filterscope.report.atlas.photographs import ACROSS, TILE, Photographs, opened
from filterscope.report.atlas.views import View

EXEMPLARS = 15  # images of a unit (MILAN, 3)
SIDE = 224  # px, of an exemplar, at most
QUALITY = 85  # of JPEG
ANNOTATIONS = ("layer", "unit", "summary")


def layer_name(number: int) -> str:
    """What a layer is called in exports."""
    return f"layer_{number}"


def export_table(
    path: Path, layer: Layer, photographs: Photographs | None, sprites: Path, places: Mapping[str, np.ndarray]
) -> None:
    """A row per filter: number, name, claim, status, words, scores, places, and the best image's thumbnail.

    sprites: folder of the photographs' sprites; places: columns of numbers, NaN where a filter has no place.
    """
    columns = {
        "filter": pa.array(layer.filters, pa.int64()),
        "layer": pa.array([layer.given["heading"]] * len(layer.filters), pa.string()),
    }
    for name in ("name", "claim", "status"):
        columns[name] = pa.array(layer.of_filters(layer.names, name) or [None] * len(layer.filters), pa.string())
    columns["words"] = pa.array(_words(layer), pa.string())
    for name in ("auprc", "null"):
        columns[name] = pa.array(layer.of_filters(layer.names, name) or [None] * len(layer.filters), pa.float64())
    for name in ("x", "y", "u", "v"):
        values = places.get(name, np.full(len(layer.filters), np.nan))
        columns[name] = pa.array(values, pa.float64(), from_pandas=True)
    columns["thumbnail"] = pa.array(list(_thumbnails(layer, photographs, sprites)), pa.binary())
    path.parent.mkdir(parents=True, exist_ok=True)
    with tables.replacing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def _words(layer: Layer) -> list[str | None]:
    if layer.words is None:
        return [None] * len(layer.filters)
    first = layer.words[layer.words["rank"] < FIRST].sort_values(["filter", "rank"])
    lists = first.groupby("filter")["word"].agg(", ".join)
    return [lists.get(each) for each in layer.filters.tolist()]


def _thumbnails(layer: Layer, photographs: Photographs | None, sprites: Path) -> Iterator[bytes | None]:
    """The best image of every filter as JPEG; None where it is not shown."""
    best = {}
    if layer.top is not None:
        first = layer.top[(layer.top["rank"] == 0) & (layer.top["maximum"] > 0)]
        best = dict(zip(first["filter"].tolist(), first["image_id"].tolist(), strict=True))
    held: dict[int, Image.Image] = {}
    for number in layer.filters.tolist():
        tile = None if photographs is None else photographs.tiles.get(best.get(number))
        if tile is None or photographs.pixels == "none" or best[number] in photographs.unreadable:
            yield None
            continue
        sprite, place = divmod(tile, ACROSS * ACROSS)
        if sprite not in held:
            held[sprite] = Image.open(sprites / f"{sprite}.webp").convert("RGB")
        left, upper = place % ACROSS * TILE, place // ACROSS * TILE
        data = io.BytesIO()
        held[sprite].crop((left, upper, left + TILE, upper + TILE)).save(data, "JPEG", quality=QUALITY)
        yield data.getvalue()


def export_exemplars(
    folder: Path,
    layer: Layer,
    photographs: Photographs,
    source: Path,
    view: View,
    heatmaps: pa.Table,
    thresholds: pd.DataFrame,
) -> int:
    """images.npy, uint8 [units, k, 3, side, side], masks.npy, uint8 [units, k, 1, side, side], and units.npy; how many
    units there are.

    Units with fewer than k images that they rise above zero in are left out: all must have as many. A mask is where
    the map, interpolated, is above the filter's threshold. source: folder of the photographs; heatmaps, thresholds: the
    tables. Every photograph is read once.
    """
    rows = heatmaps.select(["filter", "rank", "image_id"]).to_pandas()
    rows = rows[rows["filter"].isin(layer.filters) & rows["image_id"].isin(photographs.tiles)]
    most = min(EXEMPLARS, int(rows.groupby("filter").size().max()) if len(rows) else 0)
    counts = rows.groupby("filter").size()
    units = np.sort(counts.index[counts >= most].to_numpy(np.int64)) if most else np.zeros(0, np.int64)
    if not len(units):
        return 0
    side, shape = min(SIDE, view.crop), (len(units), most)
    folder.mkdir(parents=True)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (*shape, 3, side, side))
    masks = np.lib.format.open_memmap(folder / "masks.npy", "w+", np.uint8, (*shape, 1, side, side))
    np.save(folder / "units.npy", units)
    limits = _limits(layer.top, thresholds)
    wanted = rows[rows["filter"].isin(units) & (rows["rank"] < most)].sort_values("image_id")
    paths = photographs.images.set_index("image_id")
    for image_id, own in wanted.groupby("image_id"):
        given = paths.loc[image_id]
        pixels = _seen(source / given["path"], bool(given["turned"]), view, side)
        for place, number, rank in zip(own.index, own["filter"], own["rank"], strict=True):
            unit = np.searchsorted(units, number)
            images[unit, rank] = pixels
            masks[unit, rank, 0] = _mask(heatmaps, place, side, limits[number])
    images.flush()
    masks.flush()
    return len(units)


def export_annotations(path: Path, layers: Sequence[Layer]) -> None:
    """annotations.csv: the name of every filter that has one."""
    with tables.replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(ANNOTATIONS)
        for layer in layers:
            if layer.names is not None:
                named = layer.names[layer.names["name"].notna() & layer.names["filter"].isin(layer.filters)]
                rows = zip(named["filter"], named["name"], strict=True)
                lines.writerows([layer_name(layer.number), *row] for row in rows)


def _limits(top: pd.DataFrame, thresholds: pd.DataFrame) -> dict[int, float]:
    """Every filter's threshold as a share of its largest maximum, in bytes of its heatmaps."""
    largest = top[top["rank"] == 0].set_index("filter")["maximum"]
    limits = thresholds.set_index("filter")["threshold"]
    return {int(number): 255 * float(limits[number]) / value for number, value in largest.items() if value > 0}


def _seen(path: Path, turned: bool, view: View, side: int) -> np.ndarray:
    """What the network sees of a photograph, uint8 [3, side, side]."""
    picture = opened(path, turned, 2 * side)
    width, height = picture.size
    left, upper, right, lower = view.box(width, height)
    box = (left * width, upper * height, right * width, lower * height)
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, box)).transpose(2, 0, 1)


def _mask(heatmaps: pa.Table, place: int, side: int, limit: float) -> np.ndarray:
    """Where a map is above the threshold, uint8 [side, side]."""
    shape = heatmaps["rows"][place].as_py(), heatmaps["columns"][place].as_py()
    values = np.frombuffer(heatmaps["map"][place].as_py(), np.uint8).reshape(shape)
    whole = Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR)
    return (np.asarray(whole) > limit).astype(np.uint8)
