"""A schedule and a monitor for a training loop that belongs to another room."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import pandas as pd
from torch import Tensor, nn

from filterscope.apt import scheduling
from filterscope.apt.batch_norm import recalibrate
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.scheduling import ScheduleSettings, Situation

EVERY = 10  # steps between two measurements (ActCooLR, D)


class Steering:
    """What such a loop needs: `optimiser`, `step()` around every step, `advance()` with its loss after it.

    situation: what the schedule may look at before it begins, and the optimiser to steer. The size of the batches may
    change from step to step.
    """

    def __init__(self, settings: ScheduleSettings, network: nn.Module, situation: Situation, total_steps: int):
        self._network, self._monitor = network, TemperatureMonitor(network, EVERY)
        self._running = scheduling.begin(settings, network, self._monitor, situation, total_steps)
        self._noted: list[pd.DataFrame] = []
        self.optimiser = self._running.optimiser

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """One step happens in the block: forward pass, backward pass and the optimiser's step."""
        with self._monitor, self._monitor.step():
            yield
        if self._monitor.reading is not None:
            self._noted.append(self._monitor.reading.table())
            self._monitor.history.clear()

    def advance(self, loss: Tensor) -> None:
        """After the block of a step. loss: of that step, which a guarded schedule looks at."""
        self._running.advance(loss.detach())

    @property
    def held(self) -> dict[str, int]:
        """How often a guard held the learning rate back, by reason."""
        return self._running.held

    @contextlib.contextmanager
    def weights_to_use(self, batches: Iterable[Tensor] = ()) -> Iterator[None]:
        """In the block the network has the weights that it would be used with; only Schedule-Free's differ.

        batches: of what it is trained on, by which Schedule-Free's batch norm learns its statistics.
        """
        self._running.evaluate()
        if self._running.schedule is None:
            recalibrate(self._network, batches)
        yield
        self._running.train()

    def table(self) -> pd.DataFrame:
        """The table of `temperatures`: a line per measured step and use of an activation."""
        if not self._noted:
            return pd.DataFrame()
        table = pd.concat(self._noted, ignore_index=True)
        return table.assign(place=table.groupby("step").cumcount())

    def state_dict(self) -> dict:
        """All that is needed to go on, as plain values and tensors."""
        noted = self.table().to_dict("list")
        return {"running": self._running.state_dict(), "monitor": self._monitor.state_dict(), "noted": noted}

    def load_state_dict(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self._running.load_state_dict(state["running"])
        self._monitor.load_state_dict(state["monitor"])
        self._noted = [pd.DataFrame(state["noted"]).drop(columns="place")] if state["noted"] else []
