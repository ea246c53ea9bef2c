"""What the summary says about data, networks and trainings: the rooms diagnosis and temperature."""

from __future__ import annotations

import pandas as pd

from filterscope.report.summary import Section, ShownFigure

_SHOWN = ["network", "samples", "schedule", "seeds", "test_error", "wins", "losses", "undecided"]
_SHOWN += ["trials", "cost", "tuned_cost"]


def diagnosis_section(fit: pd.DataFrame | None, findings: list[str], figures: list[ShownFigure]) -> Section:
    """Whether networks fit their data, with the caveats; whether resampling helps and smaller is more robust.

    fit: the table of that name, or None; findings: sentences of the other tables.
    """
    lines = [] if fit is None else [f"{row.sentence} {row.caveats}".strip() for row in fit.itertuples()]
    return Section("Do networks fit their data?", [*lines, *findings], [], figures)


def temperature_section(duel: pd.DataFrame, figures: list[ShownFigure]) -> Section:
    """Which schedules beat which, at what cost; duel: the table of that name."""
    lines = [_outcome(*names, rows) for names, rows in duel.groupby(["network", "samples"], sort=False)]
    lines.append("The intervals are of 95 %, so of many pairs a few are decided by chance.")
    table = duel.sort_values(["network", "samples", "rank"], kind="stable")[_SHOWN]
    table = table.assign(
        test_error=[f"{value:.2f} %" for value in table["test_error"]],
        **{name: [f"{value:.2f}" for value in table[name]] for name in ("cost", "tuned_cost")},
    )
    table = table.rename(columns={"test_error": "test error", "tuned_cost": "cost with tuning"})
    return Section("Schedules of the learning rate", lines, [table], figures)


def _outcome(network: str, samples: str, rows: pd.DataFrame) -> str:
    best = rows.sort_values("rank", kind="stable").iloc[0]
    decided, pairs = int(rows["wins"].sum()), int(rows[["wins", "losses", "undecided"]].to_numpy().sum()) // 2
    outcome = f"{decided} of {pairs} pairs of schedules {'is' if decided == 1 else 'are'} decided"
    unequal = int(rows["unequal"].sum()) // 2
    others = f"; unequal tuning budgets leave out {unequal} more" if unequal else ""
    return (
        f"{network} on {samples}: {best['schedule']} has the least test error, {best['test_error']:.2f} %; {outcome} "
        f"(the interval of the paired difference excludes 0){others}."
    )
