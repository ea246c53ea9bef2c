"""Figures of the diagnosis room: complexity of data and capacity of networks (Debugger, figures 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from filterscope.figures import Figure

TEXT, FAINT = "#1f2328", "#d0d7de"
# Okabe and Ito's colours, which people of any colour vision tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
OWN, PUBLISHED = COLOURS[0], COLOURS[1]
OWN_STYLE = {"color": OWN, "marker": "o", "markersize": 4.5, "linewidth": 1.3, "capsize": 3}
SHUFFLED_STYLE = {"color": "#afb8c1", "marker": "s", "markersize": 8, "linewidth": 4, "elinewidth": 2, "capsize": 5}
NUMBER = {"va": "center", "fontsize": 7, "color": "#6e7781"}
DPI = 100
ACROSS = 4  # panels on a line
DRAWN = 400  # points of a plane; of more, as many are drawn, evenly over their numbers
NAMED = 24  # classes whose names fit on an axis


def planes_figure(sets: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Figure:
    """Data sets of two dimensions side by side (figure 1): names, points [N, 2], labels [N]."""
    figure = Figure(figsize=(2.6 * len(sets) + 0.3, 3.0), dpi=DPI, layout="constrained")
    for axes, (name, points, labels) in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets, strict=True):
        shown = np.unique(np.linspace(0, len(points) - 1, min(len(points), DRAWN)).round().astype(int))
        for label in np.unique(labels):
            own = shown[labels[shown] == label]
            style = {"s": 9, "color": COLOURS[label % len(COLOURS)], "marker": MARKERS[label % len(MARKERS)]}
            axes.scatter(points[own, 0], points[own, 1], linewidths=0, alpha=0.85, **style)
        axes.set_title(f"{name}, {len(points):,} points", fontsize=10, loc="left", color=TEXT)
        axes.set_aspect("equal", adjustable="datalim")
        axes.tick_params(labelsize=7, color=FAINT)
        axes.spines[:].set_color(FAINT)
    return figure


def curves_figure(table: pd.DataFrame) -> Figure:
    """Both measures of every data set over the number of samples, beside shuffled labels and published values.

    table: `complexity`; a line for every set, a panel for the expected capacity and one for each embedding's CSG.
    """
    lines = _lines(table)
    figure = Figure(figsize=(3.4 * ACROSS, 2.3 * len(lines) + 0.7), dpi=DPI, layout="constrained")
    grid = figure.subplots(len(lines), ACROSS, squeeze=False)
    shown = {}
    for axes_of_line, line in zip(grid, lines, strict=True):
        for axes, (name, measure, embedding, rows) in zip(axes_of_line, line, strict=False):
            _curve(axes, rows.sort_values("count"))
            heading = "expected capacity (bits)" if measure == "expected capacity" else f"CSG, {embedding}"
            axes.set_title(f"{name}: {heading}", fontsize=9.5, loc="left", color=TEXT)
            shown |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        for axes in axes_of_line[len(line) :]:
            axes.set_axis_off()
    for axes, _ in zip(grid[-1], lines[-1], strict=False):
        axes.set_xlabel("samples", fontsize=9)
    style = {"ncols": len(shown), "fontsize": 9, "frameon": False}
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", **style)
    return figure


def _lines(table: pd.DataFrame) -> list[list[tuple[str, str, str, pd.DataFrame]]]:
    """Panels line by line; those of a set stay together where they fit on a line."""
    lines: list[list] = [[]]
    for name in dict.fromkeys(table["samples"]):
        own = table[table["samples"] == name].groupby(["measure", "embedding"], sort=False)
        panels = [(name, *keys, rows) for keys, rows in own]
        if lines[-1] and len(lines[-1]) + len(panels) > ACROSS:
            lines.append([])
        for panel in panels:
            if len(lines[-1]) == ACROSS:
                lines.append([])
            lines[-1].append(panel)
    return lines


def _curve(axes: Axes, rows: pd.DataFrame) -> None:
    """One measure of one data set: medians with 95 % of the draws, own labels and shuffled ones."""
    for value, low, high, label, style in (
        ("null", "null_low", "null_high", "shuffled labels", SHUFFLED_STYLE),  # wide, to be seen below the other
        ("value", "low", "high", "own labels", OWN_STYLE),
    ):
        centre = rows[value].to_numpy(float)
        reach = np.abs(np.stack([centre - rows[low].to_numpy(float), rows[high].to_numpy(float) - centre]))
        axes.errorbar(rows["count"], centre, yerr=reach, label=f"{label} (95 %)", **style)
    published = rows["published"].dropna()
    if len(published):
        axes.axhline(float(published.iloc[0]), color=PUBLISHED, linestyle="--", linewidth=1.2, label="published")
    axes.set_xscale("log")
    counts = rows["count"].to_numpy(int)
    apart = np.append(counts[1:] > 1.5 * counts[:-1], True)  # ticks whose labels do not touch
    axes.set_xticks(counts[apart], [f"{count:,}" for count in counts[apart]])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.margins(x=0.12)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def similarity_figure(title: str, similarities: pd.DataFrame, places: pd.DataFrame) -> Figure:
    """How alike the classes are, as a heatmap, and as a plane where similar classes are near each other.

    similarities: rows of `class_similarities`; places: of `class_places`, for one embedding.
    """
    names = list(places["class"])
    matrix = similarities.pivot(index="class", columns="other", values="similarity").loc[names, names].to_numpy(float)
    figure = Figure(figsize=(10.4, 5.0), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.12, 1))
    off = matrix[~np.eye(len(matrix), dtype=bool)]
    top = max(float(off.max()), 1e-3)  # the diagonal is 1 and would hide the rest
    shown = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    colours = matplotlib.colormaps["cividis"].with_extremes(bad="#f6f8fa")
    image = left.imshow(shown, cmap=colours, vmin=0, vmax=top)
    figure.colorbar(image, ax=left, shrink=0.8).set_label("similarity of neighbourhoods (0 to 1)", fontsize=9)
    ticks = np.arange(len(names)) if len(names) <= NAMED else []
    left.set_xticks(ticks, names if len(names) <= NAMED else [], rotation=90, fontsize=8)
    left.set_yticks(ticks, names if len(names) <= NAMED else [], fontsize=8)
    if len(names) <= 12:
        for row, column in np.argwhere(~np.eye(len(matrix), dtype=bool)):
            value = matrix[row, column]
            light = np.dot(to_rgb(colours(value / top)), (0.3, 0.6, 0.1)) > 0.5
            style = {"fontsize": 7, "ha": "center", "va": "center", "color": TEXT if light else "white"}
            left.text(column, row, f"{value:.2f}", **style)
    left.set_title(title, fontsize=10.5, loc="left", color=TEXT)
    _class_plane(right, matrix, places, float(off.min()), top)
    return figure


def _class_plane(axes: Axes, matrix: np.ndarray, places: pd.DataFrame, low: float, top: float) -> None:
    """Links are the stronger the nearer a similarity is to the largest, `top`; those near the least are left out."""
    x, y = places["x"].to_numpy(float), places["y"].to_numpy(float)
    for first, second in zip(*np.triu_indices(len(x), 1), strict=True):
        strength = (matrix[first, second] - low) / max(top - low, 1e-9)
        if strength > 0.05:
            line = {"color": OWN, "alpha": 0.15 + 0.6 * strength, "linewidth": 0.5 + 3 * strength, "zorder": 1}
            axes.plot(x[[first, second]], y[[first, second]], **line)
    axes.scatter(x, y, s=28, color=TEXT, zorder=2)
    near = 0.03 * max(np.ptp(x), np.ptp(y), 1e-9)  # names of classes nearer than this would cover each other
    told: set[int] = set()
    for index in range(len(x)):
        if index not in told:
            here = np.flatnonzero(np.hypot(x - x[index], y - y[index]) < near)
            told |= set(here.tolist())
            left = x[index] <= np.median(x)
            style = {"fontsize": 8.5, "color": TEXT, "ha": "left" if left else "right", "zorder": 3}
            away = (5 if left else -5, 5)
            name = ", ".join(places["class"].iloc[here])
            axes.annotate(name, (x[index], y[index]), xytext=away, textcoords="offset points", **style)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(FAINT)
    axes.set_title("similar classes near each other, linked by similarity", fontsize=10.5, loc="left", color=TEXT)


def layers_figure(network: str, layers: pd.DataFrame, whole: Mapping) -> Figure:
    """Bits of every layer that holds some (figure 2), by the four rules and by the printed algorithm.

    layers: `layer_capacities`; whole: the network's row of `network_capacities`.
    """
    rows = layers[layers["parameters"] > 0].reset_index(drop=True)
    many = len(rows) > 40
    figure = Figure(figsize=(8.6, 1.5 + (7.0 if many else max(1.2, 0.3 * len(rows)))), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(rows))
    axes.barh(places - 0.2, rows["capacity"], height=0.4, color=OWN, label=f"four rules: {whole['capacity']:,} bits")
    printed = f"algorithm as printed: {whole['printed']:,} bits"
    axes.barh(places + 0.2, rows["printed"], height=0.4, color=PUBLISHED, label=printed)
    axes.plot(rows["parameters"], places, linestyle="none", marker="|", markersize=7, color=TEXT, label="parameters")
    step = max(1, -(-len(rows) // 60))
    axes.set_yticks(places[::step], rows["layer"][::step], fontsize=6 if many else 8)
    if not many:
        for place, held in zip(places, rows["capacity"], strict=True):
            axes.annotate(f"{held:,}", (held, place - 0.2), xytext=(7, 0), textcoords="offset points", **NUMBER)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=10)
    axes.set_xlim(left=0)
    axes.set_xlabel("bits (logarithmic above 10)", fontsize=9)
    axes.set_title(f"Capacity of {network}, input {whole['size']} px", fontsize=11, loc="left", color=TEXT)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    return figure
