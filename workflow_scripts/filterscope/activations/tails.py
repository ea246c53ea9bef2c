"""The tail of a filter's activations, which is all that its threshold needs, by streaming (LaViSE, 4.3)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch


def tail_length(quantile: float, n: int) -> int:
    """How many extreme values decide the quantile of n values under linear interpolation."""
    outside = 1 - quantile if quantile >= 0.5 else quantile
    return min(n, math.ceil(outside * n) + 2)


def deciding(splits: np.ndarray | pd.Series) -> np.ndarray:
    """Which images thresholds come from, bool: the training images, or all of a dataset that has none."""
    training = np.asarray(splits) == "train"
    return training if training.any() else np.ones(len(training), bool)


class Tail:
    """The most extreme activations of every filter: the largest for an upper quantile, else the smallest.

    Exact and independent of the order of batches; memory is filters x (kept + buffer) values.
    """

    def __init__(self, filters: int, quantile: float, expected: int, device: torch.device | str = "cpu"):
        if not 0 < quantile < 1:
            raise ValueError(f"quantile is {quantile}, should lie between 0 and 1")
        self.quantile = quantile
        self.kept = tail_length(quantile, expected)
        self.sign = 1.0 if quantile >= 0.5 else -1.0
        self.values = torch.empty(filters, 0, device=device)
        self.n = 0
        self.positive = torch.zeros(filters, dtype=torch.int64, device=device)
        self.elsewhere = torch.zeros(filters, dtype=torch.int64, device=device)
        self._waiting: list[torch.Tensor] = []
        self._buffered = 0

    def add(self, maps: torch.Tensor, chosen: np.ndarray | None = None) -> None:
        """Take in the activations of a batch, [B, filters, h, w].

        chosen: which of its images count, bool [B], all if None; of the others it is counted how much is above zero.
        """
        if chosen is not None:
            some = torch.tensor(chosen, device=maps.device)  # a copy: columns of a table cannot be written to
            self.elsewhere += (maps[~some] > 0).sum((0, 2, 3))
            maps = maps[some]
        if not len(maps):
            return
        values = maps.transpose(0, 1).reshape(maps.shape[1], -1)
        self.n += values.shape[1]
        self.positive += (values > 0).sum(1)
        # A batch contributes at most `kept` values, so larger ones are cut before they wait.
        signed = values * self.sign
        if signed.shape[1] > self.kept:
            signed = signed.topk(self.kept, dim=1, sorted=False).values
        self._waiting.append(signed)
        self._buffered += signed.shape[1]
        if self._buffered > max(self.kept, 2048):
            self._merge()

    def _merge(self) -> None:
        joined = torch.cat([self.values, *self._waiting], 1)
        self._waiting, self._buffered = [], 0
        self.values = joined.topk(min(self.kept, joined.shape[1]), dim=1).values

    def table(self) -> dict[str, np.ndarray]:
        """Columns of the `tails` table; `values` is [filters, kept], most extreme first.

        Where nothing was seen, `values` is a column of zeros, because a list of a table cannot be empty.
        """
        self._merge()
        values = (self.values * self.sign).cpu().numpy()
        filters = values.shape[0]
        if not self.n:
            values = np.zeros((filters, 1), np.float32)
        return {
            "filter": np.arange(filters),
            "n": np.full(filters, self.n),
            "positive": self.positive.cpu().numpy(),
            "elsewhere": self.elsewhere.cpu().numpy(),
            "values": values,
        }
