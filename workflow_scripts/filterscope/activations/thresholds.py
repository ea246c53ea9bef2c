"""Thresholds of filters from the tails of their activations (LaViSE, 4.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

# A threshold as close to a filter's largest activation as this, relative to it, is its bound: a sigmoid comes near
# its own without reaching it.
BOUND = 1e-4


def threshold(tails: list[np.ndarray], n: int, quantile: float) -> np.ndarray:
    """The quantile of n activations per filter, linearly interpolated, from the tails of all shards.

    tails: [filters, kept] each, most extreme first. Returns float64 [filters].
    Raises ValueError when the tails do not reach far enough into the distribution.
    """
    position = quantile * (n - 1)
    below, share = math.floor(position), position - math.floor(position)
    upper = quantile >= 0.5
    joined = np.concatenate(tails, axis=1)
    joined.sort(axis=1)
    if upper:
        joined = joined[:, ::-1]
    # Ranks counted from the end that was kept.
    first = n - 1 - below if upper else below
    second = (first - 1 if upper else first + 1) if share else first
    if max(first, second) >= joined.shape[1]:
        raise ValueError(
            f"the tails keep {joined.shape[1]} values per filter, rank {max(first, second)} of {n} is needed"
        )
    return joined[:, first].astype(np.float64) * (1 - share) + joined[:, second].astype(np.float64) * share


def threshold_table(tails: list[Mapping[str, np.ndarray]], quantile: float) -> pd.DataFrame:
    """The `thresholds` table from the `tails` of all shards, columns as arrays, `values` as [filters, kept].

    Raises ValueError where no activation was seen.
    """
    n = sum(int(tail["n"][0]) for tail in tails)
    if not n:
        raise ValueError("no activation to take thresholds from: none of the training images could be read")
    values = [tail["values"][:, : int(tail["n"][0])] for tail in tails]
    found = threshold(values, n, quantile)
    dead = sum(tail["positive"] for tail in tails) == 0
    # The largest activations are known where these were kept. A lower quantile is no bound.
    upper = quantile >= 0.5
    largest = np.concatenate(values, axis=1).max(1) if upper else np.full(len(found), np.inf)
    return pd.DataFrame(
        {
            "filter": tails[0]["filter"],
            "threshold": found,
            "dead": dead,
            "fires_elsewhere": dead & (sum(tail["elsewhere"] for tail in tails) > 0),
            "saturated": ~dead & (found >= largest * (1 - BOUND)),
            "n": n,
        }
    )
