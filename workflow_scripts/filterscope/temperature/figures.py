"""Figures of the temperature room, each drawn from one table (ActCooLR, figures 1 to 5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from filterscope.figures import Figure

QUIET = "#6e7781"
# Okabe and Ito's colours, told apart by everybody; then the same dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLES = ("-", "--", ":")
HEAT = "cividis"
DPI = 110


def _plain(axes, title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def _line(number: int) -> dict:
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": STYLES[number // len(COLOURS) % len(STYLES)]}


def heatmaps(heat: pd.DataFrame, title: str) -> Figure:
    """Figure 1: temperature of every activation over the training, a panel per schedule, one scale for all.

    heat: lines of `temperature_courses`. The first activation of the network is at the bottom; the panel of a training
    that diverged is empty from there.
    """
    names = list(dict.fromkeys(heat["schedule"]))
    layers = int(heat["place"].max()) + 1
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    height = float(np.clip(0.16 * layers, 1.7, 4.2)) + 0.5
    figure = Figure(figsize=(2.9 * columns + 1.1, height * lines + 0.5), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    highest = float(heat["temperature"].max()) or 1.0
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for number, (axes, name) in enumerate(zip(panels, names, strict=False)):
        grid = heat[heat["schedule"] == name].pivot(index="place", columns="step", values="temperature")
        steps = grid.columns.to_numpy()
        width = float(np.median(np.diff(steps))) if len(steps) > 1 else 1.0
        edges = np.append(steps, steps[-1] + width)
        mesh = axes.pcolormesh(
            edges, np.arange(layers + 1), grid.reindex(range(layers)), vmin=0, vmax=highest, cmap=HEAT, rasterized=True
        )
        axes.set_xlim(heat["step"].min(), heat["step"].max() + width)
        axes.set_title(name, fontsize=10, loc="left")
        axes.tick_params(labelsize=8)
        shown = np.arange(0, layers, max(1, round(layers / 8)))
        axes.set_yticks(shown + 0.5, shown + 1)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        if number % columns == 0:
            axes.set_ylabel("activation in the network", fontsize=8)
        axes.set_xlabel("step", fontsize=8)
    bar = figure.colorbar(mesh, ax=list(panels[: len(names)]), shrink=0.9, pad=0.01, aspect=25)
    bar.set_label("temperature (bits)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def course_panels(courses: pd.DataFrame, title: str) -> Figure:
    """Figure 2: learning rate, validation accuracy and mean temperature, a line per schedule.

    courses: lines of `courses`.
    """
    figure = Figure(figsize=(12, 3.7), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    panels = figure.subplots(1, 3)
    names = list(dict.fromkeys(courses["schedule"]))
    for axes, (quantity, label) in zip(panels, QUANTITIES.items(), strict=True):
        for number, name in enumerate(names):
            own = courses[(courses["schedule"] == name) & (courses["quantity"] == quantity)]
            if quantity == "learning_rate":
                own = own[own["value"] > 0]  # a falling schedule ends at 0, which a logarithm does not show
            axes.plot(own["step"], own["value"], linewidth=1.5, label=name, **_line(number))
        _plain(axes, label)
        axes.set_xlabel("step", fontsize=8)
    panels[0].set_yscale("log")
    panels[2].set_ylim(bottom=0)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8, frameon=False
    )
    return figure


QUANTITIES = {
    "learning_rate": "learning rate",
    "val_accuracy": "validation accuracy",
    "temperature": "mean temperature (bits)",
}


def range_panels(points: pd.DataFrame, fits: pd.DataFrame, title: str) -> Figure:
    """Figures 3 and 4: probability that a pattern changes over the learning rate of one step, at several moments.

    Dots are measured, lines the fitted model; of all layers (their mean temperature) and of the last.
    points, fits: lines of `range_points` and `range_fits`.
    """
    figure = Figure(figsize=(10, 4), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    kinds = list(dict.fromkeys(points["layers"]))
    moments = sorted(points["moment"].unique())
    shades = colormaps[HEAT](np.linspace(0.0, 0.85, len(moments)))
    for axes, kind in zip(figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0], kinds, strict=True):
        for moment, colour in zip(moments, shades, strict=True):
            own = points[(points["layers"] == kind) & (points["moment"] == moment)]
            fit = fits[(fits["layers"] == kind) & (fits["moment"] == moment)].iloc[0]
            axes.plot(own["learning_rate"], own["probability"], "o", markersize=3.5, color=colour)
            known = pd.notna(fit["sigma"])
            said = f"σ {fit['sigma']:.2f}, μ {fit['mu']:.2f}" if known else "no fit"
            values = own["fitted"] if known else np.full(len(own), np.nan)
            axes.plot(own["learning_rate"], values, color=colour, linewidth=1.4, label=f"after {moment:.0%}: {said}")
        axes.set_xscale("log")
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("learning rate of one step", fontsize=8)
        _plain(axes, kind)
        axes.legend(fontsize=7.5, frameon=False, loc="lower right")
        axes.set_ylabel("probability that a pattern changes", fontsize=8)
    return figure


def start_panels(courses: pd.DataFrame, title: str) -> Figure:
    """Figure 5: learning rate and validation error, a line per learning rate that the training began with.

    courses: lines of `courses` of the schedules that differ in nothing else.
    """
    figure = Figure(figsize=(9.6, 3.7), dpi=DPI, layout="constrained")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    rates, errors = figure.subplots(1, 2)
    for number, name in enumerate(dict.fromkeys(courses["schedule"])):
        own = courses[courses["schedule"] == name]
        rate = own[(own["quantity"] == "learning_rate") & (own["value"] > 0)]
        accuracy = own[own["quantity"] == "val_accuracy"]
        rates.plot(rate["step"], rate["value"], linewidth=1.5, label=name, **_line(number))
        errors.plot(accuracy["step"], 100 * (1 - accuracy["value"]), linewidth=1.5, **_line(number))
    rates.set_yscale("log")
    _plain(rates, "learning rate")
    _plain(errors, "validation error (%)")
    for axes in (rates, errors):
        axes.set_xlabel("step", fontsize=8)
    figure.legend(*rates.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def error_intervals(table: pd.DataFrame) -> Figure:
    """Test error of every schedule with its interval, and what was published; a panel per network and samples.

    table: lines of `training_table` that were measured here or belong to such.
    """
    own = table[~table["status"].str.contains("not run here")]
    groups = list(own.groupby(["network", "samples"], sort=False))
    tallest = max(len(part) for _, part in groups)
    figure = Figure(figsize=(5.4 * min(len(groups), 3), (0.33 * tallest + 1.1) * -(-len(groups) // 3)), dpi=DPI)
    figure.set_layout_engine("constrained")
    for number, ((network, samples), part) in enumerate(groups, start=1):
        axes = figure.add_subplot(-(-len(groups) // 3), min(len(groups), 3), number)
        part = part[part["test_error"].notna()].sort_values("test_error", ascending=False, kind="stable")
        for place, line in enumerate(part.itertuples()):
            ours = line.printed == ""
            axes.plot(
                line.test_error, place, "o" if ours else "D", color=COLOURS[0] if ours else COLOURS[1], markersize=5
            )
            if pd.notna(line.low):
                axes.plot([max(line.low, 0), line.high], [place, place], color=COLOURS[0], linewidth=1.4)
        labels = [line.schedule if line.printed == "" else f"{line.method}, published" for line in part.itertuples()]
        axes.set_yticks(range(len(part)), labels, fontsize=8)
        axes.set_ylim(-0.6, len(part) - 0.4)
        axes.set_xlim(left=0)
        axes.grid(axis="x", color="#d0d7de", linewidth=0.6)
        axes.set_xlabel("test error (%), line: interval of the mean over seeds", fontsize=8)
        _plain(axes, f"{network} on {samples}")
    return figure
