"""What all recipes share: chance of its own for every picture, steps, and watching for what goes wrong.

Nothing of a picture is taken from the others of its batch: it has its own generator, its own gradient norm, and is
stopped by itself. What remains is rounding: a layer may add up in another order for another batch size, some 1e-7 of
a gradient, which a long ascent can blow up until it is seen (linear layers do; convolutions as a rule do not).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from filterscope.pictures.recipes.objectives import Goal, Slope

OPTIMISED, DEAD, STOPPED = "optimised", "no gradient", "stopped"

# Called once per step with its name, such as "octave 2, step 17".
Report = Callable[[str], None]


@dataclass
class Optimised:
    """Pictures float [B, 3, S, S], 0 to 1, how it went with each, and the objective before every step [steps, B]."""

    pictures: Tensor
    status: list[str]
    notes: list[str]
    history: Tensor


@dataclass
class Chance:
    """Random numbers of a batch: every picture draws from a generator of its own, on the CPU."""

    seeds: Sequence[int]
    device: torch.device
    generators: list[torch.Generator] = field(init=False)

    def __post_init__(self):
        self.generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]

    def __len__(self) -> int:
        return len(self.generators)

    def uniform(self, *shape: int) -> Tensor:
        """[B, *shape] from 0 to 1."""
        return torch.stack([torch.rand(shape, generator=each) for each in self.generators]).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """[B, *shape], mean 0, standard deviation 1."""
        return torch.stack([torch.randn(shape, generator=each) for each in self.generators]).to(self.device)


class Watch:
    """Which pictures of a batch may still move.

    NaN or infinite values and gradients stop a picture for good, as it was when both were last finite (in the views
    that the network was shown); a zero gradient only leaves it where it is for this step, and is counted.
    """

    def __init__(self, count: int, report: Report | None = None):
        self._alive = torch.ones(count, dtype=torch.bool)
        self._still = torch.zeros(count, dtype=torch.long)
        self._silent = torch.zeros(count, dtype=torch.bool)  # in the last step
        self._notes = [""] * count
        self._history: list[Tensor] = []
        self._good: Tensor | None = None
        self._report = report

    @property
    def alive(self) -> Tensor:
        """Which pictures have not been stopped [B], on the CPU."""
        return self._alive

    def look(self, slope: Slope, step: str, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Look at the slope of one step at these parameters [B, ...] (pictures, where their size changes on the way).

        Returns the parameters, those of stopped pictures as they last were good, and which pictures may move [B].
        """
        with torch.no_grad():
            strength = slope.gradient.flatten(1).abs().mean(1)
            finite = (torch.isfinite(slope.values) & torch.isfinite(strength)).cpu()
            moving = (strength > 0).cpu()
        stopped = (self._alive & ~finite).nonzero().flatten()
        kept = "the last good picture is kept" if self._history else "no picture was good before, the first is kept"
        for index in stopped.tolist():
            self._notes[index] = f"NaN or infinite at {step}; {kept}"
        if len(stopped) and self._history:
            before = self._good[stopped.to(parameters.device)]
            if before.shape[1:] != parameters.shape[1:]:
                before = enlarged(before, parameters.shape[-1])
            parameters = parameters.index_copy(0, stopped.to(parameters.device), before)
        self._alive &= finite
        self._good = parameters.detach().clone()
        self._silent = slope.silent.cpu() | ~moving
        self._still += self._alive & self._silent
        last = self._history[-1] if self._history else torch.full(slope.values.shape, float("nan"))
        self._history.append(torch.where(self._alive, slope.values.detach().float().cpu(), last))
        if self._report:
            self._report(step)
        return parameters, (self._alive & moving).to(slope.values.device)

    def finished(self, pictures: Tensor) -> Optimised:
        """The outcome. A picture whose filter was silent in at least half of the steps and at last is called dead: one
        that was woken late is a picture."""
        status, steps = [], len(self._history)
        for index, note in enumerate(self._notes):
            still = int(self._still[index])
            dead = bool(self._silent[index]) and 2 * still >= steps
            status.append(STOPPED if note else DEAD if dead else OPTIMISED)
            if still and not note:
                self._notes[index] = f"zero gradient in {still} of {steps} steps"
        history = torch.stack(self._history) if self._history else torch.zeros(0, len(status))
        return Optimised(pictures.detach().clamp(0, 1), status, self._notes, history)


class Adam:
    """Adam that climbs, element by element, so that pictures of a batch do not meet; as torch's, eps 1e-8."""

    def __init__(self, like: Tensor, learning_rate: float, weight_decay: float = 0.0, betas=(0.9, 0.999)):
        self.first, self.second = torch.zeros_like(like), torch.zeros_like(like)
        self.learning_rate, self.weight_decay, self.betas, self.step = learning_rate, weight_decay, betas, 0

    def climb(self, parameter: Tensor, gradient: Tensor, usable: Tensor) -> Tensor:
        """The parameter [B, ...] after one step up the gradient; pictures not usable [B] stay."""
        kept = ~usable.view(-1, *[1] * (parameter.ndim - 1))
        downhill = (self.weight_decay * parameter - gradient).masked_fill(kept, 0)
        self.step += 1
        one, two = self.betas
        self.first.lerp_(downhill, 1 - one)
        self.second.mul_(two).addcmul_(downhill, downhill, value=1 - two)
        corrected = (self.second / (1 - two**self.step)).sqrt_().add_(1e-8)
        step = self.first / corrected * (self.learning_rate / (1 - one**self.step))
        return torch.where(kept, parameter, parameter - step)


def enlarged(pictures: Tensor, size: int) -> Tensor:
    """Square pictures at another size, px; cubic, which may leave 0 to 1."""
    if pictures.shape[-1] == size:
        return pictures
    return torch.nn.functional.interpolate(pictures, (size, size), mode="bicubic", align_corners=False)


def at_input_size(goal: Goal, pictures: Tensor) -> Tensor:
    """Values [B] of finished pictures as the network's input: squeezed to its size, in 8 bits like a photograph."""
    with torch.no_grad():
        side = (goal.side, goal.side)
        shown = (
            pictures
            if tuple(pictures.shape[2:]) == side
            else torch.nn.functional.interpolate(
                pictures, side, mode="bicubic", antialias=True, align_corners=False
            ).clamp(0, 1)
        )
        return goal.values((shown * 255).round() / 255)
