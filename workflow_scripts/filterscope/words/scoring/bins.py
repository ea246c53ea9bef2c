"""Bins of activations: geometric in units of a filter's threshold, found without a search."""

from __future__ import annotations

import numpy as np
import torch

from filterscope.words.firing import Thresholds

BINS = 32
# Lowest and highest bin edge, in units of the filter's threshold; zero and below is a bin of its own.
LOWEST, HIGHEST = 0.01, 4.0
# Low bits of a float32 that tell nothing here: what is left, exponent and three bits, parts an octave into eight, so
# that no two edges, whose ratio is 1.17 or more, lie in the same part. Parts from the lowest edge to the highest, and
# what lies below and above them.
LOW, PARTS = 20, 80


class ActivationBins:
    """Sorts the activations of a layer's filters into bins."""

    def __init__(self, thresholds: Thresholds):
        # What lies above the last edge is in the last bin, too, so that edge is none.
        edges = bin_edges(thresholds)[:, :-1]
        edges = torch.cat([edges, torch.full_like(edges[:, :1], torch.inf)], 1)
        self._first = (edges[:, 1:2].contiguous().view(torch.int32) >> LOW) - 1
        begins = ((self._first + torch.arange(PARTS, device=edges.device, dtype=torch.int32)) << LOW).view(
            torch.float32
        )
        begins[:, 0] = -torch.inf
        # Of every part the edges below it, and the one edge that may lie in it.
        self._below = torch.searchsorted(edges, begins)
        self._within = edges.gather(1, self._below)

    def of(self, activations: torch.Tensor) -> torch.Tensor:
        """The bin of every activation, int64 [d, n]; activations: float32 [d, n]."""
        bits = activations.contiguous().view(torch.int32)
        part = (bits >> LOW).sub_(self._first).clamp_(0, PARTS - 1).long()
        return self._below.gather(1, part).add_(self._within.gather(1, part) < activations)


def bin_edges(thresholds: Thresholds) -> torch.Tensor:
    """Upper edges of the bins of activations, [d, BINS]: zero, then geometric steps from LOWEST thresholds on.

    What lies above the last edge is in the last bin. A saturated filter has no activation above its threshold: its
    last bin holds those that reach it, and nothing else, and the others are the finer.
    """
    # A filter that never fires has threshold 0: its edges collapse, and everything lands in the first bin.
    units = thresholds.values.clamp(min=1e-12)[:, None]
    beyond = np.concatenate([[0.0], np.geomspace(LOWEST, HIGHEST, BINS - 1)])
    within = np.concatenate([[0.0], np.geomspace(LOWEST, 1.0, BINS - 2), [1.0]])
    ordinary, bounded = (torch.from_numpy(scale).float().to(units.device) * units for scale in (beyond, within))
    bounded[:, -2] = torch.nextafter(units[:, 0], torch.zeros_like(units[:, 0]))
    return torch.where(thresholds.saturated[:, None], bounded, ordinary)
