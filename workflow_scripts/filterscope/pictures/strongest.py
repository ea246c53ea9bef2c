"""The filters that a photograph excites most, and what kind of answer they give together (Amirli, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings

SPIKE, GROUP, FLAT = "spike", "group", "flat"


ROUNDING = 1e-3  # share of a photograph's activations (mean absolute) up to which an excess is nothing but rounding
BLOCKS = 8  # squares along a side of the view, which are laid elsewhere in a scrambled one


@dataclass(frozen=True)
class Scenarios:
    """How the scenarios are told (Amirli, 4.2, tells them apart by eye; ours).

    views: scrambled views of the photograph that it is compared with; leading: filters that exceed those most, whose
    mean decides whether it does; spike: the first of them exceeds them by so many times what the `rival`-th does.
    """

    views: int = 19
    leading: int = 10
    spike: float = 1.5
    rival: int = 4


def scrambled(view: torch.Tensor, count: int, chance: np.random.Generator) -> torch.Tensor:
    """Views [count, 3, S, S] of a photograph uint8 [3, S, S], whose squares lie in another order each: the same colours
    and textures, and nothing that is larger than a square. Margins of less than a square stay where they are."""
    side = max(1, view.shape[1] // BLOCKS)
    lines, columns = (length // side for length in view.shape[1:])
    tiles = view[:, : lines * side, : columns * side].reshape(3, lines, side, columns, side).permute(1, 3, 0, 2, 4)
    tiles = tiles.flatten(0, 1)
    views = view.repeat(count, 1, 1, 1)
    for each in views:
        laid = tiles[torch.from_numpy(chance.permutation(len(tiles)))].unflatten(0, (lines, columns))
        each[:, : lines * side, : columns * side] = laid.permute(2, 0, 3, 1, 4).reshape(3, lines * side, columns * side)
    return views


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


def scenario(means: np.ndarray, others: np.ndarray, thresholds: Scenarios = Scenarios()) -> str:
    """spike, group or flat, for the activations of one photograph [d] beside those of its scrambled views [n, d].

    A photograph is flat that excites its filters as its scrambled views do: the excess of a view's leading filters over
    the largest that any other view reaches (their mean) is not larger than that of every scrambled one. Whatever is the
    same to the network as its own squares in another order, as noise, one colour or shuffled pixels, is flat with a
    chance of n / (n + 1) at least. Else it is a spike if one filter exceeds far more than others do, or a group.
    """
    views = np.concatenate([means[None], others])
    order = np.sort(views, axis=0)
    best_of_others = np.where(views == order[-1], order[-2], order[-1])
    beyond = -np.sort(best_of_others - views, axis=1)  # of every view, largest first
    excess = beyond[:, : thresholds.leading].clip(min=0).mean(1)
    if not (excess[0] > excess[1:]).all() or excess[0] <= ROUNDING * np.abs(means).mean():
        return FLAT
    rival = beyond[0, min(thresholds.rival, len(means)) - 1]
    return SPIKE if beyond[0, 0] >= thresholds.spike * max(rival, 0) and beyond[0, 0] > 0 else GROUP
