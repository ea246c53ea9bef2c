"""A greedy L0 attack by saliency: pixel after pixel, the one that brings another class nearest.

In the manner of JSMA (Papernot et al., 2016), with three differences: a pixel is changed in all its channels and counts
once, it goes to whichever edge of the box helps (not only up), and pixels that turn out not to be needed are taken
back. For a linear network with all rivals tried, the count is the exact least.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class GreedySettings:
    """rivals: classes that are tried as goals, the likeliest first. largest: share of the pixels that may change."""

    rivals: int = 3
    largest: float = 1.0

    def __post_init__(self):
        if self.rivals < 1:
            raise ValueError(f"rivals is {self.rivals}, should be at least 1")
        if not 0 < self.largest <= 1:
            raise ValueError(f"largest is {self.largest}, should be above 0 and at most 1")


def greedy(
    network: Network, images: torch.Tensor, labels: torch.Tensor, settings: GreedySettings, seeds: object = None
) -> Attacked:
    """Attack images [B, C, H, W] in 0 to 1, all at once; labels: int64 [B], what the network now says.

    Every goal of an image is a row of the batch; an image is done when its first row is. seeds: not used, there is no
    chance in it. Raises ValueError as `check` does.
    """
    check(images, labels)
    count, pixels, device = len(images), images.shape[2] * images.shape[3], images.device
    with torch.no_grad():
        others = network(images).scatter(1, labels[:, None], -torch.inf)
    rivals = others.topk(min(settings.rivals, others.shape[1] - 1)).indices  # [B, R]
    found, order = images.clone(), torch.zeros(count, pixels, device=device)
    queries = torch.ones(count, dtype=torch.int64, device=device)
    owner = torch.arange(count, device=device).repeat_interleave(rivals.shape[1])
    goal, state = rivals.flatten(), images[owner].clone()
    changed_at = torch.zeros(len(owner), pixels, device=device)  # turn from 1 on, 0: not changed
    for turn in range(1, max(1, int(settings.largest * pixels)) + 1):
        if not len(owner):
            break
        reduction, edges = _saliency(network, state, labels[owner], goal)
        reduction = reduction.masked_fill(changed_at > 0, -torch.inf)
        gain, pixel = reduction.max(1)
        rows = torch.arange(len(owner), device=device)
        state.flatten(2)[rows, :, pixel] = edges[rows, :, pixel]
        changed_at[rows, pixel] = turn
        with torch.no_grad():
            won = margin(network(state), labels[owner]) < 0
        queries += 2 * torch.bincount(owner, minlength=count)
        for row in won.nonzero()[:, 0].flip(0).tolist():  # the likeliest rival's row is written last
            found[owner[row]], order[owner[row]] = state[row], -changed_at[row]
        done = torch.zeros(count, dtype=torch.bool, device=device)
        done[owner[won]] = True
        going = ~done[owner] & (gain > 0)  # without a gradient nothing more is known
        owner, goal, state, changed_at = owner[going], goal[going], state[going], changed_at[going]
    found, more = pruned(network, images, labels, found, order)  # the last changed is taken back first
    return judged(network, images, labels, found, changed_pixels(found, images), pixels, queries + more)


def _saliency(
    network: Network, state: torch.Tensor, labels: torch.Tensor, goal: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """By how much each pixel can lower the gap to the goal, to first order, [R, H*W], and the values that do it."""
    inputs = state.detach().requires_grad_(True)
    with torch.enable_grad():
        scores = network(inputs)
        gap = (scores.gather(1, labels[:, None]) - scores.gather(1, goal[:, None])).sum()
        slope = torch.autograd.grad(gap, inputs)[0].flatten(2)
    value = state.flatten(2)
    up, down = -slope * (1 - value), slope * value
    edges = torch.where((up > down) & (up > 0), 1.0, torch.where(down > 0, 0.0, value))
    return torch.maximum(up, down).clamp_min(0).sum(1), edges
