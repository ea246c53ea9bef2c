"""Intervals of a mean over a few independent repetitions."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

SCORE = (0.0, 1.0)  # range of accuracies and their like


def mean_interval(
    values: np.ndarray, confidence: float, within: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """Student's interval of the mean of independent values [n]; of one value, or of equal ones, that value.

    within: the range of what is measured, at which it is cut.
    """
    values = np.asarray(values, float)
    mean = float(values.mean())
    error = float(stats.sem(values)) if len(values) > 1 else 0.0
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * error if error > 0 else 0.0
    return max(mean - half, within[0]), min(mean + half, within[1])
