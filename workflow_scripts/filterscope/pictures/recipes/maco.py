"""Recipe `maco`: only the phases of the spectrum are optimised, its magnitudes are those of photographs.

After Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization", 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.random_views import crops, views


@dataclass(frozen=True)
class Maco:
    """Settings. size: px of the picture, None for 1.5 times the network's input; crops: views per step, their sides
    between `smallest` and `largest`, shares of the picture's; noise: standard deviation of noise on every view."""

    size: int | None = None
    steps: int = 256
    learning_rate: float = 0.5
    crops: int = 2
    smallest: float = 0.5
    largest: float = 0.95
    noise: float = 0.05

    def __post_init__(self):
        if not 0 < self.smallest <= self.largest <= 1:
            raise ValueError(f"smallest is {self.smallest} and largest {self.largest}: should rise from above 0 to 1")

    compares = False  # with photographs

    @property
    def total_steps(self) -> int:
        return self.steps

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, S, S], 0 to 1, whose phases are the first; None for random phases."""
        size = self.size or round(1.5 * goal.side)
        magnitudes = spectra.typical_magnitudes(size).to(goal.device)

        def picture(phases: Tensor) -> Tensor:
            return spectra.pixels(
                torch.fft.irfft2(torch.polar(magnitudes.expand_as(phases), phases), s=(size, size), norm="ortho")
            )

        if starts is None:
            phases = math.pi * chance.normal(3, size, size // 2 + 1)
        else:
            resized = functional.interpolate(starts.to(goal.device), (size, size), mode="bicubic", antialias=True)
            phases = torch.fft.rfft2(spectra.components(resized.clamp(0, 1)), norm="ortho").angle()
        watch = Watch(len(goal), report)
        adam = Adam(phases, self.learning_rate)
        shape = (self.crops, 3, goal.side, goal.side)
        for step in range(self.steps):
            noise = self.noise * chance.normal(*shape).flatten(0, 1)
            view = crops(chance, self.smallest, self.largest, self.crops)
            slope = goal.gradient(phases, partial(_viewed, picture, view, goal.side, noise))
            phases, usable = watch.look(slope, f"step {step + 1}", phases)
            phases = adam.climb(phases, slope.gradient, usable)
        with torch.no_grad():
            return watch.finished(picture(phases))


def _viewed(picture, view, side: int, noise: Tensor, phases: Tensor) -> Tensor:
    return views(picture(phases), *view, side) + noise
