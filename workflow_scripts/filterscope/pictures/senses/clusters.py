"""k-means of many small sets of points at once: for the repetitions that tell whether groups are there (MFV, 3.2.2).

scikit-learn's takes some milliseconds for each, whatever its size, and a filter needs hundreds (benchmarks/facets.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS = 25  # at most; so few points settle sooner


@dataclass(frozen=True)
class Clusters:
    """Of B sets: labels int [B, n], centres [B, k, c] and the sum of squares within groups [B]."""

    labels: np.ndarray
    centres: np.ndarray
    inertia: np.ndarray


def k_means(points: np.ndarray, groups: int, restarts: int, chance: np.random.Generator) -> Clusters:
    """The best of some restarts, each from k-means++, for sets of points [B, n, c] alike in size."""
    count = len(points)
    repeated = np.repeat(points, restarts, axis=0)
    centres = _seeded(repeated, groups, chance)
    labels = nearest(repeated, centres)
    for _ in range(ROUNDS):
        inside = (labels[:, None] == np.arange(groups)[:, None]).astype(points.dtype)
        sizes = inside.sum(2, keepdims=True)
        centres = np.where(sizes > 0, inside @ repeated / np.maximum(sizes, 1), centres)
        before, labels = labels, nearest(repeated, centres)
        if np.array_equal(before, labels):
            break
    own = np.take_along_axis(centres, labels[:, :, None], 1)
    inertia = ((repeated - own) ** 2).sum((1, 2)).reshape(count, restarts)
    best = np.arange(count) * restarts + inertia.argmin(1)
    return Clusters(labels[best], centres[best], inertia.min(1))


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Number of the nearest centre [B, n] of points [B, n, c] among centres [B, k, c]; of equally near the first."""
    return _squares(points, centres).argmin(2)


def _squares(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances [B, n, k], but for the points' own length."""
    return (centres**2).sum(2)[:, None] - 2 * points @ centres.transpose(0, 2, 1)


def _seeded(points: np.ndarray, groups: int, chance: np.random.Generator) -> np.ndarray:
    """First centres: points drawn one after another with a chance that goes with their squared distance from those
    before (k-means++)."""
    count, members, _ = points.shape
    every, lengths = np.arange(count), (points**2).sum(2)
    centres = points[every, chance.integers(members, size=count)][:, None]
    while centres.shape[1] < groups:
        far = (lengths + _squares(points, centres).min(2)).clip(min=0).cumsum(1)
        drawn = (far < chance.random((count, 1)) * far[:, -1:]).sum(1).clip(max=members - 1)
        centres = np.concatenate([centres, points[every, drawn][:, None]], 1)
    return centres
