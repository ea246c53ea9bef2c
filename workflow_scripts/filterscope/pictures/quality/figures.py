"""The criteria of groups of pictures, as dots with intervals."""

from __future__ import annotations

import pandas as pd

from filterscope.figures import Figure
from filterscope.pictures.figures import BLUE, DPI, ORANGE, QUIET, TEXT
from filterscope.pictures.quality.validation import verdicts

CHECKS = {
    "ratio": "activation / class's best image",
    "judge_top1": "judge: first",
    "judge_top5": "judge: first five",
}
VERDICTS = {True: ("ranks as it must", TEXT), False: ("FAILS", ORANGE), None: ("too few pictures to tell", QUIET)}
REAL = ("photographs", "mean images")  # what the pictures are compared with
COLUMNS = 4


def criteria_dots(criteria: pd.DataFrame, validation: pd.DataFrame) -> Figure:
    """criteria: the table of that name, validation: `criteria_validation`. One panel per measure that there is."""
    held = verdicts(validation)
    shown = list(dict.fromkeys(criteria["measure"]))
    groups = [name for name in dict.fromkeys(criteria["group"]) if name != "chance"]
    lines = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(11.5, lines * (1.05 + 0.26 * len(groups)) + 0.3), dpi=DPI, layout="constrained")
    panels = figure.subplots(lines, COLUMNS, squeeze=False, sharey=True).ravel()
    for axes, measure in zip(panels, shown, strict=False):
        own = criteria[criteria["measure"] == measure].set_index("group")
        for place, group in enumerate(groups):
            if group in own.index:
                row = own.loc[group]
                colour = QUIET if group in REAL else BLUE
                axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.6)
                axes.plot(row["value"], place, "s" if group in REAL else "o", color=colour, markersize=5)
        if "chance" in own.index:
            axes.axvline(own.loc["chance", "value"], color=ORANGE, linewidth=1, linestyle="--")
        title, colour = CHECKS.get(measure, measure.replace("_", " ")), TEXT
        if measure in held.index:
            said, colour = VERDICTS[None if pd.isna(held[measure]) else bool(held[measure])]
            title = f"{title}\n{said}"
        axes.set_title(title, fontsize=9, loc="left", color=colour)
        axes.set_yticks(range(len(groups)), groups, fontsize=8)
        axes.tick_params(axis="x", labelsize=7.5)
        axes.set_xlabel("share of the pictures" if measure.startswith("judge") else _axis(measure), fontsize=7.5)
        axes.grid(axis="x", color="#eaeef2")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return figure


def _axis(measure: str) -> str:
    return {
        "single_central_object": "proxy: contrast in Lab × share",
        "clarity_of_details": "proxy: share of patches",
        "ratio": "times",
    }.get(measure, "proxy: − distance from photographs")
