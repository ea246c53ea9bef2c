"""Recipe `vital`: what a network sees in the picture is spread as in photographs, while the unit is excited.

After Görgün, Schiele and Fischer, "VITAL: More Understandable Feature Visualization through Distribution Alignment and
Relevant Information Flow", 2025: at the ends of the network's stages, the sorted values of every channel are brought to
those of photographs. Ours: the picture is a decorrelated spectrum under random views (as `fourier`), it may begin as a
mean image, and the unit's own activation counts beside the likeness, in units of what it is for the photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch
from filterscope.pictures.recipes.objectives import Goal, Slope
from filterscope.pictures.recipes.random_views import crops, mirrored, views
from filterscope.pictures.recipes.redirection import Redirecting

TOGETHER = 8  # photographs that are looked at in one pass


@dataclass(frozen=True)
class Vital:
    """Settings. size: px of the picture, None for 1.25 times the network's input; crops: views per step, their sides
    between `smallest` and `largest`, shares of the picture's, turned by up to `angle` degrees, mirrored or not; noise:
    standard deviation of noise on every view; likeness: weight of the distance from photographs, 0 for none."""

    size: int | None = None
    steps: int = 128
    learning_rate: float = 0.05
    crops: int = 1
    smallest: float = 0.75
    largest: float = 1.0
    angle: float = 5.0
    mirror: bool = True
    noise: float = 0.02
    likeness: float = 1.0

    def __post_init__(self):
        if not 0 < self.smallest <= self.largest <= 1:
            raise ValueError(f"smallest is {self.smallest} and largest {self.largest}: should rise from above 0 to 1")

    @property
    def total_steps(self) -> int:
        return self.steps

    @property
    def compares(self) -> bool:
        """Whether it needs the goal's photographs."""
        return self.likeness > 0

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, h, w], 0 to 1, or None for a nearly grey noise. The goal has photographs."""
        size = self.size or round(1.25 * goal.side)
        weights = spectra.equalising(size).to(goal.device)
        likeness = Likeness(goal) if self.compares else None
        spectrum = spectra.begun(chance, size, weights, starts)
        watch, adam = Watch(len(goal), report), Adam(spectrum, self.learning_rate)
        shape = (self.crops, 3, goal.side, goal.side)
        for step in range(self.steps):
            view = crops(chance, self.smallest, self.largest, self.crops, self.angle)
            flipped = (chance.uniform(self.crops).flatten() < 0.5) & self.mirror
            noise = self.noise * chance.normal(*shape).flatten(0, 1)

            def viewed(spectrum: Tensor, view=view, flipped=flipped, noise=noise) -> Tensor:
                return mirrored(views(spectra.drawn(spectrum, weights, size), *view, goal.side), flipped) + noise

            slope = self._slope(goal, likeness, spectrum, viewed)
            spectrum, usable = watch.look(slope, f"step {step + 1}", spectrum)
            spectrum = adam.climb(spectrum, slope.gradient, usable)
        with torch.no_grad():
            return watch.finished(spectra.drawn(spectrum, weights, size))

    def _slope(self, goal: Goal, likeness: Likeness | None, spectrum: Tensor, viewed) -> Slope:
        """Activations, and the gradient of both together; a filter that fires nowhere gets that of redirected ReLUs."""
        if likeness is None:
            return goal.gradient(spectrum, viewed)

        def differentiated() -> tuple[Tensor, Tensor]:
            leaf = spectrum.detach().requires_grad_(True)
            with torch.enable_grad():
                activations, distances = likeness.values(viewed(leaf))
                objective = activations / likeness.scale - self.likeness * distances
                (gradient,) = torch.autograd.grad(objective.sum(), leaf)
            return activations.detach(), gradient

        activations, gradient = differentiated()
        silent = activations == 0
        if bool(silent.any()):
            own = goal.gradient(spectrum, viewed)  # of the activation alone: what would wake it
            still = (own.gradient.flatten(1) == 0).all(1)
            with Redirecting():
                _, helped = differentiated()
            gradient = torch.where(silent.view(-1, *[1] * (gradient.ndim - 1)), helped, gradient)
            silent = silent & (own.silent | still)
        return Slope(activations, gradient, silent)


class Likeness:
    """How far the features of views are from those of each target's photographs, layer by layer.

    At the ends of the stages before the goal's layer, and in that layer where it has maps: every channel's values,
    sorted, against the mean over the photographs of theirs (the Wasserstein barycentre of their distributions);
    squared differences over the variance of the photographs' values, mean over channels, places and layers.
    scale: mean of the photographs' absolute activations [B], 1 where they leave the unit silent.
    """

    def __init__(self, goal: Goal):
        if goal.photographs is None:
            raise ValueError("recipe vital compares pictures with photographs, and there are none for this goal")
        self._goal, spread, sizes = goal, [], []
        for index, shown in enumerate(goal.photographs):
            parts = [part.to(goal.device).float() / 255 for part in shown.split(TOGETHER)]
            with torch.no_grad():
                maps = [torch.cat(each) for each in zip(*map(goal.stages, parts), strict=True)]
            sizes.append(maps[-1][:, goal.targets[index].filter].mean((1, 2)).abs().mean())
            spread.append([_sorted(each).mean(0) for each in self._compared(maps)])
            if not all(torch.isfinite(each).all() for each in spread[-1]):
                unit = goal.targets[index].filter
                raise ValueError(f"the network answers NaN or infinite to the photographs of filter {unit}")
        self._wanted = [torch.stack(each) for each in zip(*spread, strict=True)]
        self._variances = [each.var(-1).mean(1).clamp(min=1e-12) for each in self._wanted]
        scale = torch.stack(sizes)
        self.scale = torch.where(scale > 0, scale, 1.0)

    @staticmethod
    def _compared(maps: list[Tensor]) -> list[Tensor]:
        """The maps that are compared: all with more than one cell; the goal's own where no other is there."""
        return [each for each in maps if each[0, 0].numel() > 1] or maps[-1:]

    def values(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Activations [B] of the targets, and distances [B], for views float [B * k, 3, S, S]; means over the views."""
        goal = self._goal
        maps, count = goal.stages(pixels), len(pixels) // len(goal)
        distances = 0
        compared = self._compared(maps)
        for found, wanted, variance in zip(compared, self._wanted, self._variances, strict=True):
            away = (_sorted(found) - wanted.repeat_interleave(count, 0)).square().flatten(1).mean(1)
            distances = distances + away / variance.repeat_interleave(count)
        return goal.of_maps(maps[-1]), (distances / len(compared)).view(-1, count).mean(1)


def _sorted(maps: Tensor) -> Tensor:
    """Every channel's values in rising order [n, d, h * w]."""
    return maps.flatten(2).sort(-1).values
