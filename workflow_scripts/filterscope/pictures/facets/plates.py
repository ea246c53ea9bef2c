"""The thesis's two plates of a class: its map with the numbered facets around it (MFV, figures 4 and 9), and the images
nearest to every facet's centre (MFV, figures 10 and 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from PIL import Image

from filterscope.figures import Figure
from filterscope.pictures.facets.figures import facet_colours
from filterscope.pictures.figures import DPI, QUIET, TEXT

MAP, INCH, GAP = 5.0, 1.35, 0.1  # inches: side of the map, of a picture beside it, and between two
SMALL = 0.72  # inches, side of a picture on a contact sheet


def facet_plate(title: str, rows: pd.DataFrame, pictures: Mapping[int, np.ndarray | None]) -> Figure:
    """The map in the middle, a picture of each facet left and right of it, in the facet's colour and with its number.

    rows: of `facets` for one unit; pictures: uint8 [H, W, 3] by facet, None where the unit was dead.
    """
    colours = facet_colours(len(pictures)) / 255
    sides = -(-len(pictures) // 2)
    deep = max(1, -(-sides // max(1, int(MAP // (INCH + GAP)))))  # columns of pictures on each side
    wide = deep * (INCH + GAP)
    width, height = MAP + 2 * wide + 0.4, MAP + 0.6
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.2 / width, 1 - 0.12 / height, title, fontsize=12, color=TEXT, va="top")
    axes = figure.add_axes(((0.2 + wide) / width, 0.1 / height, MAP / width, MAP / height))
    axes.scatter(rows["x"], rows["y"], s=14, c=colours[rows["facet"].to_numpy()], linewidths=0)
    for facet, own in rows.groupby("facet"):
        box = {"facecolor": "white", "edgecolor": colours[facet], "boxstyle": "round,pad=0.25"}
        axes.text(own["x"].mean(), own["y"].mean(), str(facet), fontsize=11, ha="center", va="center", bbox=box)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#d0d7de")
    order = rows.groupby("facet")["x"].mean().reindex(list(pictures)).sort_values(kind="stable").index
    for left, facets in ((True, order[:sides]), (False, order[sides:])):
        high = rows.groupby("facet")["y"].mean().reindex(facets).sort_values(ascending=False, kind="stable").index
        lines = max(1, -(-len(high) // deep))
        for place, facet in enumerate(high):
            column, line = place % deep, place // deep
            x = 0.2 + column * (INCH + GAP) if left else 0.2 + wide + MAP + GAP + column * (INCH + GAP)
            y = 0.1 + (MAP - INCH) * (1 - line / (lines - 1) if lines > 1 else 0.5)
            spot = figure.add_axes((x / width, y / height, INCH / width, INCH / height))
            _framed(spot, pictures[facet], colours[facet])
            spot.set_title(str(facet), fontsize=9, color=TEXT, pad=2, loc="left")
    return figure


def contact_sheet(title: str, rows: pd.DataFrame, nearest: int, view: Callable[[int], np.ndarray]) -> Figure:
    """A row per facet: the images nearest to its centre. rows: of `facets` for one unit; view: uint8 of an image_id."""
    count = rows["facet"].max() + 1
    colours, left = facet_colours(count) / 255, 0.95
    shown = min(nearest, int(rows["rank"].max()) + 1)
    width, height = left + shown * (SMALL + 0.04) + 0.1, 0.45 + count * (SMALL + 0.08)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.1 / width, 1 - 0.1 / height, title, fontsize=11, color=TEXT, va="top")
    side = round(SMALL * DPI)
    for facet, own in rows.groupby("facet"):
        top = height - 0.42 - facet * (SMALL + 0.08)
        name = {"fontsize": 8.5, "color": colours[facet] * 0.85, "va": "center"}
        figure.text(0.1 / width, (top - SMALL / 2) / height, f"facet {facet}\n{len(own)} images", **name)
        for place, image_id in enumerate(own.sort_values("rank")["image_id"].head(shown)):
            x = left + place * (SMALL + 0.04)
            axes = figure.add_axes((x / width, (top - SMALL) / height, SMALL / width, SMALL / height))
            small = Image.fromarray(view(int(image_id))).resize((side, side), Image.Resampling.BOX)
            axes.imshow(np.asarray(small), interpolation="nearest")
            axes.set_axis_off()
    return figure


def _framed(axes, pixels: np.ndarray | None, colour: np.ndarray) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(colour)
    axes.spines[:].set_linewidth(2.5)
    if pixels is None:
        axes.text(0.5, 0.5, "no gradient", fontsize=8, color=QUIET, ha="center", va="center")
    else:
        axes.imshow(pixels, interpolation="antialiased")
