"""Layers of a network from the first to the last: how many of their names hold, and what kinds of words they have."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from filterscope.report.atlas.places import Places

# What is drawn over the layers, a chart each: columns of `depth` and what they are called.
_CHARTS = {
    "names, share of the filters": {"supported": "borne out by masks", "proved": "also by cause"},
    "first words, share of each kind": {
        "colour": "colours",
        "texture": "textures",
        "shape": "shapes",
        "thing": "things",
        "new": "new words",
    },
}


def depths(places: Places) -> list[dict]:
    """Of every group of layers that is explained as a whole: which layers, and curves over them."""
    found = []
    for entry in places.given.get("depth", []):  # no key in what versions noted that did not show it
        table = places.table(entry["tables"], "depth")
        if table is None:
            continue
        rows, file = table.sort_values("place"), places.link(entry["tables"]["depth"])
        told = {name: entry[name] for name in ("dataset", "group", "vocabulary")}
        curves = [_curve(title, columns, rows, file) for title, columns in _CHARTS.items()]
        found.append({**told, "probes": rows["probe"].tolist(), "file": file, "curves": curves})
    return found


def _curve(title: str, columns: Mapping[str, str], rows: pd.DataFrame, file: str) -> dict:
    series = [
        {"name": label, "group": label, "x": rows["place"].tolist(), "y": rows[column].tolist()}
        for column, label in columns.items()
    ]
    axes = {"x": "layer, from the first to the last", "y": title, "log_x": False, "log_y": False, "whole_x": True}
    return {"title": title, "file": file, **axes, "series": series}
