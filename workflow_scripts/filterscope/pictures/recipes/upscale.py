"""Recipe `upscale`: a small noisy picture is optimised, enlarged, blurred and optimised again.

After "Activation Maximization and Visualization of Features of Deep Convolutional Neural Networks" (Amirli, 2021) and
its code. Both normalise the picture as the network's input and let Adam step on that, so the units of their learning
rates and weight decays are the network's standard deviations, not pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes.ascent import Adam, Chance, Optimised, Report, Watch, enlarged
from filterscope.pictures.recipes.objectives import Goal

# What the text says (section 4, Setup), and what the code does; in normalised units. The text calls the weight decay a
# momentum.
PRESETS = {
    "paper": {"learning_rate": 1e-2, "weight_decay": 1e-7},
    "code": {"learning_rate": 1e-1, "weight_decay": 1e-6},
}
# Pixels of the first picture lie between these, of 255.
LOWEST, HIGHEST = 128, 148


@dataclass(frozen=True)
class Upscale:
    """Settings. size: px of the first picture; steps: of a round, 1.3 times as many in the later half of the rounds;
    learning_rate: normalised units per step, (pixel - mean) / std with pixels in 0 to 1 and the network's mean and std;
    weight_decay: towards the network's mean; None for what the preset says."""

    preset: str = "paper"
    size: int = 56
    rounds: int = 12
    factor: float = 1.2
    blur: int = 5
    steps: int = 20
    learning_rate: float | None = None
    weight_decay: float | None = None

    def __post_init__(self):
        if self.preset not in PRESETS:
            raise ValueError(f"preset is {self.preset!r}, should be one of {', '.join(PRESETS)}")
        if self.blur % 2 == 0:
            raise ValueError(f"blur is {self.blur} px, should be odd")
        for name, value in PRESETS[self.preset].items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def sizes(self) -> list[int]:
        """Side of the picture in every round, px."""
        sizes = [self.size]
        for _ in range(self.rounds - 1):
            sizes.append(int(self.factor * sizes[-1]))
        return sizes

    def steps_of(self, number: int) -> int:
        """Steps of a round, which counts from 0."""
        return int(1.3 * self.steps) if number > self.rounds / 2 else self.steps

    compares = False  # with photographs

    @property
    def total_steps(self) -> int:
        return sum(self.steps_of(number) for number in range(self.rounds))

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, h, w], 0 to 1, or None for noise; they are brought to the first size."""
        if starts is None:
            pictures = (LOWEST + (HIGHEST - LOWEST) * chance.uniform(3, self.size, self.size)) / 255
        else:
            pictures = enlarged(starts.to(goal.device), self.size)
        watch = Watch(len(goal), report)
        for number, size in enumerate(self.sizes):
            if number:
                pictures = enlarged(pictures, size)
                alive = watch.alive.to(goal.device).view(-1, 1, 1, 1)
                pictures = torch.where(alive, _blurred(pictures, self.blur), pictures)
            units = goal.normalised(pictures)
            adam = Adam(units, self.learning_rate, self.weight_decay)
            for step in range(self.steps_of(number)):
                slope = goal.gradient(units, goal.pixels)
                units, usable = watch.look(slope, f"round {number + 1}, step {step + 1}", units)
                units = adam.climb(units, slope.gradient, usable)
            pictures = goal.pixels(units)
        return watch.finished(pictures)


def _blurred(pictures: Tensor, width: int) -> Tensor:
    """Box blur; the border is mirrored."""
    if width == 1:
        return pictures
    padded = functional.pad(pictures, [width // 2] * 4, mode="reflect")
    return functional.avg_pool2d(padded, width, stride=1)
