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
    between `smallest` and `largest`, shares of the picture's; noise: standard deviation of noise on every view;
    magnitudes: typical (of any photograph) or photographs (means of the goal's, with their mean colour)."""

    size: int | None = None
    steps: int = 256
    learning_rate: float = 0.5
    crops: int = 2
    smallest: float = 0.5
    largest: float = 0.95
    noise: float = 0.05
    magnitudes: str = "typical"

    def __post_init__(self):
        if self.magnitudes not in ("typical", "photographs"):
            raise ValueError(f"magnitudes is {self.magnitudes!r}, should be typical or photographs")
        if not 0 < self.smallest <= self.largest <= 1:
            raise ValueError(f"smallest is {self.smallest} and largest {self.largest}: should rise from above 0 to 1")

    @property
    def total_steps(self) -> int:
        return self.steps

    @property
    def compares(self) -> bool:
        """Whether it needs the goal's photographs."""
        return self.magnitudes == "photographs"

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, S, S], 0 to 1, whose phases are the first; None for random phases."""
        size = self.size or round(1.5 * goal.side)
        magnitudes = _of_photographs(goal, size) if self.compares else spectra.typical_magnitudes(size)[None]
        magnitudes = magnitudes.to(goal.device).expand(len(goal), -1, -1, -1)
        constant = (spectra.frequencies(size) == 0).to(goal.device)

        def picture(phases: Tensor) -> Tensor:
            # The mean colour has no phase: it is that of the photographs, or grey.
            inner = torch.where(constant, magnitudes.to(torch.complex64), torch.polar(magnitudes.abs(), phases))
            return spectra.pixels(torch.fft.irfft2(inner, s=(size, size), norm="ortho"))

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


def _of_photographs(goal: Goal, size: int) -> Tensor:
    """Mean magnitudes of the components of each target's photographs [B, 3, size, size // 2 + 1]; the mean colour, at
    frequency 0, has its sign."""
    if goal.photographs is None:
        raise ValueError("recipe maco takes magnitudes from photographs, and there are none for this goal")
    found = []
    for shown in goal.photographs:
        resized = functional.interpolate(shown.float() / 255, (size, size), mode="bicubic", antialias=True)
        spectrum = torch.fft.rfft2(spectra.components(resized.clamp(0, 1)), norm="ortho")
        mean = spectrum.abs().mean(0)
        mean[:, 0, 0] = spectrum[..., 0, 0].real.mean(0)
        found.append(mean)
    return torch.stack(found)


def _viewed(picture, view, side: int, noise: Tensor, phases: Tensor) -> Tensor:
    return views(picture(phases), *view, side) + noise
