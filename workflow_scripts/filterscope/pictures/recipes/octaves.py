"""Recipe `octaves`: the loop of Multifaceted Feature Visualisation (MFV, 4.3.2 and 4.5).

A picture in 0-255 grows from octave to octave; each step shows the network a window of it at a random offset around
the centre, moves the window's pixels by a gradient of fixed mean size, and denoises it by total variation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from filterscope.pictures.recipes.ascent import Chance, Optimised, Report, Watch, enlarged
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.total_variation import denoise

# A picture without a start image begins as this noise.
NOISE_MEAN, NOISE_SD = 175.0, 8.0
# Passes of the denoiser that are enough for pixels in 0-255.
PASSES = 2


@dataclass(frozen=True)
class Octave:
    """probability: whether the authors' network is read after its softmax; margin: px at the edges of the window that
    stay still; window: spread of the offsets, of the free room; scale: growth before the octave;
    weights and step sizes go from the first number to the second."""

    probability: bool
    margin: int
    window: float
    scale: float
    steps: int
    weights: tuple[float, float]
    step_sizes: tuple[float, float]


# The authors' tables for start images ("mean") and for noise ("centre"), for an input of 227 px.
TABLES = {
    "mean": (
        Octave(False, 0, 0.3, 1.0, 190, (0.4, 0.4), (1, 2)),
        Octave(False, 0, 0.3, 1.2, 150, (0.01, 2), (1, 1)),
        Octave(False, 50, 0.2, 1.0, 20, (0.1, 2), (2, 2)),
        Octave(False, 0, 0.3, 1.0, 10, (0.4, 2), (2, 2)),
    ),
    "centre": (
        Octave(True, 0, 0.3, 1.0, 190, (0.001, 0.05), (11, 11)),
        Octave(True, 0, 0.3, 1.2, 150, (0.01, 0.08), (6, 6)),
        Octave(False, 0, 0.3, 1.2, 150, (0.01, 2), (1, 1)),
        Octave(False, 50, 0.1, 1.0, 30, (0.1, 2), (3, 3)),
        Octave(False, 0, 0.3, 1.0, 10, (0.01, 2), (6, 3)),
    ),
}
TABLE_INPUT = 227  # px


@dataclass(frozen=True)
class Octaves:
    """Settings. denoising: linear, or listing, which repeats a slip of the authors' code (weights end near the sum of
    both numbers); probabilities: whether the table's softmax octaves use the softmax, else logits throughout;
    shorten: divides the number of steps."""

    table: str = "mean"
    denoising: str = "linear"
    probabilities: bool = False
    shorten: int = 1

    def __post_init__(self):
        if self.table not in TABLES:
            raise ValueError(f"table is {self.table!r}, should be one of {', '.join(TABLES)}")
        if self.denoising not in ("linear", "listing"):
            raise ValueError(f"denoising is {self.denoising!r}, should be linear or listing")

    @property
    def octaves(self) -> tuple[Octave, ...]:
        return TABLES[self.table]

    def steps_of(self, octave: Octave) -> int:
        return max(1, octave.steps // self.shorten)

    compares = False  # with photographs

    @property
    def total_steps(self) -> int:
        return sum(self.steps_of(octave) for octave in self.octaves)

    def weight(self, octave: Octave, step: int, steps: int) -> float:
        """Denoising weight of a step, which counts from 0."""
        first, last = octave.weights
        if self.denoising == "listing":
            return first * (1 - 1 / steps) + last * step / steps
        return first + (last - first) * step / steps

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """starts: pictures [B, 3, S, S], 0 to 1, S at least the network's input; None for noise.

        Several starts may belong to one target: every picture has its own.
        """
        side = goal.side
        if starts is None:
            starts = ((NOISE_MEAN + NOISE_SD * chance.normal(3, side, side)) / 255).clamp(0, 1)
        pictures = _started(starts, goal)
        watch = Watch(len(goal), report)
        for number, octave in enumerate(self.octaves):
            size = round(pictures.shape[-1] * octave.scale)
            pictures = enlarged(pictures, size)
            steps = self.steps_of(octave)
            margin = round(octave.margin * side / TABLE_INPUT)
            for step in range(steps):
                corners = offsets(chance, size - side, octave.window)
                windows = _windows(pictures, corners, side)
                probability = octave.probability and self.probabilities
                slope = goal.gradient(windows / 255, probabilities=probability)
                slope.gradient = _within(slope.gradient, margin)
                pictures, usable = watch.look(slope, f"octave {number + 1}, step {step + 1}", pictures)
                share = step / steps
                length = octave.step_sizes[0] + (octave.step_sizes[1] - octave.step_sizes[0]) * share
                weight = self.weight(octave, step, steps)
                _step(pictures, windows, corners, slope.gradient, usable, length, weight)
        return watch.finished(pictures / 255)


def _started(starts: Tensor, goal: Goal) -> Tensor:
    """Start images in 0-255, a copy on the device."""
    if starts.ndim != 4 or starts.shape[:2] != (len(goal), 3) or starts.shape[2] != starts.shape[3]:
        raise ValueError(f"start images are {list(starts.shape)}, should be [{len(goal)}, 3, S, S]")
    if starts.shape[-1] < goal.side:
        raise ValueError(
            f"start images are {starts.shape[-1]} px wide, smaller than the network's input of {goal.side} px"
        )
    return starts.to(goal.device, torch.float32).clone() * 255


def offsets(chance: Chance, room: int, window: float) -> list[tuple[int, int]]:
    """Upper left corners of the windows, (y, x), normally distributed around the centre of the free room, px."""
    if room <= 0:
        return [(0, 0)] * len(chance)
    drawn = (room / 2 + room * window * chance.normal(2)).clamp(0, room).int().tolist()
    return [(y, x) for y, x in drawn]


def normalised(gradient: Tensor) -> Tensor:
    """Each picture's gradient over its own mean absolute value, which includes the zeros; zero stays zero."""
    # One picture at a time: the mean over a batch adds up in another order.
    strength = torch.stack([each.contiguous().abs().mean() for each in gradient]).view(-1, 1, 1, 1)
    return torch.where(strength > 0, gradient / strength, 0.0)


def _windows(pictures: Tensor, corners: list[tuple[int, int]], side: int) -> Tensor:
    return torch.stack([pictures[i, :, y : y + side, x : x + side] for i, (y, x) in enumerate(corners)])


def _within(gradient: Tensor, margin: int) -> Tensor:
    """The gradient, zero at the edges."""
    if not margin:
        return gradient
    inside = torch.zeros_like(gradient)
    inner = (..., slice(margin, gradient.shape[-2] - margin), slice(margin, gradient.shape[-1] - margin))
    inside[inner] = gradient[inner]
    return inside


def _step(pictures, windows, corners, gradient, usable, length, weight) -> None:
    """Move, clip and denoise the windows of the usable pictures, in place."""
    chosen = usable.nonzero().flatten()
    if not len(chosen):
        return
    moved = (windows[chosen] + length * normalised(gradient[chosen])).clamp(0, 255)
    side = windows.shape[-1]
    for index, window in zip(chosen.tolist(), denoise(moved, weight, passes=PASSES), strict=True):
        y, x = corners[index]
        pictures[index, :, y : y + side, x : x + side] = window
