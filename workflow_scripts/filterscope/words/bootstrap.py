"""Intervals over images: the pictures could have been others."""

from __future__ import annotations

import numpy as np


def resample_weights(images: int, resamples: int, seed: int) -> np.ndarray:
    """How often each image counts in the sample itself (row 0) and in every resample: float32 [1+resamples, images]."""
    counts = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=resamples)
    return np.concatenate([np.ones((1, images)), counts]).astype(np.float32)


def percentile_interval(values: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over axis 0, whose row 0 is the sample itself and the rest are resamples."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail], axis=0)
    return low, high
