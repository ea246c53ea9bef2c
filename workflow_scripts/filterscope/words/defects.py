"""What the reference's defects cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from filterscope.schemas.values import RECALL
from filterscope.words.bootstrap import percentile_interval


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
