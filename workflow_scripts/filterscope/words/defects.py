"""What the reference's defects cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.faithful import Faithful
from filterscope.schemas.values import RECALL
from filterscope.words.bootstrap import percentile_interval


def variants(switches: Iterable[str], scatteritem: str | None = None) -> dict[str, Faithful]:
    """By name: none of these switches, each alone, and all.

    scatteritem: which of several jobs that share them, as 2-of-8; they take turns, so that none has all that take long.
    """
    switches = list(switches)
    own = {
        "default": Faithful(),
        **{name: Faithful.only(name) for name in switches},
        "all": Faithful.only(*switches),
    }
    number, _, total = (scatteritem or "1-of-1").partition("-of-")
    return dict(list(own.items())[int(number) - 1 :: int(total)])


def write_measured(measured: Mapping[str, Mapping], path: str | Path) -> None:
    """What one of several jobs has measured, by variant, to the last bit."""
    with tables.replacing(path) as temporary:
        temporary.write_text(json.dumps(measured), encoding="utf-8")


def read_measured(paths: Iterable[str | Path]) -> dict[str, dict]:
    """What all jobs have measured, by variant, in the order of one job."""
    parts = [json.loads(Path(path).read_text(encoding="utf-8")).items() for path in paths]
    return {name: values for turn in zip_longest(*parts) for name, values in filter(None, turn)}


def as_values(measured: pd.DataFrame) -> dict[str, list]:
    """A variant's measurements, by column, in numbers and texts that JSON keeps to the last bit."""
    return measured.assign(resamples=[each.tolist() for each in measured["resamples"]]).to_dict("list")


def write_costs(
    measured: Mapping[str, Mapping], path_to_table: str | Path, path_to_csv: str | Path, confidence: float
) -> None:
    """Write the `defects` table, also as CSV; measured: by variant, as `as_values` has it. The switch unpooled has no
    values where it was not tried."""
    found = {name: pd.DataFrame(values) for name, values in measured.items()}
    if "unpooled" not in found:
        found |= {"unpooled": found["default"].assign(n=0), "all_but_unpooled": found.pop("all")}
    table = costs(found, confidence)
    for path in (path_to_table, path_to_csv):
        tables.write(table.astype(object).where(pd.notna(table), None), "defects", path)


def costs(measured: dict[str, pd.DataFrame], confidence: float) -> pd.DataFrame:
    """Recall of every variant and what it loses against "default": the `defects` table.

    measured: `measurements` of one row by variant. A variant without a valid pair has no recall. A cost's interval
    comes from the same resamples of the images for both, where both look at the same images.
    """
    rows = []
    default = measured["default"].set_index(["metric", "candidates", "k"])
    for switch, table in measured.items():
        for line in table[table["metric"] == RECALL].itertuples():
            row = {"switch": switch, "candidates": line.candidates, "k": line.k, "n": line.n}
            if line.n:
                values = np.asarray(line.resamples, np.float64)
                low, high = percentile_interval(values, confidence)
                own = default.loc[(RECALL, line.candidates, line.k)]
                row |= {"recall": values[0], "low": low, "high": high}
                if own["n"]:
                    lost = np.asarray(own["resamples"], np.float64) - values
                    low, high = percentile_interval(lost, confidence)
                    row |= {"cost": lost[0], "cost_low": low, "cost_high": high}
            rows.append(row)
    columns = ["switch", "candidates", "k", "recall", "low", "high", "cost", "cost_low", "cost_high", "n"]
    return pd.DataFrame(rows, columns=columns)
