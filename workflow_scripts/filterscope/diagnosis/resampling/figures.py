"""Figures about resampling: samples before and after it (Debugger, figure 3), scores, the search for least capacity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from filterscope.diagnosis.figures import COLOURS, DPI, FAINT, TEXT
from filterscope.diagnosis.resampling.comparison import GUIDED, METRIC_TITLES
from filterscope.figures import Figure

QUIET = "#6e7781"
TITLES = {"none": "as they are", "smote": "SMOTE", "tomek": "Tomek links", "both": "SMOTE and Tomek links"}
RARE, OTHER, MADE = COLOURS[1], COLOURS[0], COLOURS[2]
DRAWN = 4000  # points of a panel; of more, as many are drawn, evenly over their numbers

Cloud = tuple[np.ndarray, np.ndarray, np.ndarray]


def _principal(base: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """What projects values [M, d] on the first two principal components of these."""
    from sklearn.decomposition import PCA  # takes long to load, and a plane needs none

    return PCA(2, random_state=0).fit(base).transform


def resampled_figure(title: str, clouds: Mapping[str, Cloud], classes: Sequence[str], rare: int) -> Figure:
    """Samples before and after every method: originals, synthetic ones, and those that were removed (figure 3).

    clouds: by method, beginning with none: values [M, d], labels [M], origin [M] (NaN for synthetic samples). Values of
    more than two dimensions are projected on the first two principal components of the samples as they are.
    """
    base, _, base_origin = clouds["none"]
    project = _principal(base) if base.shape[1] > 2 else lambda values: values
    figure = Figure(figsize=(3.6 * len(clouds) + 0.3, 4.2), dpi=DPI, layout="constrained")
    lines = figure.subplots(1, len(clouds), squeeze=False, sharex=True, sharey=True)[0]
    plane = project(base)
    for axes, (method, (values, labels, origin)) in zip(lines, clouds.items(), strict=True):
        places, made = project(values), np.isnan(origin.astype(float))
        for own, colour, marker, size in (
            (~made & (labels != rare), OTHER, "o", 8),
            (made, MADE, "P", 12),
            (~made & (labels == rare), RARE, "^", 24),
        ):
            shown = np.flatnonzero(own)
            shown = shown[np.unique(np.linspace(0, len(shown) - 1, min(len(shown), DRAWN)).astype(int))]
            axes.scatter(
                places[shown, 0], places[shown, 1], s=size, color=colour, marker=marker, linewidths=0, alpha=0.7
            )
        removed = ~np.isin(base_origin, origin[~made])
        style = {"s": 34, "color": "black", "marker": "x", "linewidths": 1.1}
        axes.scatter(plane[removed, 0], plane[removed, 1], **style)
        counts = f"{(labels == rare).sum():,} rare of {len(labels):,}"
        axes.set_title(f"{TITLES[method]}\n{counts}", fontsize=10, loc="left", color=TEXT)
        axes.tick_params(labelsize=7, color=FAINT)
        axes.spines[:].set_color(FAINT)
        if base.shape[1] > 2:
            axes.set_xlabel("first principal component", fontsize=9, color=QUIET)
    if base.shape[1] > 2:
        lines[0].set_ylabel("second principal component", fontsize=9, color=QUIET)
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)
        for colour, marker, label in (
            (RARE, "^", f"rare class, {classes[rare]}"),
            (OTHER, "o", "other classes" if len(classes) > 2 else f"class {classes[1 - rare]}"),
            (MADE, "P", "synthetic"),
            ("black", "x", "removed"),
        )
    ]
    figure.suptitle(title, fontsize=11, color=QUIET)
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    return figure


def scores_figure(title: str, table: pd.DataFrame) -> Figure:
    """Scores of every variant with intervals, and its gain over no resampling, seed by seed in pairs.

    table: rows of `resampling` of one set; a line of panels for every metric and classifier.
    """
    groups = list(table.groupby(["metric", "classifier"], sort=False))
    count = table["variant"].nunique()
    figure = Figure(figsize=(9.6, 0.4 + len(groups) * (0.9 + 0.27 * count)), dpi=DPI, layout="constrained")
    for line, ((metric, classifier), own) in zip(figure.subplots(len(groups), 2, squeeze=False), groups, strict=True):
        places = np.arange(len(own))
        for axes, names, label in (
            (line[0], ("value", "low", "high"), METRIC_TITLES[metric]),
            (line[1], ("gain", "gain_low", "gain_high"), "gain over no resampling"),
        ):
            value, low, high = (own[name].to_numpy(float) for name in names)
            known = ~np.isnan(value)
            for guided, colour, marker in ((False, OTHER, "o"), (True, RARE, "D")):
                part = known & (own["variant"].str.startswith(GUIDED).to_numpy() == guided)
                reach = np.stack([value - low, high - value])[:, part]
                style = {"color": colour, "fmt": marker, "markersize": 5, "capsize": 3, "linewidth": 1.3}
                axes.errorbar(value[part], places[part], xerr=reach, **style)
            axes.set_yticks(places, [name.replace("_", " ") for name in own["variant"]], fontsize=9)
            axes.set_ylim(len(own) - 0.4, -0.6)
            axes.set_xlabel(label, fontsize=9)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="x", color=FAINT, linewidth=0.6)
        line[0].set_title(f"{classifier}: mean of {own['seeds'].iloc[0]} draws", fontsize=9.5, loc="left", color=TEXT)
        line[1].axvline(0, color=QUIET, linewidth=1)
        line[1].set_yticklabels([])
    figure.suptitle(title, fontsize=11, color=QUIET)
    return figure


def history_figure(title: str, histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Expected capacity of every draw of the guided search, and the one that was taken. histories: by method."""
    figure = Figure(figsize=(3.3 * len(histories) + 0.4, 3.1), dpi=DPI, layout="constrained")
    lines = figure.subplots(1, len(histories), squeeze=False)[0]
    for place, (axes, (method, rows)) in enumerate(zip(lines, histories.items(), strict=True)):
        best = rows[rows["best"]].iloc[-1]
        axes.plot(rows["iteration"] + 1, rows["unrounded"], marker="o", markersize=4, color=COLOURS[place])
        ring = {"s": 110, "facecolors": "none", "edgecolors": "black", "linewidths": 1.4}
        axes.scatter([best["iteration"] + 1], [best["unrounded"]], **ring)
        axes.set_title(f"{TITLES[method]}, draws: {len(rows)}", fontsize=10, loc="left", color=TEXT)
        axes.set_xlabel("draw (ring: taken)", fontsize=9)
        axes.set_xlim(0.5, max(len(rows), 2) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.18)
    lines[0].set_ylabel("expected capacity, unrounded (bits)", fontsize=9)
    figure.suptitle(title, fontsize=11, color=QUIET)
    return figure
