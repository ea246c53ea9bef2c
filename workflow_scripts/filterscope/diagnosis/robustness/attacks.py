"""Attacks by name, on any number of images (Debugger, 3.4).

Debugger measures how many pixels must be modified and does not name the attack. Two attacks of different kind measure
pixels, so that the weakness of one is not read as robustness, and one measures the largest change for comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from filterscope.diagnosis.robustness.attack_results import Attacked, check
from filterscope.diagnosis.robustness.bounded_attack import BoundedSettings, bounded
from filterscope.diagnosis.robustness.greedy_attack import GreedySettings, greedy
from filterscope.diagnosis.robustness.sparse_attack import SparseSettings, sparse
from filterscope.diagnosis.scaled.frozen import victim
from filterscope.schemas.values import PIXELS, RANGE


@dataclass(frozen=True)
class Kind:
    """An attack: its function, its settings, the unit of its sizes."""

    attack: Callable[..., Attacked]
    settings: type
    unit: str


ATTACKS: dict[str, Kind] = {
    "greedy": Kind(greedy, GreedySettings, PIXELS),
    "sparse": Kind(sparse, SparseSettings, PIXELS),
    "bounded": Kind(bounded, BoundedSettings, RANGE),
}


def attack(
    network: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    name: str,
    settings: Mapping[str, float],
    seed: int,
    device: torch.device | str = "cpu",
    batch_size: int = 256,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Attacked:
    """Attack images float32 [N, C, H, W] in 0 to 1 that the network classifies as labels int64 [N], batch by batch.

    The result does not depend on batch_size but for the rounding of the network itself. Raises ValueError for an
    unknown attack, settings out of range, images out of the box, or an image that the network gets wrong already.
    """
    if name not in ATTACKS:
        raise ValueError(f"attack is {name!r}, should be one of {', '.join(ATTACKS)}")
    kind = ATTACKS[name]
    chosen = kind.settings(**settings)
    check(torch.from_numpy(images), torch.from_numpy(labels))
    seeds = torch.from_numpy(np.random.default_rng(seed).integers(2**62, size=len(images)))
    parts = []
    with victim(network) as fixed:
        for first in progress(range(0, len(images), batch_size)):
            own = slice(first, first + batch_size)
            batch = torch.from_numpy(images[own]).to(device)
            truth = torch.from_numpy(labels[own]).to(device)
            with torch.no_grad():
                wrong = (fixed(batch).argmax(1) != truth).nonzero()[:, 0]
            if len(wrong):
                place = first + int(wrong[0])
                raise ValueError(
                    f"image {place} is not classified as its label: attack only what the network gets right"
                )
            found = kind.attack(fixed, batch, truth, chosen, seeds[own])
            parts.append([getattr(found, field).cpu() for field in Attacked.__dataclass_fields__])
    return Attacked(*(torch.cat(each) for each in zip(*parts, strict=True)))
