"""Sums over images that are the same bits into however many shards the images are cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from filterscope import tables

PARTS = ("values", "lost")  # columns of the `shard_sums` table


class ExactSum:
    """A sum of float64 numbers that does not hang on their order: beside it is kept what rounding took from it.

    Two numbers of 53 bits that hold the sum to more than 90 (TwoSum: Knuth, The Art of Computer Programming 2, 4.2.2),
    so `value` is the sum rounded once. What is added is best a sum over some images itself: one addition costs seven.
    """

    def __init__(self, *shape: int, device: torch.device | str = "cpu"):
        self.high, self.low = (torch.zeros(*shape, dtype=torch.float64, device=device) for _ in range(2))

    def add(self, values: torch.Tensor) -> None:
        """Add float64 values of the sum's shape."""
        total = self.high + values
        arrived = total - self.high
        self.low += (self.high - (total - arrived)) + (values - arrived)
        self.high = total

    def merge(self, parts: np.ndarray) -> None:
        """Add another such sum, as `parts` gives it."""
        high, low = torch.from_numpy(parts).to(self.high.device)
        self.add(high)
        self.low += low

    @property
    def parts(self) -> np.ndarray:
        """The sum and what rounding took from it, float64 [2, ...]."""
        return torch.stack([self.high, self.low]).cpu().numpy()

    @property
    def value(self) -> torch.Tensor:
        """The sum, float64 on the CPU."""
        return (self.high + self.low).cpu()


def counted(counts: np.ndarray) -> np.ndarray:
    """Whole numbers as the parts of a sum: nothing is lost of them, [2, ...]."""
    counts = np.asarray(counts, np.float64)
    return np.stack([counts, np.zeros_like(counts)])


def write_sums(sums: Mapping[str, np.ndarray], path: str | Path) -> None:
    """Write the `shard_sums` table; sums: by name, parts [2, rows, columns]."""
    shapes = [each.shape[1:] for each in sums.values()]
    columns = {
        "sum": list(sums),
        "rows": [rows for rows, _ in shapes],
        "columns": [columns for _, columns in shapes],
    }
    for place, name in enumerate(PARTS):
        columns[name] = pa.array([each[place].astype(np.float64).tobytes() for each in sums.values()], pa.binary())
    tables.write(pa.table(columns), "shard_sums", path)


def read_sums(path: str | Path) -> dict[str, np.ndarray]:
    """By name, parts [2, rows, columns] of the `shard_sums` table."""
    found = {}
    for row in tables.read(path, "shard_sums").to_pylist():
        parts = [np.frombuffer(row[name], np.float64) for name in PARTS]
        found[row["sum"]] = np.stack(parts).reshape(2, row["rows"], row["columns"])
    return found
