"""Can a score tell a right claim from a wrong one? Two tests that a score should pass (missing and extra labels).

The truth is spoilt on purpose, and a score that can be believed must fall. After the sanity tests of Oikarinen
et al. 2025. The share of the masks that the region covers (pixel_recall) does not notice missing labels, the
share of the region that is masked (pixel_precision) does not notice extra ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from filterscope.words.firing import Thresholds
from filterscope.words.scoring.claims import METRICS, ClaimScores
from filterscope.words.truth import ImageTruth

# A score passes a test when it falls for more than this share of the filters.
PASSING = 0.9


def missing_labels(scene: ImageTruth, image_id: int, seed: int) -> ImageTruth:
    """Forget every token of the image with probability one half."""
    kept = np.random.default_rng([seed, image_id]).random(len(scene.tokens)) < 0.5
    return replace(scene, tokens=scene.tokens[kept], token_masks=scene.token_masks[torch.from_numpy(kept)])


def extra_labels(scene: ImageTruth, image_id: int, seed: int) -> ImageTruth:
    """Add to each token's mask the same mask moved by half the picture: about as much again, in the wrong place."""
    side = scene.token_masks.shape[-1]
    moved = torch.roll(scene.token_masks, (side // 2, side // 2), dims=(1, 2))
    return replace(scene, token_masks=scene.token_masks | moved)


SPOILERS = {"missing_labels": missing_labels, "extra_labels": extra_labels}


def spoilt_metrics(
    seen: Iterable[tuple[int, torch.Tensor, ImageTruth]],
    claimed: np.ndarray,
    thresholds: Thresholds | np.ndarray,
    tokens: int,
    images: int,
    resolution: int,
    seed: int,
    device: torch.device,
) -> dict[str, dict[str, np.ndarray]]:
    """By "true" and by spoiler, the metrics of every filter's own claim, [1, 1, d] each.

    seen: from `scenes`, so many images. claimed: token index per filter, -1 for none; [d]. thresholds: [d].
    """
    once = np.ones((1, images), np.float32)
    scores = {
        name: ClaimScores({"words": claimed}, thresholds, tokens, once, resolution, device)
        for name in ("true", *SPOILERS)
    }
    for position, (image_id, maps, scene) in enumerate(seen):
        binned = scores["true"].binned(maps)
        scores["true"].add(position, binned, scene)
        for name, spoil in SPOILERS.items():
            scores[name].add(position, binned, spoil(scene, image_id, seed))
    return {name: score.metrics() for name, score in scores.items()}


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
