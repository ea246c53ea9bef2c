"""Recipe `plain`: the bare ascent, without any prior, transformation or smoothing (Erhan et al., 2009; MFV, 3.2.1).

It makes noise that excites a filter beyond every photograph; it is what the other recipes and the criteria are compared
with.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch
from filterscope.pictures.recipes.objectives import Goal

NOISE_MEAN, NOISE_SD = 0.5, 0.05  # of the first picture


@dataclass(frozen=True)
class Plain:
    """Settings. learning_rate: of Adam, pixels in the unit range per step; pixels are kept in 0 to 1."""

    steps: int = 64
    learning_rate: float = 0.05

    compares = False  # with photographs

    @property
    def total_steps(self) -> int:
        return self.steps

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, h, w], 0 to 1, or None for a grey noise; the size is the network's input."""
        side = goal.side
        if starts is None:
            pictures = (NOISE_MEAN + NOISE_SD * chance.normal(3, side, side)).clamp(0, 1)
        else:
            pictures = functional.interpolate(starts.to(goal.device), (side, side), mode="bicubic", antialias=True)
            pictures = pictures.clamp(0, 1)
        watch = Watch(len(goal), report)
        adam = Adam(pictures, self.learning_rate)
        for step in range(self.steps):
            slope = goal.gradient(pictures)
            pictures, usable = watch.look(slope, f"step {step + 1}", pictures)
            pictures = torch.clamp(adam.climb(pictures, slope.gradient, usable), 0, 1)
        return watch.finished(pictures)
