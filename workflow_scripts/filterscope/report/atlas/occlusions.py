"""Pages of covered photographs: what covering a part does to the strongest filters, beside random rectangles."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.pictures.occlusion_text import sentences
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.pictures import Gallery
from filterscope.report.atlas.places import Places
from filterscope.report.atlas.views import View

SIDE = 24  # cells of a map of importance that is kept, at most
MOST = 60  # covered views of a photograph that are stored, those that cost most filters
_PARTS = ("kind", "name", "fill", "area", "overlap", "change", "change_strongest")
_NULLS = ("null_overlap", "null_low", "null_high", "p")


def shown_photographs(places: Places, given: Mapping) -> set[int]:
    """Numbers of a layer's photographs that are covered or asked for their strongest filters."""
    found: set[int] = set()
    if given["occlusions"]:
        table = places.table(given["occlusions"]["tables"], "occlusions")
        found |= set() if table is None else set(table["image_id"].tolist())
    strongest = _strongest(places, given)
    return found if strongest is None else found | set(strongest["image_id"].tolist())


def occlusion_pages(
    places: Places,
    layer: int,
    given: Mapping,
    photographs: Mapping[str, Photographs],
    gallery: Gallery,
    pixels: str,
    first: int,
) -> list[dict]:
    """A page per photograph of a layer that is covered or asked for its strongest filters; first: number of the first
    of them."""
    own = given["occlusions"]["tables"] if given["occlusions"] else {}
    covered, strongest = places.table(own, "occlusions"), _strongest(places, given)
    shown = photographs.get(given["dataset"])
    if shown is None:
        return []
    importances = places.arrow(own, "importances")
    images = [each["image_id"] for each in (covered, strongest) if each is not None]
    pages = []
    for image_id in pd.unique(pd.concat(images)).tolist() if images else []:
        view = View(**given["view"])
        box = view.box(*shown.size(image_id))
        page = {
            "number": first + len(pages),
            "photographs": shown.number,
            "row": shown.tiles[image_id],
            "image": image_id,
            "dataset": given["dataset"],
            "probe": given["probe"],
            "layer": layer,
            "view": box,
        }
        if covered is not None and (covered["image_id"] == image_id).any():
            rows = covered[covered["image_id"] == image_id]
            page |= _covered(places, own, rows, shown.size(image_id), gallery, pixels, view)
            if importances is not None:
                page["importances"] = _importances(importances, image_id, box)
        if strongest is not None and (strongest["image_id"] == image_id).any():
            rows = strongest[strongest["image_id"] == image_id].sort_values("rank")
            names = ("filter", "activation", "share")
            page["strongest"] = {name: rows[name].tolist() for name in names}
            page |= {"scenario": rows["scenario"].iloc[0], "median": rows["median"].iloc[0]}
            page["strongest_file"] = places.link(given["strongest"])
        pages.append(page)
    return pages


def covered_by_filter(pages: Sequence[Mapping]) -> dict[int, list[dict]]:
    """By filter, the photographs whose strongest filters it is among: its place there, and what place it keeps when
    parts are covered, None where it falls out of the strongest.

    parts: name, share of the view, place; squares, squares_out: of a sliding one, how many places it has, and at how
    many the filter falls out.
    """
    found: dict[int, list[dict]] = {}
    for page in pages:
        parts = page.get("parts", {"kind": [], "filters": [page["strongest"]["filter"]] if "strongest" in page else []})
        own = parts["filters"][0]
        named = [place for place, kind in enumerate(parts["kind"]) if kind not in ("photograph", "square")]
        squares = [place for place, kind in enumerate(parts["kind"]) if kind == "square"]
        for rank, number in enumerate(own):
            left = {place: _place(number, parts["filters"][place]) for place in (*named, *squares)}
            told = {name: page[name] for name in ("number", "image", "row")} | {"rank": rank, "size": len(own)}
            told["file"] = page.get("file", page.get("strongest_file"))
            told["parts"] = [[_called(parts, place), parts["area"][place], left[place]] for place in named]
            told |= {"squares": len(squares), "squares_out": sum(left[place] is None for place in squares)}
            found.setdefault(number, []).append(told)
    return found


def _place(number: int, filters: Sequence[int]) -> int | None:
    return filters.index(number) if number in filters else None


def _called(parts: Mapping, place: int) -> str:
    name, fill = parts["name"][place] or parts["kind"][place], parts["fill"][place]
    return f"{name}, {fill}" if fill else name


def _strongest(places: Places, given: Mapping) -> pd.DataFrame | None:
    place = given["strongest"]
    return places.table({"strongest_filters": place}, "strongest_filters") if place else None


def _covered(
    places: Places,
    own: Mapping[str, str],
    rows: pd.DataFrame,
    size: tuple[int, int],
    gallery: Gallery,
    pixels: str,
    view: View,
) -> dict:
    """The covered parts of one photograph by column, the photograph itself first. size: its width and height, px."""
    rows = rows.sort_values("number")
    parts = {name: rows[name].tolist() for name in (*_PARTS, *_NULLS)}
    parts["number"] = rows["number"].tolist()
    parts["box"] = [_shares(row, size, view) for row in rows.itertuples()]
    parts["filters"] = [[int(each) for each in text.replace(",", " ").split()] for text in rows["filters"]]
    worth = rows[rows["path"].notna()].sort_values(["overlap", "number"])["number"][:MOST].tolist()
    beside = places.path(own["occlusions"]).parent
    parts["path"] = [
        gallery.path(beside / path) if number in worth and pixels != "none" else None
        for number, path in zip(rows["number"], rows["path"], strict=True)
    ]
    said = sentences(rows)
    return {"parts": parts, "sentences": said, "file": places.link(own["occlusions"]), "size": len(parts["filters"][0])}


def _shares(row, size: tuple[int, int], view: View) -> list[float] | None:
    """The covered box in shares of the photograph; a square's is told in px of the view."""
    if row.kind == "photograph":
        return None
    if row.kind != "square":
        return [row.x0 / size[0], row.y0 / size[1], row.x1 / size[0], row.y1 / size[1]]
    left, upper, right, lower = view.box(*size)
    across, down = (right - left) / view.crop, (lower - upper) / view.crop
    return [left + row.x0 * across, upper + row.y0 * down, left + row.x1 * across, upper + row.y1 * down]


def _importances(table, image_id: int, view: tuple) -> dict:
    """Both maps of importance over the network's view, as bytes of their largest value."""
    place = table["image_id"].to_pylist().index(image_id)
    found = {"view": view}
    for name in ("lost", "weaker"):
        whole = tables.matrix(table[name].combine_chunks())[place]
        side = round(len(whole) ** 0.5)
        small = _pooled(whole.reshape(side, side))
        most = float(small.max())
        codes = np.rint(np.clip(small / most, 0, 1) * 255) if most > 0 else np.zeros_like(small)
        found |= {"h": len(small), "w": len(small), f"{name}_most": most}
        found[name] = base64.b64encode(codes.astype(np.uint8).tobytes()).decode()
    return found


def _pooled(values: np.ndarray) -> np.ndarray:
    """Means over cells, SIDE of them along either side at most."""
    side = min(SIDE, len(values))
    edges = np.linspace(0, len(values), side + 1).round().astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges, 0), edges, 1)
    spans = np.diff([*edges, len(values)])
    return sums / np.outer(spans, spans)
