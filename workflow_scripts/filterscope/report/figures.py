"""Figures of the report room."""

from __future__ import annotations

import numpy as np
import pandas as pd

from filterscope.figures import Figure
from filterscope.report.reproduction import ORIGINAL, OURS, REPRODUCTION
from filterscope.words.scoring.score_table import ROW_NAMES

PUBLISHED = {ORIGINAL: ("#bc4c00", "D"), REPRODUCTION: ("#d4a72c", "s")}
OURS_SHADES = ("#0969da", "#8250df", "#1a7f37", "#0a3069")
NULL_MARKS = dict(zip([row for row in ROW_NAMES if row != "words"], "x+123|_", strict=False))
COLUMNS = 2


def recall_dots(table: pd.DataFrame) -> Figure:
    """Published recall, ours with its interval and our nulls, one panel per experiment; `reproduced_recall`."""
    experiments = list(dict.fromkeys(table["experiment"]))
    lines = -(-len(experiments) // COLUMNS)
    figure = Figure(figsize=(5.2 * COLUMNS, 3.2 * lines + 0.7), dpi=110, layout="constrained")
    panels = figure.subplots(lines, COLUMNS, squeeze=False, sharey=True).ravel()
    legend = {}
    for axes, experiment in zip(panels, experiments, strict=False):
        part = table[table["experiment"] == experiment]
        ks = sorted(part["k"].unique())
        probes = sorted(set(part["probe"]) - {""})
        for (source, probe, row), own in part.dropna(subset=["value"]).groupby(["source", "probe", "row"], sort=False):
            at = np.array([ks.index(k) for k in own["k"]], np.float64)
            if source != OURS:
                colour, mark = PUBLISHED.get(source, ("black", "o"))
                drawn = axes.plot(at, own["value"], mark, color=colour, markersize=6, linestyle=":", linewidth=0.8)[0]
                legend.setdefault(source, drawn)
                continue
            place = probes.index(probe)
            at += 0.12 * (place + 1)
            colour = OURS_SHADES[place % len(OURS_SHADES)]
            if row == "words":
                drawn = axes.plot(at, own["value"], "o-", color=colour, markersize=6, linewidth=1)[0]
                axes.vlines(at, own["low"].astype(float), own["high"].astype(float), color=colour, linewidth=1.5)
                legend.setdefault(f"{OURS}, {probe}", drawn)
            else:
                mark = NULL_MARKS.get(row, ".")
                drawn = axes.plot(at, own["value"], mark, color="#6e7781", markersize=6, linestyle="none")[0]
                legend.setdefault(ROW_NAMES.get(row, row), drawn)
        if not probes:
            axes.text(0.5, 0.04, "not run here", transform=axes.transAxes, ha="center", fontsize=9, color="#6e7781")
        axes.set_xticks(range(len(ks)), [f"@{k}" for k in ks])
        axes.set_xlim(-0.4, len(ks) - 0.2)
        axes.set_title(part["title"].iloc[0], fontsize=10, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.set_ylim(0, 1)
    for axes in panels[len(experiments) :]:
        axes.set_visible(False)
    panels[0].set_ylabel("recall over the whole vocabulary", fontsize=8)
    figure.legend(legend.values(), legend.keys(), fontsize=7, frameon=False, loc="outside lower center", ncols=5)
    return figure
