"""What a defect costs is told against the default, and what could not be measured is missing."""

import numpy as np
import pandas as pd
import pytest

from filterscope import tables
from filterscope.words.defects import costs


def measured(**values):
    """`measurements` of one variant: recall over the vocabulary at each k as n and resamples; one other metric."""
    rows = [
        {
            "row": "words",
            "metric": "recall",
            "candidates": "vocabulary",
            "k": int(k[1:]),
            "n": n,
            "resamples": np.float32(each),
        }
        for k, (n, each) in values.items()
    ]
    other = {
        "row": "words",
        "metric": "iou",
        "candidates": "categories",
        "k": 1,
        "n": 3,
        "resamples": np.ones(3, np.float32),
    }
    return pd.DataFrame([*rows, other])


def test_costs():
    table = costs(
        {
            "default": measured(k5=(9, [0.5, 0.4, 0.6]), k10=(0, [0, 0, 0])),
            "mask_scale": measured(k5=(8, [0.2, 0.1, 0.3]), k10=(4, [0.7, 0.7, 0.7])),
            "all": measured(k5=(0, [0, 0, 0]), k10=(0, [0, 0, 0])),
        },
        confidence=0.5,
    ).set_index(["switch", "k"])
    assert len(table) == 6  # recall only
    own = table.loc[("default", 5)]
    assert (own["recall"], own["cost"], own["low"], own["high"], own["n"]) == pytest.approx((0.5, 0, 0.45, 0.55, 9))
    # Resample by resample the cost is the same: no uncertainty, although both recalls have some.
    assert table.loc[("mask_scale", 5), ["cost", "cost_low", "cost_high"]].tolist() == pytest.approx([0.3] * 3)
    unknown = table.loc[("mask_scale", 10)]  # measured, but there is nothing to compare it with
    assert unknown["recall"] == pytest.approx(0.7)
    assert pd.isna(unknown["cost"])
    for index in (("all", 5), ("all", 10), ("default", 10)):
        assert table.loc[index, ["recall", "low", "high", "cost", "cost_low", "cost_high"]].isna().all()
    plain = table.reset_index().astype(object)
    tables.checked(plain.where(plain.notna(), None), "defects")
