"""Schedules against each other: errors with intervals over seeds, published numbers beside ours, wins, losses, cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from filterscope import intervals, tables
from filterscope.temperature.endings import DIVERGED

OURS = "Filterscope"
PERCENT = (0.0, 100.0)  # range of errors
FEWEST = 3  # seeds of a comparison that counts
WIN, LOSS, UNDECIDED = "win", "loss", "undecided"
EQUAL, UNEQUAL = "equal", "unequal"  # budgets of the tuning of two schedules
TuningTrials = Mapping[tuple[str, str, str], int]  # trainings that tuning took, by (network, samples, schedule)
_SAME = 1e-9  # percentage points: far less than one test picture, far more than rounding
_KEYS = ["network", "samples", "schedule"]


def read_published(file: str | Path | TextIO) -> pd.DataFrame:
    """Tables 2 and 3 of ActCooLR: the `published_training` table from its CSV, values as they were printed."""
    table = pd.read_csv(file, dtype={"printed": str, "note": str}, keep_default_na=False)
    return tables.checked(table, "published_training", "the published errors").to_pandas()


def interval(
    values: np.ndarray, confidence: float, within: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float | None, float | None]:
    """Student's interval of the mean, cut at `within`; None for a single value and for values that are all the same.

    Test errors are counts of few pictures, so a few seeds can agree by chance; an interval of no width would call that
    certainty.
    """
    if len(values) < 2 or np.ptp(values) < _SAME:
        return None, None
    return intervals.mean_interval(values, confidence, within)


def training_table(
    results: pd.DataFrame, published: pd.DataFrame, experiments: Mapping[tuple[str, str], str], confidence: float = 0.95
) -> pd.DataFrame:
    """Tables 2 and 3 made anew: published errors, and ours as mean and interval over the seeds.

    results: lines of `training_results`. experiments: the published experiment that a (network, samples) repeats.
    A published experiment that this study does not repeat says so; a mean of fewer than three seeds does too, and has
    no interval.
    """
    lines = []
    repeated = set()
    for (network, samples), part in results.groupby(["network", "samples"], sort=False):
        experiment = experiments.get((network, samples))
        theirs = published[published["experiment"] == experiment]
        lines += [_published_line(line, network, samples, "published") for line in theirs.itertuples()]
        repeated.add(experiment)
        for schedule, own in part.groupby("schedule", sort=False):
            errors = own["test_error"].to_numpy(np.float64)
            low, high = interval(errors, confidence, PERCENT) if len(own) >= FEWEST else (None, None)
            first = own.iloc[0]
            lines.append(
                {
                    "experiment": experiment or "",
                    "network": network,
                    "samples": samples,
                    "epochs": int(first["epochs"]),
                    "schedule": schedule,
                    "method": first["method"],
                    "source": OURS,
                    "settings": first["settings"],
                    "printed": "",
                    "test_error": float(errors.mean()),
                    "low": low,
                    "high": high,
                    "seeds": len(own),
                    "diverged": int((own["status"] == DIVERGED).sum()),
                    "status": "measured" if len(own) >= FEWEST else f"measured, fewer than {FEWEST} seeds",
                }
            )
    others = published[~published["experiment"].isin(repeated)]
    lines += [_published_line(line, line.network, line.data, "published; not run here") for line in others.itertuples()]
    return pd.DataFrame(lines)


def _published_line(line, network: str, samples: str, status: str) -> dict:
    return {
        "experiment": line.experiment,
        "network": network,
        "samples": samples,
        "epochs": int(line.epochs),
        "schedule": line.method,
        "method": line.method,
        "source": line.source,
        "settings": line.settings,
        "printed": line.printed,
        "test_error": float(line.printed) if line.printed else None,
        "low": None,
        "high": None,
        "seeds": None,
        "diverged": None,
        "status": status if line.printed else f"{status}, without an error",
    }


def pairs_table(results: pd.DataFrame, trials: TuningTrials, confidence: float = 0.95) -> pd.DataFrame:
    """Every schedule against every other on the same network and samples, paired by seed.

    A win is an interval of the difference of test errors (percentage points) that lies below 0; fewer than three
    common seeds decide nothing, nor do seeds whose differences are all the same, which have no interval.
    budget: unequal where the tuning of one of the two took more trials, so that its win would not be the schedule's.
    """
    lines = []
    for (network, samples), part in results.groupby(["network", "samples"], sort=False):
        errors = part.pivot(index="seed", columns="schedule", values="test_error")
        for schedule, rival in permutations(dict.fromkeys(part["schedule"]), 2):
            differences = (errors[schedule] - errors[rival]).dropna().to_numpy()
            low, high = interval(differences, confidence)
            tried = [trials.get((network, samples, each), 0) for each in (schedule, rival)]
            lines.append(
                {
                    "network": network,
                    "samples": samples,
                    "schedule": schedule,
                    "rival": rival,
                    "budget": EQUAL if tried[0] == tried[1] else UNEQUAL,
                    "seeds": len(differences),
                    "difference": float(differences.mean()) if len(differences) else None,
                    "low": low,
                    "high": high,
                    "outcome": _outcome(low, high, len(differences)),
                }
            )
    return pd.DataFrame(lines, columns=[*_KEYS, "rival", "budget", "seeds", "difference", "low", "high", "outcome"])


def _outcome(low: float | None, high: float | None, seeds: int) -> str:
    if seeds < FEWEST or low is None:
        return UNDECIDED
    return WIN if high < 0 else LOSS if low > 0 else UNDECIDED


def duel_table(results: pd.DataFrame, pairs: pd.DataFrame, trials: TuningTrials) -> pd.DataFrame:
    """Wins, losses and cost of every schedule, on each network and samples and (samples "all") in total.

    Only pairs of equal tuning budgets are wins, losses or undecided; `unequal` counts the others. cost: passes of a
    batch for one training, relative to the cheapest training of the same network and samples that did not diverge;
    tuned_cost counts the tuning in.
    """
    lines = []
    for (network, samples), part in results.groupby(["network", "samples"], sort=False):
        means = part.groupby("schedule", sort=False)[["test_error", "passes"]].mean()
        whole = part.loc[part["status"] != DIVERGED, "passes"]  # one that diverged took few passes, for nothing
        cheapest = (whole if len(whole) else part["passes"]).min()
        for schedule, own in means.iterrows():
            own_pairs = pairs[(pairs[_KEYS] == [network, samples, schedule]).all(axis=1)]
            counted = own_pairs.loc[own_pairs["budget"] == EQUAL, "outcome"]
            tried = trials.get((network, samples, schedule), 0)
            lines.append(
                {
                    "network": network,
                    "samples": samples,
                    "schedule": schedule,
                    "method": part.loc[part["schedule"] == schedule, "method"].iloc[0],
                    "seeds": int((part["schedule"] == schedule).sum()),
                    "test_error": float(own["test_error"]),
                    "rank": int((means["test_error"] < own["test_error"]).sum()) + 1,
                    **{f"{name}": int((counted == outcome).sum()) for name, outcome in _COUNTS.items()},
                    "unequal": len(own_pairs) - len(counted),
                    "trials": tried,
                    "cost": float(own["passes"] / cheapest),
                    "tuned_cost": float(own["passes"] * (1 + tried) / cheapest),
                }
            )
    table = pd.DataFrame(lines)
    return pd.concat([table, _totals(table)], ignore_index=True) if _several(results) else table


_COUNTS = {"wins": WIN, "losses": LOSS, "undecided": UNDECIDED}


def _several(results: pd.DataFrame) -> bool:
    return len(results[["network", "samples"]].drop_duplicates()) > 1


def _totals(table: pd.DataFrame) -> pd.DataFrame:
    """Sums of wins, losses and trials, means of errors, ranks and costs; ranks rounded."""
    lines = []
    for schedule, part in table.groupby("schedule", sort=False):
        lines.append(
            {
                "network": "all",
                "samples": "all",
                "schedule": schedule,
                "method": part["method"].iloc[0],
                "seeds": int(part["seeds"].sum()),
                "test_error": float(part["test_error"].mean()),
                "rank": round(part["rank"].mean()),
                **{name: int(part[name].sum()) for name in (*_COUNTS, "unequal", "trials")},
                "cost": float(part["cost"].mean()),
                "tuned_cost": float(part["tuned_cost"].mean()),
            }
        )
    return pd.DataFrame(lines)
