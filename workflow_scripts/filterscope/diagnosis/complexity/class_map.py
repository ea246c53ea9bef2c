"""A plane in which similar classes are near each other (the authors' code draws the same)."""

from __future__ import annotations

import math

import numpy as np

JITTER = 1e-3  # of the first places: classes that are alike to all others would stay in one place


def class_map(similarity: np.ndarray) -> np.ndarray:
    """Places [K, 2] of the classes, as far from each other as they are dissimilar: scaling of 1 - W [K, K].

    The first axis has the larger extent; on each axis the first class that is off its centre lies on the positive side.
    """
    distances = 1 - np.asarray(similarity, np.float64)
    np.fill_diagonal(distances, 0.0)
    places = _classical(distances)
    if len(places) > 2:
        from sklearn.manifold import smacof  # takes seconds to load, and two classes need no search

        first = places + JITTER * np.random.default_rng(0).standard_normal(places.shape)
        places, _ = smacof(distances, n_components=2, init=first, n_init=1, max_iter=500, eps=1e-6)
    places = places - places.mean(0)
    places = places @ np.linalg.eigh(places.T @ places)[1][:, ::-1]
    for axis in range(2):
        off = np.flatnonzero(np.abs(places[:, axis]) > 1e-9)
        if len(off) and places[off[0], axis] < 0:
            places[:, axis] *= -1
    return places


def _classical(distances: np.ndarray) -> np.ndarray:
    """Places [K, 2] of classical scaling: the two largest principal coordinates."""
    centring = np.eye(len(distances)) - 1 / len(distances)
    values, vectors = np.linalg.eigh(-0.5 * centring @ np.square(distances) @ centring)
    largest = range(len(values) - 1, len(values) - 3, -1)
    return np.stack([vectors[:, index] * math.sqrt(max(values[index], 0.0)) for index in largest], axis=1)
