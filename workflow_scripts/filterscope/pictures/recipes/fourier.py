"""Recipe `fourier`: a decorrelated spectrum is optimised under random transformations.

After Olah, Mordvintsev and Schubert, "Feature Visualization", Distill 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.random_views import views, wobble


@dataclass(frozen=True)
class Fourier:
    """Settings. size: px of the picture, None for the network's input; scale, angle (degrees) and shift (share of the
    side): largest random change of the view."""

    size: int | None = None
    steps: int = 256
    learning_rate: float = 0.05
    scale: float = 0.1
    angle: float = 10.0
    shift: float = 0.06

    compares = False  # with photographs

    @property
    def total_steps(self) -> int:
        return self.steps

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, h, w], 0 to 1, or None for a nearly grey noise."""
        size = self.size or goal.side
        weights = spectra.equalising(size).to(goal.device)

        def picture(spectrum: Tensor) -> Tensor:
            return spectra.drawn(spectrum, weights, size)

        spectrum = spectra.begun(chance, size, weights, starts)
        watch = Watch(len(goal), report)
        adam = Adam(spectrum, self.learning_rate)
        for step in range(self.steps):
            view = wobble(chance, self.scale, self.angle, self.shift)
            slope = goal.gradient(spectrum, partial(_viewed, picture, view, goal.side))
            spectrum, usable = watch.look(slope, f"step {step + 1}", spectrum)
            spectrum = adam.climb(spectrum, slope.gradient, usable)
        with torch.no_grad():
            return watch.finished(picture(spectrum))


def _viewed(picture, view, side: int, spectrum: Tensor) -> Tensor:
    return views(picture(spectrum), *view, side)
