"""Tomek links by the strict rule: samples that are equally near all count (Debugger, 3.3.2)."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

TREE_DIMENSIONS = 8  # above this a tree is slower than products of whole chunks
CHUNK = 2**24  # distances that are held at a time
ROUNDING = 1e-10  # relative: distances that differ by less are equal


def strict_links(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pairs of samples of different classes to which no third is nearer than they are to each other.

    values: [N, d]; labels: [N]. Returns int64 [links, 2], each pair once, smaller index first, in order.
    """
    values = np.ascontiguousarray(values, np.float64)
    find = _nearest_by_tree if values.shape[1] <= TREE_DIMENSIONS else _nearest_by_products
    rows, columns = find(values)
    forward, backward = rows * len(values) + columns, columns * len(values) + rows
    mutual = np.isin(forward, backward) & (labels[rows] != labels[columns]) & (rows < columns)
    pairs = np.stack([rows[mutual], columns[mutual]], axis=1).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _nearest_by_tree(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every sample beside each of its nearest others, as two lists of indices."""
    tree = cKDTree(values)
    reach = tree.query(values, k=2)[0][:, 1]
    near = tree.query_ball_point(values, reach * (1 + ROUNDING))
    rows = np.repeat(np.arange(len(values)), [len(each) for each in near])
    columns = np.concatenate([np.asarray(each, np.int64) for each in near])
    other = rows != columns
    return rows[other], columns[other]


def _nearest_by_products(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same by matrix products: candidates within their rounding error, then exact distances of these."""
    centred = values - values.mean(0)  # smaller numbers, smaller errors
    squares = np.einsum("nd,nd->n", centred, centred)
    error = 1e-12 * values.shape[1] ** 0.5 * (squares + squares.max())
    chunk = max(1, CHUNK // len(values))
    rows, columns = [], []
    for first in range(0, len(values), chunk):
        own = slice(first, min(first + chunk, len(values)))
        distances = squares[own, None] + squares - 2 * centred[own] @ centred.T
        distances[np.arange(own.stop - first), np.arange(first, own.stop)] = np.inf
        near = distances <= (distances.min(1) + error[own])[:, None]
        here, there = np.nonzero(near)
        exact = np.square(values[first + here] - values[there]).sum(1)
        least = np.full(own.stop - first, np.inf)
        np.minimum.at(least, here, exact)
        nearest = exact <= least[here] * (1 + ROUNDING)
        rows.append(first + here[nearest])
        columns.append(there[nearest])
    return np.concatenate(rows), np.concatenate(columns)
