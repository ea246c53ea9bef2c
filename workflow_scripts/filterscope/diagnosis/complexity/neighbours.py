"""Nearest neighbours of some samples among all of them, the sample itself excluded by its number.

Excluding "the first neighbour" instead, as the authors' code does, takes a copy of a sample for the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from filterscope.diagnosis.labelled import DiagnosisError

if TYPE_CHECKING:
    import torch

TREE_DIMENSIONS = 3  # up to these a tree is faster than products
SPARE = 8  # further candidates of the single-precision search, from which the exact distances choose
COLUMNS = 8192  # samples compared with at a time
ENTRIES = 2**24  # distances held at a time, 64 MiB


def nearest(points: np.ndarray, queries: np.ndarray, count: int, device: str = "cpu") -> np.ndarray:
    """Numbers of the `count` points nearest to each queried point, int64 [Q, count], nearest first.

    points: real or whole numbers [N, d]. queries: numbers int64 [Q] of the points that are asked about. Distances are
    Euclidean; of equally near points the first comes first (among more than three dimensions, of equal distances in
    double precision). Raises DiagnosisError where there are too few points, and where distances overflow.
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
    """Candidates by matrix products in single precision, piece by piece; their distances then exactly.

    Where rounding may have hidden a nearer point, as it does where the data lie far apart for the distances between
    neighbours, the query is asked again in double precision.
    """
    import torch  # planes need no torch, and it takes seconds to load

    kept = min(count + SPARE, len(points) - 1)
    pieces = _Pieces(points, device)
    height = max(1, ENTRIES // COLUMNS)
    asked = pieces.take(queries, torch.float32)
    best = torch.full((len(queries), kept), torch.inf, device=device)
    best_at = torch.full((len(queries), kept), -1, dtype=torch.int64, device=device)
    numbers = torch.from_numpy(queries).to(device)
    for start in range(0, len(points), COLUMNS):
        others = pieces.take(slice(start, start + COLUMNS), torch.float32)
        for top in range(0, len(queries), height):
            rows = slice(top, top + height)
            distances = _distances(asked[rows], others, numbers[rows], start)
            near, at = distances.topk(min(kept, len(others)), dim=1, largest=False)
            near, at = torch.cat([best[rows], near], 1), torch.cat([best_at[rows], at + start], 1)
            best[rows], order = near.topk(kept, dim=1, largest=False)
            best_at[rows] = at.gather(1, order)
    own, last = asked.square().sum(1), best[:, -1]
    surely = (own.double() + last - _error(own, last, points.shape[1])).cpu().numpy()  # no other point is nearer
    found, unsure = [], []
    for rows in blocks(len(queries), kept * points.shape[1]):
        candidates = best_at[rows].cpu().numpy()
        with np.errstate(over="ignore"):  # such queries are asked again, and refused
            exact = np.square(points[candidates] - points[queries[rows], None].astype(np.float64)).sum(2)
        order = np.lexsort((candidates, exact), axis=1)[:, :count]
        found.append(np.take_along_axis(candidates, order, 1))
        unsure.append(~(np.take_along_axis(exact, order, 1)[:, -1] < surely[rows]))  # also where it is none
    found, unsure = np.concatenate(found), np.concatenate(unsure) & (kept < len(points) - 1)
    if unsure.any():
        found[unsure] = _by_doubles(points, queries[unsure], count, pieces)
    return found


def _by_doubles(points: np.ndarray, queries: np.ndarray, count: int, pieces: _Pieces) -> np.ndarray:
    """The same in double precision, with as many candidates as there are within the rounding error."""
    import torch

    found = []
    for part in blocks(len(queries), len(points)):
        rows = queries[part]
        asked, numbers = pieces.take(rows, torch.float64), torch.from_numpy(rows).to(pieces.device)
        starts = range(0, len(points), COLUMNS)
        distances = torch.cat(
            [
                _distances(asked, pieces.take(slice(start, start + COLUMNS), torch.float64), numbers, start)
                for start in starts
            ],
            1,
        )
        last = distances.kthvalue(count, dim=1).values
        if not bool(last.isfinite().all()):
            largest = np.abs(points).max()
            raise DiagnosisError(f"values go up to {largest:.3g}: squares of their distances overflow; scale them down")
        reach = last + 3 * _error(asked.square().sum(1), last, points.shape[1])
        near = (distances <= reach[:, None]).nonzero().cpu().numpy()
        exact = [
            np.square(points[near[pairs, 1]] - points[rows[near[pairs, 0]]].astype(np.float64)).sum(1)
            for pairs in blocks(len(near), points.shape[1])
        ]
        order = np.lexsort((near[:, 1], np.concatenate(exact), near[:, 0]))
        firsts = np.searchsorted(near[:, 0], np.arange(len(rows)))
        found.append(near[order[firsts[:, None] + np.arange(count)], 1])
    return np.concatenate(found)


class _Pieces:
    """Rows of the points about their mean, where rounding costs the differences least, in some precision."""

    def __init__(self, points: np.ndarray, device: str):
        self.points, self.device = points, device
        self.exact = str(np.result_type(points.dtype, np.float32))  # holds every value as it is
        total = np.zeros(points.shape[1], np.float64)
        for start in range(0, len(points), COLUMNS):
            total += points[start : start + COLUMNS].sum(0, dtype=np.float64)
        self.centre = total / len(points)

    def take(self, rows: np.ndarray | slice, precision: torch.dtype) -> torch.Tensor:
        """Those rows, float32 or float64 [rows, d]."""
        import torch

        held = torch.promote_types(getattr(torch, self.exact), precision)
        piece = torch.from_numpy(np.ascontiguousarray(self.points[rows])).to(self.device).to(held, copy=True)
        return piece.sub_(torch.from_numpy(self.centre).to(self.device, held)).to(precision)


def _distances(asked: torch.Tensor, others: torch.Tensor, numbers: torch.Tensor, start: int) -> torch.Tensor:
    """Squared distances [asked, others] less the squared length of who asks, which changes no order; its own is inf.

    numbers: of the asking points; start: number of the first other.
    """
    import torch

    distances = torch.addmm(others.square().sum(1), asked, others.T, beta=1, alpha=-2)
    own = (numbers >= start) & (numbers < start + len(others))
    distances[own.nonzero()[:, 0], numbers[own] - start] = torch.inf
    return distances


def _error(own: torch.Tensor, last: torch.Tensor, dimensions: int) -> torch.Tensor:
    """How far rounding may have moved what `_distances` says of points that are nearer than `last`, or seem farther.

    own: squared lengths of those that ask. A point r times as long as them is r² - 2r of these lengths away or
    farther, and rounding moves it by some (r² + 2r): up to r = 3 that is 15 of their lengths, and beyond it at most 5
    of the distance. Infinite where squares of such points overflow.
    """
    import torch

    held = torch.finfo(own.dtype)
    return 16 * (own + last.abs()) * (held.eps * dimensions**0.5) + dimensions * held.tiny


def blocks(count: int, entries: int) -> Iterator[slice]:
    """Slices of `count` rows of so many entries each that keep a block within ENTRIES."""
    height = max(1, ENTRIES // (8 * entries))  # a few arrays in double precision at a time
    return (slice(start, start + height) for start in range(0, count, height))
