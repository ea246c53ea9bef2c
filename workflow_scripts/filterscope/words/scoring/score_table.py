"""The rows of a score table: the words, and the nulls and the rival that stand beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from filterscope.schemas.values import AUPRC, AUPRC_LIFT, CORRELATION, F1, IOU
from filterscope.words.bootstrap import percentile_interval

WORDS = "words"
# Another filter's words.
SHUFFLED = "shuffled_filters"
# Not a way of naming: the best claim that there is for each filter, by the scored masks themselves.
CEILING = "ceiling"
# What people call them, in the order in which they are shown.
ROW_NAMES = {
    WORDS: "words (ours)",
    "dissection": "Network Dissection",
    "clip_dissect": "CLIP-Dissect",
    "constant_words": "constant words",
    SHUFFLED: "shuffled filters",
    "shuffled_labels": "shuffled labels",
    "random_network": "random network",
    CEILING: "best possible claims",
}
# What people call the scores of claims.
SCORE_NAMES = {IOU: "IoU", F1: "F1", AUPRC: "AUPRC", AUPRC_LIFT: "AUPRC lift", CORRELATION: "correlation"}


def scores(measurements: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Values, intervals and margins from measurements: the `scores` table without its first three columns.

    The margin is the words' score minus the row's, resample by resample. What could not be measured (n = 0)
    is missing, never 0/0.
    """
    table = []
    for (metric, candidates, k), group in measurements.groupby(["metric", "candidates", "k"], sort=False):
        own = group[group["row"] == WORDS].iloc[0]
        for _, row in group.iterrows():
            line = {"metric": metric, "candidates": candidates, "k": k, "row": row["row"], "n": row["n"]}
            if row["n"]:
                values = np.asarray(row["resamples"], np.float64)
                low, high = percentile_interval(values, confidence)
                line |= {"value": values[0]} | ({} if row["row"] == CEILING else {"low": low, "high": high})
            if row["n"] and own["n"] and row["row"] not in (WORDS, CEILING):
                margins = np.asarray(own["resamples"], np.float64) - np.asarray(row["resamples"], np.float64)
                low, high = percentile_interval(margins, confidence)
                line |= {"margin": margins[0], "margin_low": low, "margin_high": high}
            table.append(line)
    columns = [
        "metric",
        "candidates",
        "k",
        "row",
        "value",
        "low",
        "high",
        "n",
        "margin",
        "margin_low",
        "margin_high",
    ]
    return pd.DataFrame(table, columns=columns)
