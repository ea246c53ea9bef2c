"""Network Dissection's labels, as a rival: the token whose masks overlap a filter's region best.

Bau et al. 2017; computed on training images, with the same thresholds as everything else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from filterscope.words.firing import Thresholds
from filterscope.words.sums import counted
from filterscope.words.truth import ImageTruth


class Dissection:
    """Sums of overlaps between every filter's region and every token's masks."""

    def __init__(self, thresholds: Thresholds | np.ndarray, tokens: int, resolution: int, device: torch.device):
        self.thresholds = Thresholds.of(thresholds, device)
        self.resolution = resolution
        self.shared = torch.zeros(len(thresholds), tokens, dtype=torch.float64, device=device)
        self.regions = torch.zeros(len(thresholds), 1, dtype=torch.float64, device=device)
        self.areas = torch.zeros(1, tokens, dtype=torch.float64, device=device)

    def add(self, maps: torch.Tensor, scene: ImageTruth) -> None:
        """Take in one image: maps [d, h, w] and its truth."""
        side = (self.resolution, self.resolution)
        masks = functional.interpolate(scene.token_masks.float()[:, None], size=side, mode="nearest-exact")[:, 0]
        shared, region = self.thresholds.overlaps(maps, masks)
        self.regions += region
        if len(scene.tokens):
            tokens = torch.from_numpy(scene.tokens).to(maps.device)
            self.shared[:, tokens] += shared.double()
            self.areas[0, tokens] += masks.sum((1, 2)).double()

    def sums(self) -> dict[str, np.ndarray]:
        """All of it, by name, as another job takes it in: pixels, which are whole numbers, [2, rows, columns]."""
        own = {"shared": self.shared, "regions": self.regions, "areas": self.areas}
        return {name: counted(each.cpu().numpy()) for name, each in own.items()}

    def take_in(self, sums: Mapping[str, np.ndarray]) -> None:
        """Add what another job has summed up of other images."""
        for name in ("shared", "regions", "areas"):
            own = getattr(self, name)
            own += torch.from_numpy(sums[name][0]).to(own.device)

    def best(self, kept: int, unsupervised: np.ndarray) -> pd.DataFrame:
        """The tokens that overlap each filter best: filter, rank, token index and iou, `kept` of all tokens.

        unsupervised: bool [T]; `kept` of these are among them in any case, and `kept` of the others.
        """
        overlaps = self.overlaps()
        chosen = np.zeros_like(overlaps, bool)
        for some in (np.flatnonzero(unsupervised), np.flatnonzero(~unsupervised)):
            order = some[np.argsort(-overlaps[:, some], axis=1, kind="stable")[:, :kept]]
            np.put_along_axis(chosen, order, True, axis=1)
        filters, tokens = np.nonzero(chosen)
        table = pd.DataFrame({"filter": filters, "token": tokens, "iou": overlaps[filters, tokens]})
        table = table.sort_values(["filter", "iou", "token"], ascending=[True, False, True], ignore_index=True)
        table.insert(1, "rank", table.groupby("filter").cumcount())
        return table

    def overlaps(self) -> np.ndarray:
        """IoU of every filter with every token, [d, T]."""
        union = self.regions + self.areas - self.shared
        return torch.where(union > 0, self.shared / union.clamp(min=1e-30), 0.0).cpu().numpy()
