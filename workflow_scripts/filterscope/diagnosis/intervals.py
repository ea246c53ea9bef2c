"""Intervals of a mean over a few independent repetitions."""

from __future__ import annotations

import numpy as np
from scipy import stats


def interval(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Student's interval of the mean of independent values [n]; of one value, or of equal ones, that value."""
    values = np.asarray(values, float)
    mean = float(values.mean())
    error = float(stats.sem(values)) if len(values) > 1 else 0.0
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * error if error > 0 else 0.0
    return mean - half, mean + half
