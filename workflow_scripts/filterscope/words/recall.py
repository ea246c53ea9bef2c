"""Recall@s of filter words against the objects in a filter's region (seed 000, 4.3; spec A7)."""

from __future__ import annotations

import numpy as np
import torch

from filterscope.words.firing import Thresholds
from filterscope.words.truth import Scene

# Filters whose regions are enlarged to the size of the picture at once.
CHUNK = 128


def region_tokens(
    maps: torch.Tensor,
    thresholds: Thresholds | torch.Tensor,
    scene: Scene,
    overlap: float = 0.04,
    mask_resolution: str = "image",
) -> torch.Tensor:
    """Tokens of the objects that overlap each filter's region: G = {t_j : IoU(M_j, [U > T]) > overlap}, strict.

    maps: [n, h, w] of n filters in one image; thresholds: [n]. mask_resolution "feature" takes the masks at
    h x w and enlarges them again, as the reference does, which loses small objects. Returns bool [n, T].
    """
    side = scene.objects.shape[-1]
    objects = scene.objects
    if mask_resolution == "feature":
        rows = torch.arange(maps.shape[1], device=maps.device) * side // maps.shape[1] + side // (2 * maps.shape[1])
        columns = torch.arange(maps.shape[2], device=maps.device) * side // maps.shape[2] + side // (2 * maps.shape[2])
        small = objects[:, rows][:, :, columns].float()
        objects = torch.nn.functional.interpolate(small[None], size=(side, side), mode="nearest")[0] > 0
    covers = objects.flatten(1).float()
    found = []
    limits = Thresholds.of(thresholds, maps.device)
    for some, own in zip(maps.split(CHUNK), limits.split(CHUNK), strict=True):
        regions = own.regions(some, (side, side)).flatten(1).float()
        shared = regions @ covers.T
        union = regions.sum(1)[:, None] + covers.sum(1)[None] - shared
        belongs = shared > overlap * union
        found.append((belongs.float() @ scene.object_tokens.float()) > 0)
    return torch.cat(found)


def recall(words: np.ndarray, truth: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall@k of each (filter, image) pair.

    words: token index of each pair's words, best first, -1 for words that are no token, [n, s].
    truth: bool [n, T]. Returns recall [n], 0 where there is no truth, and whether the pair counts, [n].
    Raises ValueError for k < 1 or k > s.
    """
    if not 1 <= k <= words.shape[1]:
        raise ValueError(f"recall at {k} asked for, there are {words.shape[1]} words a pair")
    said = np.zeros((len(words), truth.shape[1] + 1), bool)  # the last column takes the words that are no token
    np.put_along_axis(said, words[:, :k], True, axis=1)
    wanted = truth.sum(1)
    right = (said[:, :-1] & truth).sum(1)
    counts = wanted > 0
    return np.where(counts, right / np.maximum(wanted, 1), 0.0), counts


def by_image(values: np.ndarray, counts: np.ndarray, images: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of values and counts per image, [total] each; images: position of each pair's image, [n]."""
    return (
        np.bincount(images, weights=values * counts, minlength=total),
        np.bincount(images, weights=counts, minlength=total),
    )
