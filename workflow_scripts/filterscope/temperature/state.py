"""A training between two epochs: what a checkpoint keeps of it, and the tables that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from filterscope import resumption
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.readings import Reading
from filterscope.temperature.endings import FINISHED


@dataclass
class RunState:
    """A training after so many epochs, as a checkpoint keeps it."""

    epoch: int = 0
    status: str = FINISHED
    network: dict = field(default_factory=dict)
    running: dict = field(default_factory=dict)
    monitor: dict = field(default_factory=dict)
    epochs: list = field(default_factory=list)  # lines of the history
    rates: list = field(default_factory=list)  # learning rate of every step
    losses: list = field(default_factory=list)  # loss of every step
    measured: list = field(default_factory=list)  # number of every measured step
    same: list = field(default_factory=list)  # unchanged patterns of every measured step
    calls: list = field(default_factory=list)  # layer, call, activation and patterns looked at of every use
    seconds: float = 0.0
    measuring_seconds: float = 0.0

    def note(self, monitor: TemperatureMonitor, loss: Tensor) -> bool:
        """Keep the monitor's reading; False where it, or the step's loss, is NaN."""
        reading = monitor.reading
        monitor.history.clear()  # kept here
        if bool(reading.counts.poisoned.any()) or not bool(torch.isfinite(loss)):
            return False
        positions = reading.positions.tolist()
        calls = [
            [call.layer, call.call, call.activation, count]
            for call, count in zip(reading.calls, positions, strict=True)
        ]
        if self.calls and self.calls != calls:
            raise ValueError(f"step {reading.step} uses other activations than the steps before it")
        self.calls = calls
        self.measured.append(reading.step)
        self.same.append(reading.same.tolist())
        return True

    def steps_table(self) -> pd.DataFrame:
        """Learning rate and loss of every step; no loss where it was not finite."""
        losses = [loss if np.isfinite(loss) else None for loss in self.losses]
        return pd.DataFrame({"step": range(len(self.rates)), "learning_rate": self.rates, "loss": losses})

    def temperature_table(self) -> pd.DataFrame:
        """One line per measured step and use of an activation; `place` is its place in the forward pass."""
        layers, calls, activations, positions = zip(*self.calls, strict=True) if self.calls else ((), (), (), ())
        readings = [Reading.of(same, positions, step) for same, step in zip(self.same, self.measured, strict=True)]
        count = len(readings)
        return pd.DataFrame(
            {
                "step": np.repeat(np.array(self.measured, np.int64), len(layers)),
                "place": np.tile(np.arange(len(layers)), count),
                "layer": list(layers) * count,
                "call": np.tile(np.array(calls, np.int64), count),
                "activation": list(activations) * count,
                "temperature": np.concatenate([each.temperatures for each in readings]) if readings else np.zeros(0),
                "unchanged": np.array(self.same, np.int64).reshape(-1),
                "positions": np.tile(np.array(positions, np.int64), count),
            }
        )

    def times(self, every: int) -> dict:
        """Steps, seconds, and the share that measuring has added: measured steps against the others of this training.

        Where every step is measured there is nothing to compare with, and the share is None.
        """
        steps, measured = len(self.rates), len(self.measured)
        others = max(steps - measured, 1)
        plain = max(self.seconds - self.measuring_seconds, 0.0) / others
        added = max(self.measuring_seconds - measured * plain, 0.0)
        return {
            "steps": steps,
            "measured": measured,
            "seconds": self.seconds,
            "overhead": added / max(self.seconds - added, 1e-9) if every > 1 else None,
        }


class Checkpoint(resumption.Checkpoint):
    """The state of such a training on disk."""

    kind = RunState
