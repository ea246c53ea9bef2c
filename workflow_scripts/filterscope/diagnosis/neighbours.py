"""Nearest neighbours of some samples among all of them, the sample itself excluded by its number (spec E2).

Excluding "the first neighbour" instead, as the authors' code does, takes a copy of a sample for the sample.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from filterscope.diagnosis.labelled import DiagnosisError

TREE_DIMENSIONS = 3  # up to these a tree is faster than products
SPARE = 8  # further candidates of the single-precision search, from which the exact distances choose
COLUMNS = 8192  # samples compared with at a time
ENTRIES = 2**24  # distances held at a time, 64 MiB


def nearest(points: np.ndarray, queries: np.ndarray, count: int, device: str = "cpu") -> np.ndarray:
    """Numbers of the `count` points nearest to each queried point, int64 [Q, count], nearest first.

    points: real or whole numbers [N, d]. queries: numbers int64 [Q] of the points that are asked about. Distances are
    Euclidean; of equally near points the first comes first (among more than three dimensions, of equal distances in
    double precision). Raises DiagnosisError where there are too few points.
    """
    if not 1 <= count < len(points):
        raise DiagnosisError(f"{count} neighbours of {len(points)} samples: there must be more samples than neighbours")
    if points.shape[1] <= TREE_DIMENSIONS:
        return _by_tree(points.astype(np.float64), queries, count)
    return _by_products(points, queries, count, device)


def _by_tree(points: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    asked = min(count + 1 + SPARE, len(points))
    distances, found = cKDTree(points).query(points[queries], asked)
    distances[found == queries[:, None]] = np.inf
    order = np.lexsort((found, distances), axis=1)[:, :count]
    return np.take_along_axis(found, order, 1).astype(np.int64)


def _by_products(points: np.ndarray, queries: np.ndarray, count: int, device: str) -> np.ndarray:
    """Candidates by matrix products in single precision, piece by piece; their distances then exactly."""
    import torch  # planes need no torch, and it takes seconds to load

    kept = min(count + SPARE, len(points) - 1)
    centre = np.zeros(points.shape[1], np.float64)
    for start in range(0, len(points), COLUMNS):
        centre += points[start : start + COLUMNS].sum(0, dtype=np.float64)
    centre = torch.from_numpy((centre / len(points)).astype(np.float32)).to(device)

    def piece(rows: np.ndarray) -> torch.Tensor:
        # About the mean, where rounding costs the differences least.
        return torch.from_numpy(np.ascontiguousarray(rows)).to(device).float().sub_(centre)

    found = []
    height = max(1, ENTRIES // COLUMNS)
    asked = piece(points[queries])
    best = torch.full((len(queries), kept), torch.inf, device=device)
    best_at = torch.full((len(queries), kept), -1, dtype=torch.int64, device=device)
    numbers = torch.from_numpy(queries).to(device)
    for start in range(0, len(points), COLUMNS):
        others = piece(points[start : start + COLUMNS])
        lengths = others.square().sum(1)
        for top in range(0, len(queries), height):
            rows = slice(top, top + height)
            # The query's own length is the same for all others and changes no order.
            distances = torch.addmm(lengths, asked[rows], others.T, beta=1, alpha=-2)
            own = (numbers[rows] >= start) & (numbers[rows] < start + len(others))
            distances[own.nonzero()[:, 0], numbers[rows][own] - start] = torch.inf
            near, at = distances.topk(min(kept, len(others)), dim=1, largest=False)
            near, at = torch.cat([best[rows], near], 1), torch.cat([best_at[rows], at + start], 1)
            best[rows], order = near.topk(kept, dim=1, largest=False)
            best_at[rows] = at.gather(1, order)
    for rows in blocks(len(queries), kept * points.shape[1]):
        candidates = best_at[rows].cpu().numpy()
        exact = np.square(points[candidates] - points[queries[rows], None].astype(np.float64)).sum(2)
        order = np.lexsort((candidates, exact), axis=1)[:, :count]
        found.append(np.take_along_axis(candidates, order, 1))
    return np.concatenate(found)


def blocks(count: int, entries: int) -> Iterator[slice]:
    """Slices of `count` rows of so many entries each that keep a block within ENTRIES."""
    height = max(1, ENTRIES // (8 * entries))  # a few arrays in double precision at a time
    return (slice(start, start + height) for start in range(0, count, height))
