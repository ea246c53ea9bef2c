"""What a measurement gives: unchanged patterns of every use of an activation, and their temperatures.

The counts stay on the network's device until somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from filterscope.apt import patterns
from filterscope.apt.model import Link, to_probability

# Share of silent units above which a layer is dead.
DEAD = 0.95
COLUMNS = ("step", "layer", "call", "activation", "temperature", "unchanged", "positions")


@dataclass(frozen=True)
class ActivationCall:
    """One use of an activation in a forward pass.

    layer: dotted path of the module in which it is used ("forward" for the network itself), which is an nn.ReLU or
    a module that calls a function; call: which use of an activation in this module, from 0.
    """

    layer: str
    call: int
    activation: str

    def __str__(self) -> str:
        return f"{self.layer}:{self.call}"


@dataclass(frozen=True)
class Counts:
    """Of every use of an activation: unchanged patterns int64 [L], patterns looked at [L], NaN seen bool [L], units
    (channels) that nothing in the batch turns on after the step int64 [L], and all units [L]."""

    calls: tuple[ActivationCall, ...]
    same: Tensor
    positions: tuple[int, ...]
    poisoned: Tensor
    silent: Tensor
    units: tuple[int, ...]

    def __add__(self, other: Counts) -> Counts:
        """Counts of two batches together. Raises ValueError where other activations were used."""
        if self.calls != other.calls:
            raise ValueError(f"activations differ between batches: {_difference(self.calls, other.calls)}")
        positions = tuple(one + two for one, two in zip(self.positions, other.positions, strict=True))
        silent = torch.minimum(self.silent, other.silent)  # at most so many
        return Counts(self.calls, self.same + other.same, positions, self.poisoned | other.poisoned, silent, self.units)


@dataclass(frozen=True)
class Reading:
    """Temperatures of one step of an optimiser, in bits.

    step: number of the step, from 0. Looking at the numbers raises ValueError, with the layers' names, where the
    network gave NaN: NaN differs from everything, so it would count as heat.
    """

    counts: Counts
    step: int = 0

    @classmethod
    def of(
        cls,
        same: Sequence[int],
        positions: Sequence[int],
        step: int = 0,
        silent: Sequence[int] | None = None,
        units: Sequence[int] | None = None,
    ) -> Reading:
        """A reading from numbers alone: unchanged patterns and patterns looked at, of every layer; silent and all
        units, where None is one that works."""
        count = len(same)
        calls = tuple(ActivationCall(f"layer{index}", 0, "relu") for index in range(count))
        none = torch.zeros(count, dtype=torch.bool)
        silent = torch.tensor([0] * count if silent is None else silent)
        units = (1,) * count if units is None else tuple(units)
        return cls(Counts(calls, torch.tensor(same), tuple(positions), none, silent, units), step)

    @property
    def calls(self) -> tuple[ActivationCall, ...]:
        """The uses of activations, in the order of the forward pass."""
        return self.counts.calls

    @property
    def positions(self) -> np.ndarray:
        """Patterns looked at: int64 [L], batch times positions of the maps."""
        return np.array(self.counts.positions, np.int64)

    @cached_property
    def same(self) -> np.ndarray:
        """Unchanged patterns: int64 [L]."""
        poisoned = self.counts.poisoned.cpu().numpy()
        if poisoned.any():
            named = ", ".join(str(call) for call, bad in zip(self.calls, poisoned, strict=True) if bad)
            raise ValueError(
                f"NaN in the activations of {named} at step {self.step}: they have no pattern; lower the "
                "learning rate or look for the cause in the training"
            )
        return self.counts.same.cpu().numpy()

    @cached_property
    def temperatures(self) -> np.ndarray:
        """Temperatures float64 [L], in bits: from 0 to log2(2 positions)."""
        return patterns.temperatures(self.same, self.positions)

    @property
    def mean(self) -> float:
        """The network's temperature, in bits: the mean over the layers (ActCooLR, H)."""
        return float(self.temperatures.mean())

    def mean_probability(self, link: Link = "2") -> float:
        """Mean over the layers of the probability that a pattern changes (ActCooLR, D)."""
        return float(to_probability(self.temperatures, link).mean())

    @cached_property
    def silence(self) -> np.ndarray:
        """Share of every layer's units that nothing in the batch turns on after the step: float64 [L], 0 to 1."""
        return self.counts.silent.cpu().numpy() / np.array(self.counts.units, np.float64)

    @cached_property
    def dead(self) -> np.ndarray:
        """Which layers are dead: nearly none of their units is ever on, so that they read 0 bits whatever happens."""
        return self.silence > DEAD

    def living(self) -> Reading:
        """The reading of the layers that are not dead; of all where all are."""
        keep = np.flatnonzero(~self.dead)
        if len(keep) in (0, len(self.calls)):
            return self
        counts, chosen = self.counts, torch.from_numpy(keep).to(self.counts.same.device)
        return Reading(
            Counts(
                tuple(counts.calls[index] for index in keep),
                counts.same[chosen],
                tuple(counts.positions[index] for index in keep),
                counts.poisoned[chosen],
                counts.silent[chosen],
                tuple(counts.units[index] for index in keep),
            ),
            self.step,
        )

    @property
    def epsilon(self) -> float:
        """The smallest probability that so many patterns can tell from 0 (docs/methods.md, Target curve and steps)."""
        return patterns.CAP / int(self.positions.sum())

    def table(self) -> pd.DataFrame:
        """One line per use of an activation, with COLUMNS."""
        return pd.DataFrame(
            {
                "step": np.full(len(self.calls), self.step, np.int64),
                "layer": [call.layer for call in self.calls],
                "call": np.array([call.call for call in self.calls], np.int64),
                "activation": [call.activation for call in self.calls],
                "temperature": self.temperatures,
                "unchanged": self.same.astype(np.int64),
                "positions": self.positions,
            },
            columns=COLUMNS,
        )


def table(readings: Iterable[Reading]) -> pd.DataFrame:
    """One line per reading and use of an activation, with COLUMNS; empty where there is no reading."""
    parts = [reading.table() for reading in readings]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _difference(one: tuple[ActivationCall, ...], two: tuple[ActivationCall, ...]) -> str:
    """The first place at which they differ, in words."""
    for first, second in zip(one, two, strict=False):
        if first != second:
            return f"{first} ({first.activation}) here is {second} ({second.activation}) there"
    return f"{len(one)} uses of activations here, {len(two)} there"


def difference(one: tuple[ActivationCall, ...], two: tuple[ActivationCall, ...]) -> str | None:
    """What differs between two passes, None where nothing does."""
    return None if one == two else _difference(one, two)
