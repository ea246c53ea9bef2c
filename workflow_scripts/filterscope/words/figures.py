"""Figures of the words room, each drawn from one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from filterscope.figures import Figure
from filterscope.schemas.values import RECALL
from filterscope.words.scoring.score_table import ROW_NAMES, SCORE_NAMES

# One colour per row, the same in every figure.
COLOURS = {
    "words": "#0969da",
    "dissection": "#8250df",
    "clip_dissect": "#1a7f37",
    "constant_words": "#bc4c00",
    "shuffled_filters": "#d4a72c",
    "shuffled_labels": "#6e7781",
    "random_network": "#afb8c1",
    "ceiling": "#eaeef2",
}

PANELS = 3  # side by side

# Titles by candidates.
RECALLS = {
    "vocabulary": "recall@k over the vocabulary",
    "categories": "recall@k over the categories",
    "vocabulary_unsupervised": "recall@k of categories never supervised,\nover the vocabulary",
    "unsupervised": "recall@k of categories never supervised,\namong them",
}
CLAIMS = {
    "categories": "does the filter fire where its word is?",
    "unsupervised": "... where its word is\nthat was never supervised?",
}


def _plain(axes, title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def training_curves(history: pd.DataFrame, null: pd.DataFrame, temperatures: Sequence[pd.DataFrame] = ()) -> Figure:
    """Loss and recall over epochs, of the explainer and of the one trained on shuffled labels.

    temperatures: the tables of both, where they were measured.
    """
    measured = len(temperatures) == 2 and all(map(len, temperatures))
    figure = Figure(figsize=(13 if measured else 9, 3.2), dpi=110, layout="constrained")
    losses, recalls, *others = figure.subplots(1, 3 if measured else 2)
    both = ((history, "#0969da", "true labels"), (null, "#6e7781", "shuffled labels"))
    for table, (_, colour, name) in zip(temperatures if measured else (), both, strict=False):
        means = table.groupby("step")["temperature"].mean()
        others[0].plot(means.index, means, color=colour, label=name)
        _plain(others[0], "activation pattern temperature (bits)")
        others[0].set_xlabel("step", fontsize=8)
    for table, colour, name in both:
        losses.plot(table["epoch"], table["train_loss"], color=colour, linestyle=":", label=f"{name}, training")
        losses.plot(table["epoch"], table["val_loss"], color=colour, label=f"{name}, validation")
        best = table[table["best"]].iloc[0]
        losses.plot(best["epoch"], best["val_loss"], "o", color=colour, markersize=5)
        recalls.plot(table["epoch"], table["val_recall"], color=colour, label=name)
    _plain(losses, "loss (dot: the epoch that is kept)")
    _plain(recalls, "choosing samples with a right token among 5")
    recalls.set_ylim(0, 1)
    for axes in (losses, recalls):
        axes.set_xlabel("epoch", fontsize=8)
        axes.legend(fontsize=7, frameon=False)
    return figure


def depth_lines(depth: pd.DataFrame) -> Figure:
    """Names that hold, and kinds of words, from layer to layer; depth: the table of that name."""
    figure = Figure(figsize=(max(7.0, 2.5 + 0.9 * len(depth)), 3.6), dpi=110, layout="constrained")
    held, kinds = figure.subplots(1, 2)
    at = np.arange(len(depth))
    held.plot(at, depth["supported"], "o-", color="#0969da", label="supported by masks")
    held.plot(at, depth["proved"], "o-", color="#1a7f37", label="proved, by cause too")
    _plain(held, "share of filters whose name holds")
    bottom = np.zeros(len(depth))
    for name, colour in (("colour", "#bf3989"), ("texture", "#bc4c00"), ("shape", "#d4a72c"), ("thing", "#afb8c1")):
        share = depth[name].to_numpy(np.float64)
        kinds.bar(at, share, bottom=bottom, color=colour, label=name)
        bottom += share
    _plain(kinds, "kinds of the filters' first words")
    for axes in (held, kinds):
        axes.set_ylim(bottom=0)
        axes.set_xticks(at, [probe.partition(".")[2] for probe in depth["probe"]], rotation=45, ha="right")
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def score_bars(scores: pd.DataFrame) -> Figure:
    """Every score beside its nulls, with intervals."""
    apart = scores["candidates"].str.contains("unsupervised")
    panels = []
    for some in (scores[~apart], scores[apart]):  # what was never supervised in a line of its own
        recall, claims = (some[mask] for mask in (some["metric"] == RECALL, some["metric"] != RECALL))
        panels += [(RECALLS.get(where, where), part) for where, part in recall.groupby("candidates", sort=False)]
        panels += [(CLAIMS.get(where, where), part) for where, part in claims.groupby("candidates", sort=False)]
    lines = -(-len(panels) // PANELS)
    figure = Figure(figsize=(4.4 * min(len(panels), PANELS), 3.6 * lines), dpi=110, layout="constrained")
    for number, (title, part) in enumerate(panels, start=1):
        axes = figure.add_subplot(lines, min(len(panels), PANELS), number)
        groups = list(dict.fromkeys(zip(part["metric"], part["k"], strict=True)))
        rows = [row for row in ROW_NAMES if row in set(part["row"])]
        for place, row in enumerate(rows):
            own = part[part["row"] == row].set_index(["metric", "k"]).reindex(groups)
            values, low, high = (own[name].to_numpy(np.float64) for name in ("value", "low", "high"))
            at = np.arange(len(groups)) + (place - (len(rows) - 1) / 2) * 0.8 / len(rows)
            axes.bar(at, np.nan_to_num(values), 0.8 / len(rows), color=COLOURS[row], label=ROW_NAMES[row])
            axes.vlines(at, low, high, color="black", linewidth=0.8)
        names = [
            f"@{k}" if metric == RECALL else SCORE_NAMES.get(metric, metric).replace(" ", "\n") for metric, k in groups
        ]
        axes.set_xticks(range(len(groups)), names)
        axes.axhline(0, color="black", linewidth=0.6)
        _plain(axes, title)
    axes.legend(fontsize=7, frameon=False)
    return figure


def defect_bars(defects: pd.DataFrame) -> Figure:
    """Recall of the defaults, of every defect alone and of all of them, a panel per kind of candidates."""
    switches = list(dict.fromkeys(defects["switch"]))
    wheres = list(dict.fromkeys(defects["candidates"]))
    figure = Figure(figsize=(5.2 * len(wheres), 0.34 * len(switches) + 1.2), dpi=110, layout="constrained")
    shades = ("#9ecbff", "#54a3ff", "#0969da", "#0a3069")
    for axes, where in zip(figure.subplots(1, len(wheres), squeeze=False, sharey=True)[0], wheres, strict=True):
        part = defects[defects["candidates"] == where]
        groups = list(part.groupby("k"))
        for place, (k, rows) in enumerate(groups):
            own = rows.set_index("switch").reindex(switches)
            values, low, high = (own[name].to_numpy(np.float64) for name in ("recall", "low", "high"))
            at = np.arange(len(switches)) + (place - (len(groups) - 1) / 2) * 0.75 / len(groups)
            axes.barh(
                at, np.nan_to_num(values), 0.7 / len(groups), color=shades[place % len(shades)], label=f"recall@{k}"
            )
            axes.hlines(at, low, high, color="black", linewidth=0.8)
        for untried in np.flatnonzero(part.groupby("switch")["recall"].count().reindex(switches).to_numpy() == 0):
            axes.text(0.01, untried, "not measured", fontsize=7, va="center", color="#6e7781")
        axes.set_yticks(range(len(switches)), [switch.replace("_", " ") for switch in switches])
        _plain(axes, RECALLS[where])
    axes.invert_yaxis()  # once: the panels share it
    figure.suptitle("one defect at a time", fontsize=10)
    figure.legend(*axes.get_legend_handles_labels(), fontsize=7, frameon=False, loc="outside lower center", ncols=4)
    return figure
