"""Figures over all networks that drew the same classes: their criteria as dots, and a sheet per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from filterscope.figures import Figure
from filterscope.pictures.figures import BLUE, DPI, ORANGE, QUIET, TEXT
from filterscope.pictures.quality.comparison import CHECKED, criteria_of
from filterscope.pictures.quality.figures import CHECKS, COLUMNS, REAL

INCH, GAP = 1.25, 0.06  # side of a picture on a sheet of a class, and between two


def network_dots(criteria: pd.DataFrame) -> Figure:
    """One panel per measure: every network's groups with intervals. criteria: the table `network_criteria`.

    Hollow where the criterion cannot be believed for that network.
    """
    groups = [
        (probe, group)
        for probe in dict.fromkeys(criteria["probe"])
        for group in dict.fromkeys(criteria.loc[criteria["probe"] == probe, "group"])
        if group != "chance"
    ]
    shown = [name for name in (*criteria_of(criteria), *CHECKED) if (criteria["measure"] == name).any()]
    lines = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(13, lines * (0.9 + 0.19 * len(groups)) + 0.3), dpi=DPI, layout="constrained")
    panels = figure.subplots(lines, COLUMNS, squeeze=False, sharey=True).ravel()
    for axes, measure in zip(panels, shown, strict=False):
        own = criteria[criteria["measure"] == measure].set_index(["probe", "group"])
        for place, key in enumerate(groups):
            if key in own.index:
                row = own.loc[key]
                colour = QUIET if key[1] in REAL else BLUE
                hollow = {"markerfacecolor": "white"} if row["believed"] is False else {}
                axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.4)
                axes.plot(row["value"], place, "s" if key[1] in REAL else "o", color=colour, markersize=4.5, **hollow)
        chance = own[own.index.get_level_values("group") == "chance"]
        if len(chance):
            axes.axvline(chance["value"].iloc[0], color=ORANGE, linewidth=1, linestyle="--")
        axes.set_title(CHECKS.get(measure, measure.replace("_", " ")), fontsize=9, loc="left", color=TEXT)
        axes.set_yticks(range(len(groups)), [f"{probe}: {group}" for probe, group in groups], fontsize=7)
        axes.tick_params(axis="x", labelsize=7.5)
        axes.grid(axis="x", color="#eaeef2")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return figure


def class_sheet(title: str, rows: Mapping[str, Sequence[tuple[str, np.ndarray | None]]]) -> Figure:
    """A row per network, a picture per facet. rows: by the network's name (caption, uint8 [H, W, 3] or None) each."""
    columns, left = max(len(row) for row in rows.values()), 1.5
    width = left + columns * (INCH + GAP) + 0.1
    height = 0.45 + len(rows) * (INCH + 0.3)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.1 / width, 1 - 0.1 / height, title, fontsize=11, color=TEXT, va="top")
    for line, (name, row) in enumerate(rows.items()):
        top = height - 0.42 - line * (INCH + 0.3)
        figure.text(0.1 / width, (top - INCH / 2) / height, name, fontsize=9, color=TEXT, va="center", wrap=True)
        for place, (caption, pixels) in enumerate(row):
            x = left + place * (INCH + GAP)
            axes = figure.add_axes((x / width, (top - INCH) / height, INCH / width, INCH / height))
            axes.set_axis_off()
            if pixels is None:
                axes.text(0.5, 0.5, "no gradient", fontsize=8, color=QUIET, ha="center", va="center")
            else:
                axes.imshow(pixels, interpolation="antialiased")
            figure.text(x / width, (top - INCH - 0.03) / height, caption, fontsize=7, color=QUIET, va="top")
    return figure
