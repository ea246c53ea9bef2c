"""What attacks share: how far a network is from another class, and what an attack found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Network = Callable[[torch.Tensor], torch.Tensor]  # images [B, C, H, W] in 0 to 1 to scores [B, K]


@dataclass(frozen=True, eq=False)
class Attacked:
    """What an attack made of B images.

    images: [B, C, H, W] in 0 to 1, the originals where the attack failed. success: bool [B]. size: float64 [B], pixels
    changed or, for L-infinity, the largest change; the whole picture (H * W, or 1) where the attack failed.
    classes: int64 [B], what the network now says. queries: int64 [B], how often the network looked at the image.
    """

    images: torch.Tensor
    success: torch.Tensor
    size: torch.Tensor
    classes: torch.Tensor
    queries: torch.Tensor


def margin(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Score of the label minus the best other [B]; below 0 the network says another class. scores: [B, K]."""
    own = scores.gather(1, labels[:, None])[:, 0]
    return own - scores.scatter(1, labels[:, None], -torch.inf).amax(1)


def check(images: torch.Tensor, labels: torch.Tensor) -> None:
    """Raises ValueError for images that are no batch, leave the box 0 to 1, or do not have a label each."""
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images are {list(images.shape)}, should be [B, C, H, W] with at least one image")
    if not images.is_floating_point():
        raise ValueError(f"images are {images.dtype}, should be real numbers from 0 to 1")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"labels are {list(labels.shape)}, should be [{len(images)}], one an image")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"pixels go from {low:g} to {high:g}, should be finite and from 0 to 1")


def changed_pixels(images: torch.Tensor, originals: torch.Tensor) -> torch.Tensor:
    """Pixels that differ in any channel, int64 [B]."""
    return (images != originals).any(1).flatten(1).sum(1)


@torch.no_grad()
def judged(
    network: Network,
    originals: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    size: torch.Tensor,
    failure: float,
    queries: torch.Tensor,
) -> Attacked:
    """What the network really says to these images; those that it still gets right are failures."""
    classes = network(images).argmax(1)
    success = classes != labels
    kept = torch.where(success[:, None, None, None], images, originals)
    sizes = torch.where(success, size.double(), torch.full_like(size, failure, dtype=torch.float64))
    return Attacked(kept, success, sizes, torch.where(success, classes, labels), queries + 1)


@torch.no_grad()
def pruned(
    network: Network, originals: torch.Tensor, labels: torch.Tensor, images: torch.Tensor, keys: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images in which no single changed pixel can be taken back without losing the other class, and queries [B].

    images: [B, C, H, W], misclassified; others stay as they are. keys: [B, H * W], pixels are taken back in rising
    order of their key. All images try one pixel at a time together, until a whole round changes nothing.
    """
    images, queries = images.clone(), torch.zeros(len(images), dtype=torch.int64, device=images.device)
    active = (margin(network(images), labels) < 0).nonzero()[:, 0]
    queries += 1
    while len(active):
        mask = (images[active] != originals[active]).any(1).flatten(1)
        order = torch.where(mask, keys[active], torch.inf).argsort(dim=1, stable=True)
        counts, gained = mask.sum(1), torch.zeros(len(active), dtype=torch.bool, device=images.device)
        for turn in range(int(counts.max())):
            (here,) = torch.where(counts > turn)
            rows, pixels = active[here], order[here, turn]
            tried = images[rows].flatten(2)
            every = torch.arange(len(rows), device=images.device)
            tried[every, :, pixels] = originals[rows].flatten(2)[every, :, pixels]
            tried = tried.view_as(images[rows])
            still = margin(network(tried), labels[rows]) < 0
            queries[rows] += 1
            images[rows[still]] = tried[still]
            gained[here] |= still
        active = active[gained & (counts > 1)]
    return images, queries
