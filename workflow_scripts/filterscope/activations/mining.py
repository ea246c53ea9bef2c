"""The images that excite each filter most, by streaming (spec A6.1)."""

from __future__ import annotations

import numpy as np


class TopImages:
    """The p images with the largest maximum of each filter, ties to the smaller image number.

    O(images x filters x log p) work and filters x p memory, whatever the number of images.
    """

    def __init__(self, p: int):
        if p < 1:
            raise ValueError(f"top_images is {p}, should be at least 1")
        self.p = p
        self.maxima: np.ndarray | None = None  # [filters, held]
        self.image_ids: np.ndarray | None = None
        self.seen = 0

    def add(self, image_ids: np.ndarray, maxima: np.ndarray) -> None:
        """Take in a batch: image numbers [B] and maxima [B, filters]."""
        self.seen += len(image_ids)
        maxima = maxima.T
        ids = np.broadcast_to(image_ids, maxima.shape)
        if self.maxima is not None:
            maxima = np.concatenate([self.maxima, maxima], 1)
            ids = np.concatenate([self.image_ids, ids], 1)
        order = np.lexsort((ids, -maxima), axis=1)[:, : self.p]
        self.maxima = np.take_along_axis(maxima, order, 1)
        self.image_ids = np.take_along_axis(ids, order, 1)

    def table(self) -> dict[str, np.ndarray]:
        """Columns of the `top_images` table, by filter and rank.

        Raises ValueError when fewer than p images were seen.
        """
        if self.seen < self.p:
            raise ValueError(
                f"top_images is {self.p}, but only {self.seen} images were looked at; lower words.top_images"
            )
        filters, p = self.maxima.shape
        return {
            "filter": np.repeat(np.arange(filters), p),
            "rank": np.tile(np.arange(p), filters),
            "image_id": self.image_ids.reshape(-1),
            "maximum": self.maxima.reshape(-1).astype(np.float64),
        }
