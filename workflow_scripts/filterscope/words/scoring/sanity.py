"""Can a score tell a right claim from a wrong one? Two tests that a score should pass (missing and extra labels).

The truth is spoilt on purpose, and a score that can be believed must fall. After the sanity tests of Oikarinen
et al. 2025. The share of the masks that the region covers (pixel_recall) does not notice missing labels, the
share of the region that is masked (pixel_precision) does not notice extra ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from filterscope.words.scoring.claims import METRICS, BinnedMaps, ClaimScores, Overlaps
from filterscope.words.truth import ImageTruth

# A score passes a test when it falls for more than this share of the filters.
PASSING = 0.9
SPOILERS = ("missing_labels", "extra_labels")


def remembered(tokens: int, image_id: int, seed: int) -> np.ndarray:
    """Which of an image's tokens are not forgotten, each with probability one half, bool [tokens]."""
    return np.random.default_rng([seed, image_id]).random(tokens) < 0.5


def extra_labels(scene: ImageTruth) -> ImageTruth:
    """Add to each token's mask the same mask moved by half the picture: about as much again, in the wrong place."""
    side = scene.token_masks.shape[-1]
    moved = torch.roll(scene.token_masks, (side // 2, side // 2), dims=(1, 2))
    return replace(scene, token_masks=scene.token_masks | moved)


class SpoiltScores:
    """Collects how every filter's own claim does under spoilt labels, in the look that scores it by the true ones."""

    def __init__(self, claimed: np.ndarray, beside: ClaimScores, seed: int):
        """claimed: token index per filter, -1 for none, [d]. beside: the collector of the true labels."""
        once, arguments = np.ones((1, beside.weights.shape[1]), np.float32), (beside.resolution, beside.device)
        self.scores = {
            name: ClaimScores({"words": claimed}, beside.thresholds, beside.tokens, once, *arguments, beside=beside)
            for name in SPOILERS
        }
        self.seed = seed

    def add(self, image: int, image_id: int, seen: BinnedMaps, scene: ImageTruth, overlaps: Overlaps) -> None:
        """Take in one image; overlaps: of all filters with the true masks."""
        # What is forgotten changes nothing of what is not.
        kept = remembered(len(scene.tokens), image_id, self.seed)
        self.scores["missing_labels"].take(image, overlaps.of(kept))
        self.scores["extra_labels"].add(image, seen, extra_labels(scene))

    def metrics(self) -> dict[str, dict[str, np.ndarray]]:
        """By spoiler, the metrics of every filter's own claim, [1, 1, d] each."""
        return {name: each.metrics() for name, each in self.scores.items()}


def verdicts(metrics: dict[str, dict[str, np.ndarray]], claimed: np.ndarray) -> list[dict]:
    """Rows of the `sanity` table.

    metrics: by "true" and by spoiler, the metrics of `ClaimScores`, [1, 1, d] each. claimed: bool [d]; only filters
    whose claim scores above zero with the true labels can fall, so only those are counted.
    """
    rows = []
    for test in SPOILERS:
        for metric in METRICS:
            own, spoilt = metrics["true"][metric][0, 0], metrics[test][metric][0, 0]
            counted = claimed & (own > 0)
            n = int(counted.sum())
            fallen = float((spoilt[counted] < own[counted]).mean()) if n else None
            rows.append(
                {
                    "test": test,
                    "metric": metric,
                    "value": float(own[counted].mean()) if n else None,
                    "spoilt": float(spoilt[counted].mean()) if n else None,
                    "fallen": fallen,
                    "passed": fallen > PASSING if n else None,
                    "n": n,
                }
            )
    return rows
