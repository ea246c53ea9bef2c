"""Intervals of a mean over a few independent repetitions."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

SCORE = (0.0, 1.0)  # range of accuracies and their like


def mean_interval(
    values: np.ndarray, confidence: float, within: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """Student's interval of the mean of independent values [n]; of one value, or of equal ones, that value.

    within: the range of what is measured, at which it is cut.
    """
    values = np.asarray(values, float)
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    # scipy.stats, which has Student's distribution by name, takes as long to load as all else that a table needs.
    half = float(special.stdtrit(len(values) - 1, (1 + confidence) / 2)) * error if error > 0 else 0.0
    return max(mean - half, within[0]), min(mean + half, within[1])
