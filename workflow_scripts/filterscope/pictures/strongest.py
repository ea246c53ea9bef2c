"""The filters that a photograph excites most, and what kind of answer they give together (Amirli, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings

SPIKE, GROUP, FLAT = "spike", "group", "flat"


@dataclass(frozen=True)
class Scenarios:
    """Thresholds of the labels (ours: Amirli, 4.2, tells the scenarios apart by eye).

    spike: the strongest filter has at least so many times the activation of the `rival`-th; group: the mean of the
    first `leading` is at least so many times the median of all; flat otherwise.
    """

    spike: float = 1.5
    rival: int = 4
    group: float = 3.0
    leading: int = 10


def mean_activations(
    views: torch.Tensor, reader: Reader, inputs: InputSettings, device: torch.device, batch_size: int
) -> np.ndarray:
    """Mean of every filter's map, a_k, for views uint8 [B, 3, crop, crop]. Returns float64 [B, d].

    Raises ValueError naming the layer and the view with NaN or infinite activations.
    """
    with torch.inference_mode():
        maps = (reader(normalise(some.to(device), inputs)) for some in views.split(batch_size))
        parts = [each.double().mean((2, 3)).cpu() for each in maps]
    means = torch.cat(parts).numpy()
    finite = np.isfinite(means).all(1)
    if not finite.all():
        raise ValueError(f"layer {reader.layer}: NaN or infinite activations at view {int(np.argmin(finite))}")
    return means


def strongest(means: np.ndarray, n: int) -> np.ndarray:
    """The n filters with the largest activations, largest first, ties by number.

    means: [d] or [B, d]. Returns [n] or [B, n]. Raises ValueError for more filters than there are.
    """
    filters = means.shape[-1]
    if not 1 <= n <= filters:
        raise ValueError(f"{n} strongest filters are asked for, but the layer has {filters}: ask for 1 to {filters}")
    return np.argsort(-means, axis=-1, kind="stable")[..., :n]


def scenario(means: np.ndarray, thresholds: Scenarios = Scenarios()) -> str:
    """spike, group or flat, for the activations [d] of one photograph. A photograph that excites nothing is flat."""
    falling = np.sort(means)[::-1]
    first = falling[0]
    if first <= 0:
        return FLAT
    if first >= thresholds.spike * falling[min(thresholds.rival, len(falling)) - 1]:
        return SPIKE
    if falling[: thresholds.leading].mean() >= thresholds.group * np.median(means):
        return GROUP
    return FLAT
