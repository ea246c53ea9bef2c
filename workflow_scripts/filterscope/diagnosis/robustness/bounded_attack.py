"""An L-infinity attack for comparison: projected gradient descent with the least bound that suffices.

After Madry et al. (2018); the bound is found for every image by halving, so that the result is a distance, as the
pixels of the L0 attacks are, and not a rate at one bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from filterscope.diagnosis.robustness.attack_results import Attacked, Network, check, judged, margin


@dataclass(frozen=True)
class BoundedSettings:
    """steps: of gradient descent at each bound. halvings: of the bound. largest: bound, share of the pixel range."""

    steps: int = 10
    halvings: int = 10
    largest: float = 0.5

    def __post_init__(self):
        if self.steps < 1 or self.halvings < 0:
            raise ValueError(f"steps is {self.steps} and halvings {self.halvings}, should be at least 1 and 0")
        if not 0 < self.largest <= 1:
            raise ValueError(f"largest is {self.largest}, should be above 0 and at most 1")


def bounded(
    network: Network, images: torch.Tensor, labels: torch.Tensor, settings: BoundedSettings, seeds: object = None
) -> Attacked:
    """Attack images [B, C, H, W] in 0 to 1, all at once; labels: int64 [B], what the network now says.

    seeds: not used, every descent begins at the image. Raises ValueError as `check` does.
    """
    check(images, labels)
    count, device = len(images), images.device
    found, size = images.clone(), torch.full((count,), torch.inf, dtype=images.dtype, device=device)
    low = torch.zeros(count, dtype=images.dtype, device=device)
    high = torch.full_like(low, settings.largest)
    queries = torch.zeros(count, dtype=torch.int64, device=device)
    active = torch.arange(count, device=device)
    for halving in range(settings.halvings + 1):
        if not len(active):
            break
        bound = high[active] if halving == 0 else (low[active] + high[active]) / 2
        tried, won = _descend(network, images[active], labels[active], bound, settings.steps)
        queries[active] += settings.steps + 1
        change = (tried - images[active]).abs().flatten(1).amax(1)
        nearer = won & (change < size[active])
        found[active[nearer]], size[active[nearer]] = tried[nearer], change[nearer]
        high[active] = torch.where(won, torch.minimum(bound, size[active]), high[active])
        low[active] = torch.where(won, low[active], bound)
        low[low >= high] = 0  # a descent failed at a bound within which another found something: it tells nothing
        if halving == 0:
            active = active[won]  # where the largest bound fails, so do smaller ones
    return judged(network, images, labels, found, size, 1.0, queries)


def _descend(network: Network, images, labels, bound, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images within the bound [B] of each that the network gets wrong, and whether it does."""
    limit = bound[:, None, None, None]
    lowest, highest = (images - limit).clamp_min(0), (images + limit).clamp_max(1)
    state, best = images.clone(), images.clone()
    won = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    for step in range(steps + 1):
        inputs = state.detach().requires_grad_(True)
        with torch.enable_grad():
            reached = margin(network(inputs), labels)
            slope = torch.autograd.grad(reached.sum(), inputs)[0]
        fresh = (reached.detach() < 0) & ~won
        best[fresh], won = state[fresh], won | fresh
        if step == steps or bool(won.all()):
            break
        # 2.5 bounds in all: enough to reach any corner of the box and to turn round once.
        state = torch.minimum(torch.maximum(state - 2.5 / steps * limit * slope.sign(), lowest), highest)
    return best, won
