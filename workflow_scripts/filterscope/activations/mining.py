"""The images that excite each filter most, by streaming."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from filterscope import tables

# So many images explain a filter, if there are as many, however small a share of the mined images may.
FEWEST = 5


class TopImages:
    """The p images with the largest maximum of each filter; of equal ones those with the larger mean come first.

    Images equal in both go by their numbers. p is cut to a share of the images, though not below FEWEST, and to all
    images: top images that are half of an album tell little of what excites a filter most. O(images x filters x log p)
    work and filters x p memory, whatever the number of images.
    """

    def __init__(self, p: int, share: float = 1.0):
        if p < 1:
            raise ValueError(f"words.top_images is {p}, should be at least 1")
        if not 0 < share <= 1:
            raise ValueError(f"words.top_share is {share}, should be above 0 and at most 1")
        self.p, self.share = p, share
        self._held: tuple[np.ndarray, ...] | None = None  # maxima, means and image numbers, [filters, held]
        self.seen = 0

    def add(self, image_ids: np.ndarray, maxima: np.ndarray, means: np.ndarray) -> None:
        """Take in a batch: image numbers [B], maxima and means [B, filters]."""
        self.seen += len(image_ids)
        given = (maxima.T, means.T, np.broadcast_to(image_ids, maxima.T.shape))
        if self._held is not None:
            given = tuple(np.concatenate(each, 1) for each in zip(self._held, given, strict=True))
        maxima, means, ids = given
        order = np.lexsort((ids, -means, -maxima), axis=1)[:, : self.p]
        self._held = tuple(np.take_along_axis(each, order, 1) for each in given)

    @property
    def kept(self) -> int:
        """How many top images a filter has."""
        allowed = max(FEWEST, math.floor(self.share * self.seen + 1e-9))
        return min(self.p, allowed, self.seen)

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Image numbers and maxima, best first, [filters, kept] each. Raises ValueError where there was no image."""
        if not self.seen:
            raise ValueError("there is no image to mine: none in this split, or none that could be read (words.split)")
        maxima, _, ids = (each[:, : self.kept] for each in self._held)
        return ids, maxima

    def table(self) -> dict[str, np.ndarray]:
        """Columns of the `top_images` table, by filter and rank. Raises ValueError where there was no image."""
        ids, maxima = self.best()
        filters, kept = maxima.shape
        return {
            "filter": np.repeat(np.arange(filters), kept),
            "rank": np.tile(np.arange(kept), filters),
            "image_id": ids.reshape(-1),
            "maximum": maxima.reshape(-1).astype(np.float64),
            "tied": ties(maxima).reshape(-1),
            "asked": np.full(filters * kept, self.p),
            "mined": np.full(filters * kept, self.seen),
        }


def mined(paths: Iterable[str | Path], p: int, share: float, split: str) -> TopImages:
    """The top images of a split, or of "all" images, in the shards of the `image_activations` table."""
    top = TopImages(p, share)
    for path in paths:
        for batch in tables.batches(path, "image_activations", columns=["image_id", "split", "maximum", "mean"]):
            chosen = np.ones(len(batch), bool) if split == "all" else batch["split"].to_numpy(False) == split
            maxima, means = (tables.matrix(batch[name])[chosen] for name in ("maximum", "mean"))
            top.add(batch["image_id"].to_numpy()[chosen], maxima, means)
    return top


def ties(maxima: np.ndarray) -> np.ndarray:
    """How many values of its row equal each value, itself included; rows [filters, p] are sorted downwards."""
    first = np.ones(maxima.shape, bool)
    first[:, 1:] = maxima[:, 1:] != maxima[:, :-1]
    groups = np.cumsum(first.reshape(-1)) - 1  # every row begins a group
    return np.bincount(groups)[groups].reshape(maxima.shape)
