"""Network Dissection's labels, as a rival: the token whose masks overlap a filter's region best.

Bau et al. 2017; computed on training images, with the same thresholds as everything else.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from filterscope.words.heatmaps import upsample
from filterscope.words.truth import Scene


class Dissection:
    """Sums of overlaps between every filter's region and every token's masks."""

    def __init__(self, thresholds: np.ndarray, tokens: int, resolution: int, device: torch.device):
        self.thresholds = torch.tensor(thresholds, dtype=torch.float32, device=device)
        self.resolution = resolution
        self.shared = torch.zeros(len(thresholds), tokens, dtype=torch.float64, device=device)
        self.regions = torch.zeros(len(thresholds), 1, dtype=torch.float64, device=device)
        self.areas = torch.zeros(1, tokens, dtype=torch.float64, device=device)

    def add(self, maps: torch.Tensor, scene: Scene) -> None:
        """Take in one image: maps [d, h, w] and its truth."""
        side = (self.resolution, self.resolution)
        regions = (upsample(maps, side) > self.thresholds[:, None, None]).flatten(1).float()
        self.regions += regions.sum(1, keepdim=True)
        if len(scene.tokens):
            masks = functional.interpolate(scene.token_masks.float()[:, None], size=side, mode="nearest-exact").flatten(
                1
            )
            tokens = torch.from_numpy(scene.tokens).to(maps.device)
            self.shared[:, tokens] += (regions @ masks.T).double()
            self.areas[0, tokens] += masks.sum(1).double()

    def overlaps(self) -> np.ndarray:
        """IoU of every filter with every token, [d, T]."""
        union = self.regions + self.areas - self.shared
        return torch.where(union > 0, self.shared / union.clamp(min=1e-30), 0.0).cpu().numpy()
