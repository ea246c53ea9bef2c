"""What keeps a schedule that follows temperatures from killing the network.

A unit that nothing turns on any more never changes, so a dying network reads as cold; a schedule that answers cold with
a higher learning rate then kills what is left of it. So does a network that knows its batches by heart: its gradients
vanish. The published schedules have no brake. This one

- leaves dead layers out of the mean (`Reading.living`),
- does not let the learning rate rise at the first measurement, when momentum has nothing to carry on yet and a step
  reads colder than those that follow, nor while units die, where a layer has died, while the loss rises, or where
  there is nearly none left,
- halves it where many units of a layer die at once, or where most of what the loss had gained is lost again, a few
  times, since no learning rate however low wakes the dead,
- and bounds what one measurement changes.

The numbers are ours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from filterscope.apt.readings import Reading

RISE, FALL = 1.5, 4.0  # what one measurement multiplies or divides the learning rate by at most
CUT = 2.0  # what a harm divides it by
DYING = 0.02  # more silent units than of late, mean share over the layers
# Than at both of the last two measurements, of one layer, and in units: one of a few is no wave. Units that come back
# are not dead, they were in no picture of that batch; against two, they cut so seldom (RISE^2 > CUT) that what a cut
# took can be had again in between.
DYING_FAST, FEWEST = 0.1, 1.5
LATELY = 0.2  # weight of a measurement in what is of late
RISING = 0.02  # share by which the mean loss between two measurements is above the one before
LOST = 0.5  # share of what the loss had gained
NOISE = 0.05  # share of the first loss that a loss may be above the best, whatever was gained
FITTED = 0.05  # share of the first loss below which the batches are known by heart
CUTS = 5  # at most so many in a row while what was lost has not come back


class Guard:
    """Looks at every measurement and at the losses between. held: how often it held the rate back, by reason; cut:
    whether the last measurement was answered by a cut."""

    def __init__(self):
        self.held: Counter[str] = Counter()
        self.cut = False
        self._losses: list[Tensor | float] = []
        self._first: float | None = None  # loss at the first measurement, which that of later ones is compared with
        self._best: float | None = None
        self._before: float | None = None
        self._silence: list[float] = []  # of every layer at the last measurement
        self._earlier: list[float] = []  # at the one before it
        self._lately: list[float] = []  # of every layer, of late: slow deaths add up
        self._working: list[str] | None = None  # layers that were not dead at the first measurement
        self._died: list[str] = []
        self._cuts = 0  # since the loss was last what it should be

    def note(self, loss: Tensor | float) -> None:
        """The loss of a step; it stays on its device until the next measurement."""
        self._losses.append(loss.detach() if isinstance(loss, Tensor) else float(loss))

    def allowed(self, rate: float, aim: float, reading: Reading) -> tuple[float, str | None]:
        """The learning rate to go to from `rate` instead of `aim`, and what there is to warn of."""
        first = "first" if self._working is None else None
        harmed, cut = self._units(reading)
        worse, lost = self._loss()
        told = self._deaths(reading)
        if self._died:
            harmed = harmed or "dead"
        self._cuts = self._cuts + 1 if lost else 0
        allowed = min(max(aim, rate / FALL), rate * RISE)
        self.cut = bool(cut or (lost and self._cuts <= CUTS))
        if self.cut:
            allowed = min(allowed, rate / CUT)
        elif harmed or worse or lost or first:
            allowed = min(allowed, rate)
        if allowed < aim:
            self.held[cut or lost or harmed or worse or first or "steep"] += 1
        return allowed, told

    def _units(self, reading: Reading) -> tuple[str | None, str | None]:
        """Whether units die, and whether many of a layer do."""
        silence, last, earlier = reading.silence, np.array(self._silence), np.array(self._earlier)
        self._silence, self._earlier = silence.tolist(), self._silence
        if len(last) != len(silence):
            self._lately = silence.tolist()
            return None, None
        if len(earlier) == len(last):
            last = np.maximum(last, earlier)
        lately = np.array(self._lately)
        more = silence - lately
        self._lately = (lately + LATELY * more).tolist()
        fast = silence - last > np.maximum(DYING_FAST, FEWEST / np.array(reading.counts.units))
        return ("dying" if more.mean() > DYING else None), ("dying fast" if fast.any() else None)

    def _deaths(self, reading: Reading) -> str | None:
        """Which layers have died, told once."""
        dead = [str(call) for call, each in zip(reading.calls, reading.dead, strict=True) if each]
        if self._working is None:
            self._working = [str(call) for call in reading.calls if str(call) not in dead]
        died = [name for name in dead if name in self._working]
        new, self._died = [name for name in died if name not in self._died], died
        if not new:
            return None
        return (
            f"{', '.join(new)} died (nothing in the batch turns its units on); it is left out of the mean, and the "
            "learning rate does not rise until it works again"
        )

    def _loss(self) -> tuple[str | None, str | None]:
        """Why the loss lets nothing rise, and whether most of what was gained is lost."""
        losses = _numbers(self._losses)
        self._losses = []
        if not losses:
            return None, None
        mean = sum(losses) / len(losses)
        if not math.isfinite(mean):
            return "loss", "loss lost"
        if self._first is None:
            self._first = self._best = self._before = mean
            return None, None
        worse = mean > self._before + RISING * abs(self._before)
        lost = mean > self._best + max(LOST * (self._first - self._best), NOISE * abs(self._first))
        self._before, self._best = mean, min(self._best, mean)
        fitted = 0 <= mean < FITTED * self._first  # a loss below 0 has no least value to be near to
        return ("loss" if worse else "fitted" if fitted else None), ("loss lost" if lost else None)

    def state_dict(self) -> dict:
        """Plain values."""
        return {
            "held": dict(self.held),
            "cut": self.cut,
            "losses": _numbers(self._losses),
            "first": self._first,
            "best": self._best,
            "before": self._before,
            "silence": list(self._silence),
            "earlier": list(self._earlier),
            "lately": list(self._lately),
            "working": self._working,
            "died": list(self._died),
            "cuts": self._cuts,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from there."""
        self.held, self.cut = Counter(state["held"]), state.get("cut", False)
        self._losses = list(state["losses"])
        self._first, self._best, self._before = state["first"], state["best"], state["before"]
        self._silence, self._lately = list(state["silence"]), list(state["lately"])
        self._earlier = list(state.get("earlier", []))
        self._working, self._died = state["working"], list(state["died"])
        self._cuts = state["cuts"]


def _numbers(losses: Sequence[Tensor | float]) -> list[float]:
    """With one wait for the device."""
    tensors = [each for each in losses if isinstance(each, Tensor)]
    if not tensors:
        return [float(each) for each in losses]
    found = iter(torch.stack([each.reshape(()).float() for each in tensors]).cpu().tolist())
    return [next(found) if isinstance(each, Tensor) else each for each in losses]
