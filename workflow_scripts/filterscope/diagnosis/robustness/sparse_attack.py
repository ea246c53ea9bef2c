"""A black-box L0 attack: random search for the smallest set of pixels, without gradients.

In the manner of Sparse-RS (Croce et al., 2022): a set of pixels at corners of the colour cube, of which some are
exchanged, kept when the margin falls. Sparse-RS asks whether a given number of pixels suffices; here the number is
searched for, first by doubling, then by halving the interval between what failed and what sufficed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from filterscope.diagnosis.robustness.attack_results import (
    Attacked,
    Network,
    changed_pixels,
    check,
    judged,
    margin,
    pruned,
)

BLOCK = 16  # turns for which random numbers are drawn at a time


@dataclass(frozen=True)
class SparseSettings:
    """queries: looks at an image, at most. patience: looks at one number of pixels, at most.

    exchanged: share of the pixels that the first exchange of a number concerns; it falls to one pixel.
    """

    queries: int = 1000
    patience: int = 100
    exchanged: float = 0.3

    def __post_init__(self):
        if self.queries < 1 or self.patience < 1:
            raise ValueError(f"queries is {self.queries} and patience {self.patience}, both should be at least 1")
        if not 0 < self.exchanged <= 1:
            raise ValueError(f"exchanged is {self.exchanged}, should be above 0 and at most 1")


class _State(NamedTuple):
    """Of every image still under attack: chosen pixels, their corners, margin; numbers that failed and sufficed."""

    row: torch.Tensor  # [A]
    mask: torch.Tensor  # bool [A, P]
    corners: torch.Tensor  # [A, C, P]
    margin: torch.Tensor  # [A]
    wanted: torch.Tensor  # pixels at present
    failed: torch.Tensor
    sufficed: torch.Tensor  # P + 1 while nothing has
    looks: torch.Tensor  # at this number


def sparse(
    network: Network, images: torch.Tensor, labels: torch.Tensor, settings: SparseSettings, seeds: torch.Tensor
) -> Attacked:
    """Attack images [B, C, H, W] in 0 to 1, all at once; labels: int64 [B], what the network now says.

    seeds: int64 [B], one an image, so that no result depends on what else is in the batch. Raises ValueError as
    `check` does.
    """
    check(images, labels)
    count, channels, height, width = images.shape
    pixels, device = height * width, images.device
    flat, found = images.flatten(2), images.clone()
    queries = torch.zeros(count, dtype=torch.int64, device=device)
    chance = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    every = torch.arange(count, device=device)
    whole = torch.zeros(count, dtype=torch.int64, device=device)
    state = _State(
        every,
        torch.zeros(count, pixels, dtype=torch.bool, device=device),
        flat.clone(),
        torch.full((count,), torch.inf, dtype=images.dtype, device=device),
        whole + 1,
        whole,
        whole + pixels + 1,
        whole,
    )
    block = None
    for turn in range(settings.queries):
        if not len(state.row):
            break
        if turn % BLOCK == 0:
            block = torch.zeros(count, BLOCK, 2, pixels)
            for row in state.row.tolist():
                block[row] = torch.rand(BLOCK, 2, pixels, generator=chance[row])
            block = block.to(device, images.dtype)
        keys, colours = block[state.row, turn % BLOCK].unbind(1)
        mask, corners = _proposal(state, flat, keys, colours, settings)
        tried = torch.where(mask[:, None], corners, flat[state.row]).view(-1, channels, height, width)
        with torch.no_grad():
            reached = margin(network(tried), labels[state.row])
        queries[state.row] += 1
        found[state.row[reached < 0]] = tried[reached < 0]
        state = _next(state, mask, corners, reached, pixels, settings)
        going = state.sufficed > state.failed + 1
        state = _State(*(each[going] for each in state))
    order = torch.stack([torch.rand(pixels, generator=each) for each in chance]).to(device)
    found, more = pruned(network, images, labels, found, order)
    return judged(network, images, labels, found, changed_pixels(found, images), pixels, queries + more)


def _rank(keys: torch.Tensor, among: torch.Tensor) -> torch.Tensor:
    """Place of every pixel among the marked ones by rising key; the others come after them. [A, P]"""
    order = torch.where(among, keys, keys + 2).argsort(1)
    place = torch.arange(keys.shape[1], device=keys.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, place)


def _proposal(state: _State, flat, keys, colours, settings: SparseSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """The next set of pixels: brought to the wanted number, or where it has that, some exchanged for others."""
    held, pixels, channels = state.mask.sum(1), keys.shape[1], flat.shape[1]
    share = settings.exchanged * (1 - state.looks / settings.patience)
    exchanged = (share * state.wanted).long().clamp_min(1)
    exchanged = torch.minimum(exchanged, torch.minimum(state.wanted, pixels - state.wanted))
    exchanged = torch.where(held == state.wanted, exchanged, 0)
    leaving = torch.where(held > state.wanted, held - state.wanted, exchanged)
    entering = torch.where(held < state.wanted, state.wanted - held, exchanged)
    leaves = state.mask & (_rank(keys, state.mask) < leaving[:, None])
    enters = ~state.mask & (_rank(keys, ~state.mask) < entering[:, None])
    # One random number per pixel gives a bit per channel; a corner that is the pixel itself is turned round.
    bits = (colours * 2**channels).long()
    corners = torch.stack([(bits >> channel) & 1 for channel in range(channels)], 1).to(flat.dtype)
    same = (corners == flat[state.row]).all(1, keepdim=True)
    corners = torch.where(same, 1 - corners, corners)
    # A set that is all pixels has none to exchange: its colours change instead.
    repainted = state.mask & (state.wanted == pixels)[:, None] & (keys < settings.exchanged)
    return (state.mask & ~leaves) | enters, torch.where((enters | repainted)[:, None], corners, state.corners)


def _next(state: _State, mask, corners, reached, pixels: int, settings: SparseSettings) -> _State:
    """The state after a look: a success narrows from above, running out of patience from below."""
    won = reached < 0
    fresh = state.mask.sum(1) != state.wanted  # a set of a new number is taken as it is
    taken = won | fresh | (reached <= state.margin)
    mask = torch.where(taken[:, None], mask, state.mask)
    corners = torch.where(taken[:, None, None], corners, state.corners)
    reached = torch.where(taken, reached, state.margin)
    sufficed = torch.where(won, torch.minimum(state.sufficed, state.wanted), state.sufficed)
    looks = state.looks + 1
    tired = ~won & (looks >= settings.patience)
    failed = torch.where(tired, state.wanted, state.failed)
    changed = won | tired
    doubled = (2 * failed).clamp(1, pixels)
    between = (failed + sufficed) // 2
    wanted = torch.where(changed, torch.where(sufficed > pixels, doubled, between), state.wanted)
    exhausted = tired & (failed >= pixels)
    sufficed = torch.where(exhausted, failed, sufficed)  # not even all pixels: the search ends
    return _State(state.row, mask, corners, reached, wanted, failed, sufficed, torch.where(changed, 0, looks))
