"""Activation patterns as packed bits, how many of them a step leaves unchanged, and the temperature of that.

A pattern tells for one sample and one position of a layer's maps on which side of its thresholds every channel is:
for a ReLU, which channels are positive (ActCooLR, H).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

# What a count of zero unchanged patterns is taken as: log(0) is undefined (ActCooLR, H).
CAP = 0.5


def pack(values: Tensor, thresholds: Sequence[float] = (0.0,), channel_axis: int = 1) -> Tensor:
    """Patterns of values [B, C, *]: bits, one per channel and threshold, that tell where values > threshold.

    channel_axis: where the channels are, not 0. Returns uint8 [B, ceil(C * thresholds / 8), positions] on the same
    device; positions is the product of the other axes, 1 for [B, C]. NaN counts as below every threshold: look for
    it with `poisoned`. Raises ValueError for a wrong shape.
    """
    axis = _axis(values, channel_axis)
    rows = values.detach().movedim(axis, 1)
    rows = rows.flatten(2) if rows.ndim > 2 else rows.unsqueeze(2)
    above = [rows > threshold for threshold in thresholds]
    bits = (above[0] if len(above) == 1 else torch.cat(above, 1)).view(torch.uint8)
    packed = bits[:, ::8].clone()
    for place in range(1, min(8, bits.shape[1])):
        part = bits[:, place::8]
        packed[:, : part.shape[1]].add_(part, alpha=1 << place)
    return packed


def silent(values: Tensor, thresholds: Sequence[float] = (0.0,), channel_axis: int = 1) -> Tensor:
    """Which channels of values [B, C, *] are above no threshold anywhere: bool [C] on the same device.

    Those of a ReLU that is dead for the batch. Raises ValueError for a wrong shape.
    """
    axis = _axis(values, channel_axis)
    others = [each for each in range(values.ndim) if each != axis]
    return ~(values.detach().amax(others) > min(thresholds))  # NaN is nothing that works


def _axis(values: Tensor, channel_axis: int) -> int:
    """The channels' axis, counted from the front. Raises ValueError for a wrong shape."""
    axis = channel_axis + values.ndim if channel_axis < 0 else channel_axis
    if not 0 < axis < values.ndim or 0 in values.shape:
        raise ValueError(
            f"values has shape {list(values.shape)}, should be [B, C, *] without an empty axis, with its channels on "
            f"axis {channel_axis}"
        )
    return axis


def poisoned(values: Tensor) -> Tensor:
    """Whether there is a NaN among the values: a bool on their device, so that nothing has to wait for it."""
    return values.detach().amax().isnan()


def unchanged(before: Tensor, after: Tensor) -> Tensor:
    """How many patterns of `pack` are the same in both: int64 on their device.

    Raises ValueError where they are not of the same batch.
    """
    if before.shape != after.shape:
        raise ValueError(f"patterns have shapes {list(before.shape)} and {list(after.shape)}, should be the same")
    return ((before ^ after).amax(1) == 0).sum()


def temperatures(same: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """-log2 of the share of unchanged patterns, at least half a pattern: float64 from 0 to log2(2 n) (ActCooLR, H).

    same: unchanged patterns, positions: patterns looked at, of the same shape or broadcast. Raises ValueError where
    they cannot be such counts.
    """
    same, positions = np.asarray(same, np.float64), np.asarray(positions, np.float64)
    wrong = ~((same >= 0) & (same <= positions) & (positions > 0))
    if wrong.any():
        first = np.broadcast_to(positions, wrong.shape)[wrong][0]
        raise ValueError(
            f"unchanged patterns are {np.broadcast_to(same, wrong.shape)[wrong][0]:g} of {first:g}, should be from 0 "
            "to the number of patterns, which is at least 1"
        )
    # + 0.0: no negative zero
    return -np.log2(np.maximum(same, CAP) / positions) + 0.0
