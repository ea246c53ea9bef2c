"""The index of a layer: what the page must know of every filter before one is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from filterscope.report.atlas.writing import KINDS, Texts, packed

# Statuses of `filter_names`, and of filters whose layer has pictures but no explanation; a status's place is its code.
UNEXPLAINED = "unexplained"
STATUSES = ("proved", "supported", "unsupported", "cannot be told", "untested", "silent", "dead", UNEXPLAINED)
CAUSES = ("caused", "not_caused", "cannot_be_told")
FIRST = 5  # words of a filter in the index
SENSED = 6  # words of its senses in the index


@dataclass
class Layer:
    """Everything that was read of one layer. Tables are None where the study has none; filters: their numbers,
    ascending. counts: how many of all its filters, also those that are not shown, have which status."""

    number: int
    given: Mapping
    filters: np.ndarray
    names: pd.DataFrame | None
    words: pd.DataFrame | None
    apart: pd.DataFrame | None
    claims: pd.DataFrame | None
    causes: pd.DataFrame | None
    top: pd.DataFrame | None
    counts: Mapping[str, int] = field(default_factory=dict)
    senses: pd.DataFrame | None = None
    grouped: pd.DataFrame | None = None  # rows of `sense_images` whose photographs are shown
    sensed: Mapping[int, list[str]] = field(default_factory=dict)  # words of its senses, by filter

    def of_filters(self, table: pd.DataFrame | None, column: str) -> list | None:
        """A column of a table with a row per filter, in the order of the filters; None without the table."""
        if table is None:
            return None
        values = table.set_index("filter")[column].reindex(self.filters).astype(object)
        return values.where(values.notna(), None).tolist()


def counts(layer: Layer) -> dict[str, int]:
    """How many filters have which status."""
    found = dict.fromkeys(STATUSES, 0)
    for status in layer.of_filters(layer.names, "status") or [UNEXPLAINED] * len(layer.filters):
        found[status] += 1
    return {status: count for status, count in found.items() if count}


def index(
    layer: Layer,
    tiles: Mapping[int, int],
    pictures: Mapping[int, int],
    places: Mapping[str, np.ndarray],
) -> dict:
    """What the page searches, sorts and draws of a layer.

    tiles: of photographs, by image number. pictures: a filter's first picture, by filter. places: columns of numbers
    from 0 to 1, NaN where a filter has no place.
    """
    texts = Texts()
    names = layer.names
    status = layer.of_filters(names, "status") or [UNEXPLAINED] * len(layer.filters)
    cause = layer.of_filters(names, "cause") or []
    columns = {
        "filter": _numbers(layer.filters),
        "status": packed([STATUSES.index(each) for each in status], "u8"),
        "cause": packed([None if each is None else CAUSES.index(each) for each in cause], "u8"),
    }
    for name in ("name", "claim"):
        columns[name] = _coded(texts, layer.of_filters(names, name))
    new = np.zeros(len(layer.filters), np.int64)
    for shift, (name, table) in enumerate((("words", layer.words), ("apart", layer.apart))):
        lists = _lists(layer, table)
        columns[name] = _coded(texts, [word for each in lists for word, _ in each], FIRST) if lists else None
        for place, each in enumerate(lists):
            new[place] |= sum(bool(novel) << (rank + FIRST * shift) for rank, (_, novel) in enumerate(each))
    columns["novel"] = packed(new, "u16") if new.any() else None
    if layer.sensed:
        sensed = [layer.sensed.get(each, ()) for each in layer.filters.tolist()]
        filled = [word for each in sensed for word in [*each, *[None] * SENSED][:SENSED]]
        columns["sensed"] = _coded(texts, filled, SENSED)
    for name, source, column in (
        ("auprc", names, "auprc"),
        ("null", names, "null"),
        ("effect", names, "cause_effect"),
    ):
        columns[name] = packed(layer.of_filters(source, column) or [], "u16", linear=True)
    columns |= _strength(layer, tiles)
    columns["distinct"] = packed(_distinct(layer), "u16", linear=True)
    columns["senses"] = packed(layer.of_filters(layer.senses, "senses") or [], "u8")
    drawn = [pictures.get(each) for each in layer.filters.tolist()]
    columns["picture"] = packed(drawn, _kind(max(pictures.values(), default=0) + 1))
    columns |= {name: packed(each, "u16", linear=True) for name, each in places.items()}
    return {
        "number": layer.number,
        "count": len(layer.filters),
        "statuses": STATUSES,
        "texts": texts.all,
        "columns": {name: column for name, column in columns.items() if column is not None},
    }


def _numbers(filters: np.ndarray) -> dict | None:
    """The filters' numbers; None where they count from 0 on, as those of a whole layer do."""
    if np.array_equal(filters, np.arange(len(filters))):
        return None
    return packed(filters, _kind(int(filters.max(initial=0)) + 1))


def _kind(count: int) -> str:
    """The smallest kind of column that so many codes fit into, and one for no value."""
    return next(kind for kind, codes in KINDS.items() if count < codes)


def _coded(texts: Texts, values: list | None, width: int = 1) -> dict | None:
    codes = [texts.code(each) for each in values or []]
    return packed(codes, _kind(len(texts)), width)


def _lists(layer: Layer, table: pd.DataFrame | None) -> list[list[tuple[str | None, bool]]]:
    """FIRST words of every filter and whether they are new, filled up with None."""
    if table is None:
        return []
    by_filter: dict[int, list[tuple[str | None, bool]]] = {}
    shown = table[table["rank"] < FIRST].sort_values(["filter", "rank"])
    for number, word, novel in zip(shown["filter"], shown["word"], shown["novel"], strict=True):
        by_filter.setdefault(number, []).append((word, novel))
    blank = [(None, False)] * FIRST
    return [[*by_filter.get(each, []), *blank][:FIRST] for each in layer.filters.tolist()]


def _strength(layer: Layer, tiles: Mapping[int, int]) -> dict:
    """The largest maximum of every filter, and the tile of the image that it comes from."""
    if layer.top is not None:
        best = layer.top[layer.top["rank"] == 0]
    elif layer.grouped is not None:
        best = layer.grouped.sort_values(["maximum", "image_id"], ascending=[False, True]).drop_duplicates("filter")
    else:
        return {}
    strength = layer.of_filters(best, "maximum")
    images = layer.of_filters(best, "image_id")
    heard = [each if strength[place] is not None and strength[place] > 0 else None for place, each in enumerate(images)]
    return {
        "strength": packed(strength, "u16", linear=True),
        "thumb": packed([tiles.get(each) for each in heard], _kind(len(tiles))),
    }


def _distinct(layer: Layer) -> list:
    """The largest lift of a filter's words over the layer's mean filter."""
    if layer.apart is None:
        return []
    return layer.of_filters(layer.apart.groupby("filter", as_index=False)["lift"].max(), "lift")
