"""Figures about robustness: rho and accuracy against capacity, and attacked pictures (Debugger, 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from filterscope.diagnosis.figures import COLOURS, DPI, FAINT, MARKERS, TEXT
from filterscope.figures import Figure
from filterscope.schemas.values import PIXELS, RANGE

QUIET = "#6e7781"
LABELS = {PIXELS: "median pixels changed", RANGE: "median of the largest change"}
TITLES = {"greedy": "greedy, by gradient", "sparse": "random search", "bounded": "L-infinity, by gradient"}


def robustness_figure(
    title: str, table: pd.DataFrame, observed: pd.DataFrame, steps: pd.DataFrame | None = None
) -> Figure:
    """rho of every attack and the accuracy against capacity, with intervals; faint: the networks themselves.

    table: rows of `robustness`; observed: of `robustness_networks`; steps: of `capacity_search`.
    """
    attacks = list(dict.fromkeys(table["attack"]))
    panels = len(attacks) + 1 + (steps is not None)
    figure = Figure(figsize=(3.5 * panels + 0.3, 3.7), dpi=DPI, layout="constrained")
    lines = figure.subplots(1, panels, squeeze=False)[0]
    for place, (axes, attack) in enumerate(zip(lines, attacks, strict=False)):
        own, each = (part[part["attack"] == attack].sort_values("capacity") for part in (table, observed))
        _band(axes, own, "rho", COLOURS[place], MARKERS[place])
        if own["common_rho"].notna().any():
            style = {"color": QUIET, "linestyle": "--", "marker": ".", "linewidth": 1}
            axes.plot(own["capacity"], own["common_rho"], **style)
        axes.scatter(each["capacity"], each["rho"], s=12, color=COLOURS[place], alpha=0.35, linewidths=0)
        _dress(axes, TITLES[attack], LABELS[own["unit"].iloc[0]], own["capacity"])
        axes.set_ylim(bottom=0)
    own = table[table["attack"] == attacks[0]].sort_values("capacity")
    each = observed[observed["attack"] == attacks[0]]
    axes = lines[len(attacks)]
    _band(axes, own, "accuracy", TEXT, "s")
    axes.scatter(each["capacity"], each["accuracy"], s=12, color=TEXT, alpha=0.35, linewidths=0)
    _dress(axes, "accuracy", "share of the test split", own["capacity"])
    if steps is not None:
        _search(lines[-1], steps)
    common = f"dashed: only the {own['common_images'].mean():.0f} pictures that all of them get right"
    heading = f"{title}: bars are intervals over networks from different seeds; {common}"
    figure.suptitle(heading, fontsize=11, color=QUIET)
    return figure


def _band(axes: Axes, rows: pd.DataFrame, name: str, colour: str, marker: str) -> None:
    value, low, high = (rows[each].to_numpy(float) for each in (name, f"{name}_low", f"{name}_high"))
    reach = np.stack([value - low, high - value])
    style = {"color": colour, "marker": marker, "markersize": 5, "capsize": 3, "linewidth": 1.4}
    axes.errorbar(rows["capacity"], value, yerr=reach, **style)


def _dress(axes: Axes, title: str, label: str, bits: pd.Series, below: str = "capacity (bits)") -> None:
    axes.set_xscale("log", base=2)
    ticks: list[float] = []
    for each in sorted(set(bits), reverse=True):  # neighbours that are too near each other share a tick
        if not ticks or each < 0.85 * ticks[-1]:
            ticks.append(each)
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda each, _: f"{each:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=8, color=FAINT)
    axes.tick_params(axis="x", rotation=30)
    axes.set_xlabel(below, fontsize=9)
    axes.set_ylabel(label, fontsize=9)
    axes.set_title(title, fontsize=10, loc="left", color=TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def _search(axes: Axes, steps: pd.DataFrame) -> None:
    """The binary search (Debugger, 3.4): its visits in order, filled where they were better, ringed where it ended."""
    found = steps[steps["rho"].notna()]
    axes.plot(found["target"], found["rho"], color=FAINT, linewidth=1, zorder=1)
    for row in found.itertuples():
        face = COLOURS[0] if row.better else "white"
        axes.scatter([row.target], [row.rho], s=42, facecolors=face, edgecolors=COLOURS[0], zorder=2)
        if row.chosen:
            axes.scatter([row.target], [row.rho], s=170, facecolors="none", edgecolors=COLOURS[1], linewidths=1.6)
        axes.annotate(str(row.step + 1), (row.target, row.rho), (5, 5), textcoords="offset points", fontsize=8)
    for row in steps[steps["rho"].isna()].itertuples():
        axes.axvline(row.target, color=QUIET, linestyle=":", linewidth=1)
    _dress(
        axes,
        "the binary search, visits in order",
        LABELS[PIXELS],
        steps["target"],
        "target (bits); ring: its answer",
    )
    axes.margins(0.12, 0.18)


def attacked_figure(
    title: str, rows: pd.DataFrame, images: np.ndarray, values: np.ndarray, classes: Sequence[str], most: int = 3
) -> Figure:
    """Pictures before and after attacks, with the changed pixels marked, for every capacity and attack.

    rows: of `attacks`, with their `row` in values. images: [N, C, H, W] of the samples; values: attacked ones; most:
    pictures shown of each. An attack that counts no pixels changes nearly all of them: there the change itself is
    shown, grey for none.
    """
    shares, attacks = sorted(set(rows["share"]), reverse=True), list(dict.fromkeys(rows["attack"]))
    wide, high = len(attacks) * most * 2, len(shares)
    side, gap = 0.86, 0.34
    width, height = wide * side + (len(attacks) - 1) * gap + 1.0, high * (side + 0.32) + 0.85
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.1 / width, 1 - 0.1 / height, f"{title}: before, and after", fontsize=11, color=QUIET, va="top")
    for column, attack in enumerate(attacks):
        left = 0.85 + column * (most * 2 * side + gap)
        counted = (rows.loc[rows["attack"] == attack, "unit"] == PIXELS).all()
        mark = "changed pixels ringed" if counted else "the change"
        name = f"{TITLES[attack]} ({mark})"
        figure.text(left / width, 1 - 0.42 / height, name, fontsize=9, color=TEXT, va="top")
        for line, share in enumerate(shares):
            top = height - 0.85 - line * (side + 0.32)
            if column == 0:
                figure.text(0.1 / width, (top - side / 2) / height, f"{share} %", fontsize=9, color=TEXT, va="center")
            own = rows[(rows["share"] == share) & (rows["attack"] == attack)].head(most)
            for place, row in enumerate(own.itertuples()):
                before, after = images[row.sample], values[row.row]
                for step, picture in enumerate((before, after)):
                    x = left + (2 * place + step) * side
                    axes = figure.add_axes(
                        (x / width, (top - side) / height, 0.95 * side / width, side * 0.95 / height)
                    )
                    _picture(axes, picture, before if step else None, not counted)
                    size = f"{row.size:.0f} px" if counted else f"{row.size:.3f}"
                    said = f"{classes[row.classified]}, {size}" if row.success else "failed"
                    text = said if step else classes[row.label]
                    place_of_text = (x / width, (top - side - 0.015) / height)
                    figure.text(*place_of_text, text[:20], fontsize=6.5, color=QUIET, va="top")
    return figure


def _picture(axes: Axes, picture: np.ndarray, before: np.ndarray | None, difference: bool) -> None:
    """A picture [C, H, W] in 0 to 1; where its original is given, rings around what changed, or the change itself."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(FAINT)
    if before is not None and difference:
        change = picture - before
        picture = 0.5 + 0.5 * change / max(float(np.abs(change).max()), 1e-9)
    shown = np.repeat(picture, 3, 0) if len(picture) == 1 else picture[:3]
    axes.imshow(np.clip(shown, 0, 1).transpose(1, 2, 0), interpolation="nearest", vmin=0, vmax=1)
    if before is not None and not difference:
        rows, columns = np.nonzero((picture != before).any(0))
        size = (46 / max(picture.shape[1:])) ** 2
        axes.scatter(columns, rows, s=size, marker="s", facecolors="none", edgecolors=COLOURS[1], linewidths=0.9)
