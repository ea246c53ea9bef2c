"""Recipe `fourier`: a decorrelated spectrum is optimised under random transformations.

After Olah, Mordvintsev and Schubert, "Feature Visualization", Distill 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.random_views import views, wobble

NOISE = 0.01  # standard deviation of the first spectrum's coefficients
FLATNESS = 4.0  # divides the components, so that the first picture is nearly grey


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
            inner = torch.fft.irfft2(torch.view_as_complex(spectrum) * weights, s=(size, size), norm="ortho")
            return spectra.pixels(inner / FLATNESS)

        if starts is None:
            spectrum = NOISE * chance.normal(3, size, size // 2 + 1, 2)
        else:
            resized = functional.interpolate(starts.to(goal.device), (size, size), mode="bicubic", antialias=True)
            inner = spectra.components(resized.clamp(0, 1)) * FLATNESS
            spectrum = torch.view_as_real(torch.fft.rfft2(inner, norm="ortho") / weights).contiguous()
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
