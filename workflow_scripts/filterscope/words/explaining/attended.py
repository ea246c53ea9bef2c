"""What filters show in their top training images: the tokens under their regions, and samples for the explainer.

The explainer is asked about attention-weighted means, so it also learns from those: of a filter and one of its top
training images, whose right words are known from the masks under the filter's region (ours).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explainer_inputs
from filterscope.words.firing import Thresholds
from filterscope.words.sums import counted
from filterscope.words.truth import ImageTruth, region_tokens


def drawn(pairs: TopPairs, most: int, seed: int) -> np.ndarray:
    """Which of the pairs are samples of the explainer, bool: all of them, or `most` drawn at random."""
    chosen = np.zeros(len(pairs.keys), bool)
    chosen[np.random.default_rng(seed).permutation(len(chosen))[:most]] = True
    return chosen


class Attended:
    """Collects tokens and explainer inputs of (filter, top training image) pairs, image by image.

    sampled: bool [pairs], the pairs whose inputs are kept, from `drawn`. tokens: how many there are. overlap: IoU above
    which an object belongs to a region.
    """

    def __init__(
        self,
        pairs: TopPairs,
        sampled: np.ndarray,
        thresholds: Thresholds | np.ndarray,
        tokens: int,
        overlap: float,
        settings: ExplanationSettings,
        device: torch.device,
    ):
        # The method "image" looks again at every pair; of training images the first look's attention stands in for it.
        pooled = replace(settings, method="attention") if settings.method == "image" else settings
        self.pairs, self.sampled, self.overlap, self.settings = pairs, sampled, overlap, pooled
        self.thresholds = Thresholds.of(thresholds, device)
        self.device = device
        filters = pairs.shape[0]
        self.shown = np.zeros((filters, tokens), np.int64)
        self.fired = np.zeros(filters, np.int64)
        self._nothing = np.zeros(0, np.int64)

    def add(self, image_id: int, maps: torch.Tensor, scene: ImageTruth) -> dict[str, np.ndarray]:
        """Take in one image, and return its samples: filter [n], vectors [n, ...] and targets bool [n, T].

        A pair whose region shows no token is counted nowhere and is no sample.
        """
        first, last = np.searchsorted(self.pairs.keys, [image_id, image_id + 1])
        filters, sampled = self.pairs.filters[first:last], self.sampled[first:last]
        if not len(filters) or not len(scene.objects):
            return self._samples(maps, self._nothing, np.zeros((0, self.shown.shape[1]), bool))
        some = torch.from_numpy(filters).to(self.device)
        found = region_tokens(maps[some], self.thresholds[some], scene, self.overlap).cpu().numpy()
        np.add.at(self.shown, filters, found)
        np.add.at(self.fired, filters, found.any(1))
        kept = sampled & found.any(1)
        return self._samples(maps, filters[kept], found[kept])

    def sums(self) -> dict[str, np.ndarray]:
        """What was counted, by name, as another job takes it in: [2, rows, columns]."""
        return {"shown": counted(self.shown), "fired": counted(self.fired[:, None])}

    def take_in(self, sums: Mapping[str, np.ndarray]) -> None:
        """Add what another job has counted of other images."""
        self.shown += sums["shown"][0].astype(np.int64)
        self.fired += sums["fired"][0, :, 0].astype(np.int64)

    def _samples(self, maps: torch.Tensor, filters: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
        some = torch.from_numpy(filters).to(self.device)
        vectors = explainer_inputs(maps, some, self.thresholds, self.settings)
        return {"filter": filters, "vectors": vectors.cpu().numpy(), "targets": targets}
