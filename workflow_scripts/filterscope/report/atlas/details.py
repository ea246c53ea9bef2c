"""Everything that is known of one filter, for the page that shows it alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from filterscope.report.atlas.layers import Layer
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.views import View

PER_FILE = 64  # filters
BINS = 24  # of the distribution of a filter's maxima
_CLAIM = (
    *("claim", "told", "supported", "auprc", "low", "high", "null", "lift", "iou", "f1", "correlation"),
    *("rival", "rival_auprc", "lent", "lent_supported"),
)
_CAUSE = (
    *("claim", "status", "reason", "effect", "low", "high", "null", "p", "q", "objects", "controls", "unusable"),
    *("laid_effect", "laid_p", "lost_effect", "lost_p"),
)
_NAME = ("status", "name", "claim", "reference_status", "auprc", "low", "high", "null", "cause")
_NAME += ("cause_effect", "cause_low", "cause_high", "cause_null", "picture", "picture_found", "picture_null")
_WORD = ("word", "votes", "cosine", "evidence", "lift", "novel")
_APART = ("word", "cosine", "evidence", "lift", "novel")
_PICTURE = ("recipe", "number", "path", "ratio", "activation", "best_image", "status", "note", "words", "found")
_KNOWN = ("detects", "right", "found", "rank", "passed")


@dataclass
class Beside:
    """What the details show besides a layer's own tables; None or empty where the study has none.

    heatmaps, clip_words, known, thresholds, image_words: the tables. pictures: of all recipes, with _PICTURE's columns.
    maxima: [images, filters of the network's layer]. near: places of the nearest filters, by filter. feeds: by filter,
    classes and weights. sheets: paths by filter. occluded: by filter, what covering parts of photographs does to
    it.
    """

    heatmaps: pa.Table | None = None
    clip_words: pd.DataFrame | None = None
    known: pd.DataFrame | None = None
    thresholds: pd.DataFrame | None = None
    image_words: Mapping[tuple[int, int], list[str]] = field(default_factory=dict)
    pictures: pd.DataFrame | None = None
    maxima: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    near: Sequence[Sequence[int]] = ()
    feeds: Mapping[int, list] = field(default_factory=dict)
    sheets: Mapping[int, str] = field(default_factory=dict)
    occluded: Mapping[int, list[dict]] = field(default_factory=dict)


def details(layer: Layer, photographs: Photographs | None, view: View, beside: Beside) -> Iterator[tuple[int, dict]]:
    """Number of a file and what is in it: PER_FILE filters each, in order. view: what the network sees."""
    maps = _Heatmaps(beside.heatmaps)
    lists = {
        "words": _grouped(layer.words, _WORD),
        "apart": _grouped(layer.apart, _APART),
    }
    single = {
        "name": _single(layer.names, _NAME),
        "claim": _single(layer.claims, _CLAIM),
        "cause": _single(layer.causes, _CAUSE),
        "known": _single(beside.known, _KNOWN),
        "threshold": _single(beside.thresholds, ("threshold", "dead", "fires_elsewhere", "saturated")),
    }
    top, drawn = _grouped(layer.top), _grouped(beside.pictures, _PICTURE)
    clip = _grouped(_first(beside.clip_words), ("word", "similarity"))
    for start in range(0, len(layer.filters), PER_FILE):
        shown = {}
        for number in layer.filters[start : start + PER_FILE].tolist():
            own = {name: rows[number] for name, rows in single.items() if number in rows}
            if photographs is not None:
                own["top"] = _top(number, top.get(number), photographs, view, maps, beside.image_words)
            own |= {name: rows[number] for name, rows in lists.items() if number in rows}
            if number in drawn:
                own["pictures"] = _records(drawn[number])
            own["rivals"] = _rivals(own.get("claim", {}), clip.get(number))
            if number < beside.maxima.shape[1]:
                limit = own.get("threshold", {}).get("threshold")
                own["maxima"] = {**histogram(beside.maxima[:, number]), "threshold": limit}
            for name, found in (("feeds", beside.feeds), ("sheet", beside.sheets), ("occlusions", beside.occluded)):
                if number in found:
                    own[name] = found[number]
            if number < len(beside.near):
                own["near"] = list(beside.near[number])
            shown[number] = {name: each for name, each in own.items() if each}
        yield start // PER_FILE, {"filters": shown}


def histogram(values: np.ndarray) -> dict:
    """How many images have which maximum, in BINS of equal width."""
    counts, edges = np.histogram(values.astype(np.float64), BINS)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


class _Heatmaps:
    """Maps of a layer by filter and image."""

    def __init__(self, table: pa.Table | None):
        self.rows: dict[tuple[int, int], int] = {}
        if table is None:
            return
        keys = zip(table["filter"].to_pylist(), table["image_id"].to_pylist(), strict=True)
        self.rows = {key: row for row, key in enumerate(keys)}
        self._maps = table["map"].to_pylist()
        self._columns = {
            name: table[name].to_numpy()
            for name in ("rows", "columns", "peak_row", "peak_column", "map_rows", "map_columns")
        }

    def text(self, row: int) -> str:
        """Its bytes, base64."""
        return base64.b64encode(self._maps[row]).decode()

    def at(self, row: int, name: str) -> int:
        """A column of its row."""
        return int(self._columns[name][row])

    def peak(self, row: int) -> tuple[float, float, float, float]:
        """The cell of its largest value, as shares of the view: left, upper, right, lower edge."""
        across, down = self.at(row, "map_columns"), self.at(row, "map_rows")
        left, upper = self.at(row, "peak_column") / across, self.at(row, "peak_row") / down
        return left, upper, left + 1 / across, upper + 1 / down


def _top(
    number: int,
    rows: dict | None,
    photographs: Photographs,
    view: View,
    maps: _Heatmaps,
    said: Mapping[tuple[int, int], list[str]],
) -> dict | None:
    """The filter's top images in which it rises above zero, strongest first, by column; None without any."""
    if rows is None:
        return None
    heard = [
        (image_id, maximum, tied)
        for image_id, maximum, tied in zip(rows["image_id"], rows["maximum"], rows["tied"], strict=True)
        if maximum > 0
    ]
    if not heard:
        return None
    images = [image_id for image_id, _, _ in heard]
    found = {
        "row": [photographs.tiles.get(each) for each in images],
        "maximum": [maximum for _, maximum, _ in heard],
        "tied": [tied for _, _, tied in heard],
    }
    boxes = [view.box(*photographs.size(each)) for each in images]
    if any(box != (0, 0, 1, 1) for box in boxes):
        found["view"] = boxes
    places = [maps.rows.get((number, each)) for each in images]
    if None not in places and maps.at(places[0], "map_rows") * maps.at(places[0], "map_columns") > 1:
        found |= {"h": maps.at(places[0], "rows"), "w": maps.at(places[0], "columns")}
        found["heat"] = [maps.text(each) for each in places]
        found["box"] = [_within(box, maps.peak(each)) for box, each in zip(boxes, places, strict=True)]
    if any((number, each) in said for each in images):
        found["words"] = [said.get((number, each), []) for each in images]
    return found


def _within(outer: tuple, inner: tuple) -> list[float]:
    """A box in shares of another box, in shares of what that one lies in."""
    left, upper, right, lower = outer
    wide, high = right - left, lower - upper
    return [left + inner[0] * wide, upper + inner[1] * high, left + inner[2] * wide, upper + inner[3] * high]


def _rivals(claim: Mapping, clip: dict | None) -> list[dict]:
    """What other methods call the filter."""
    found = []
    if claim.get("rival"):
        found.append({"method": "Network Dissection", "label": claim["rival"], "auprc": claim.get("rival_auprc")})
    if clip is not None:
        found.append({"method": "CLIP-Dissect", "label": ", ".join(clip["word"]), "auprc": None})
    return found


def _first(clip_words: pd.DataFrame | None) -> pd.DataFrame | None:
    if clip_words is None:
        return None
    return clip_words[(clip_words["candidates"] == "vocabulary") & (clip_words["rank"] < 3)]


def _grouped(table: pd.DataFrame | None, columns: Sequence[str] | None = None) -> dict[int, dict[str, list]]:
    """By filter, its rows' values by column, in the table's order."""
    if table is None or not len(table):
        return {}
    chosen = list(columns or [each for each in table.columns if each != "filter"])
    table = table.sort_values("filter", kind="stable")
    numbers = table["filter"].to_numpy()
    starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
    ends = [*starts[1:], len(numbers)]
    values = {name: _values(table[name]) for name in chosen}
    return {
        int(numbers[start]): {name: each[start:end] for name, each in values.items()}
        for start, end in zip(starts, ends, strict=True)
    }


def _values(column: pd.Series) -> list:
    plain = column.astype(object)
    return plain.where(plain.notna(), None).tolist()


def _records(columns: Mapping[str, list]) -> list[dict]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _single(table: pd.DataFrame | None, columns: Sequence[str]) -> dict[int, dict]:
    """The row of every filter, without what it has no value for."""
    found = {}
    for number, own in _grouped(table, columns).items():
        (row,) = _records(own)
        found[number] = {name: value for name, value in row.items() if value is not None}
    return found
