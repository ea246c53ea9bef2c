"""The temperature of a network while it trains.

    import torch
    from filterscope.apt.monitor import TemperatureMonitor

    with TemperatureMonitor(network, every=10) as monitor:
        for pictures, classes in batches:
            with monitor.step():  # one step of the training, with its forward pass
                loss = torch.nn.functional.cross_entropy(network(pictures), classes)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            if monitor.reading is not None:  # in every tenth step
                print(monitor.reading.step, monitor.reading.mean, "bits")
    temperatures = monitor.table()  # one line per measured step and use of an activation

The network is not modified. In a measured step, the patterns of its first forward pass within the block are kept as
packed bits; after the block the same batch passes once more, with the same random numbers (dropout), the same modes,
and with running statistics (batch norm) put back afterwards, so that nothing but the weights can make a difference
and a network that did not change reads exactly 0. In the other steps nothing happens at all.

A network that runs compiled, or within something that calls it in another way, is measured by handing the batch to
the monitor, which then does both passes itself:

    with monitor.step(pictures):
        compiled_training_step(pictures, classes)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import pandas as pd
import torch
from torch import nn

from filterscope.apt import readings, recording, rectifiers
from filterscope.apt.readings import Reading
from filterscope.apt.recording import Pass, Replay


class TemperatureMonitor:
    """Measures the activation pattern temperature of a network in every `every`-th step of its training.

    network: any torch module whose forward pass calls activations (modules or functions). activations: names of
    those to measure, in torch.nn.functional (`rectifiers.ACTIVATIONS`), ReLU by default. channel_axis: where the
    channels of their inputs are; 1, or -1 for networks of tokens.

    reading: of the step that was done last, None if it was not measured. history: all readings.

    Measured steps raise ValueError where the network has no measurable activation, where the batch changes between
    the two passes, and for NaN; the latter at the next measured step at the latest, or when the reading is looked at.
    """

    def __init__(
        self,
        network: nn.Module,
        every: int = 1,
        activations: Iterable[str] = ("relu",),
        channel_axis: int = 1,
    ):
        if not isinstance(network, nn.Module):
            raise ValueError(f"network is a {type(network).__name__}, should be a torch.nn.Module")
        if isinstance(network, torch.jit.ScriptModule) or type(network).__name__ == "OptimizedModule":
            raise ValueError(
                "network is compiled or scripted, so its activations cannot be seen: give the network that it was made "
                "of, which shares its weights, and hand the batch to step()"
            )
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every is {every}, should be a whole number of steps of at least 1")
        self.network, self.every = network, every
        self.activations, self.channel_axis = rectifiers.checked(activations), channel_axis
        self.steps = 0
        self.reading: Reading | None = None
        self.history: list[Reading] = []
        self._open = self._stepping = False

    def __enter__(self) -> TemperatureMonitor:
        self._open = True
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._open = False
        if kind is None and self.history:
            _ = self.history[-1].same  # NaN is not to go unnoticed

    @property
    def due(self) -> bool:
        """Whether the next step is measured."""
        return self.steps % self.every == 0

    @contextlib.contextmanager
    def step(self, *arguments, **named) -> Iterator[None]:
        """One step of the training happens in the block.

        Without arguments, the block runs the network's forward pass itself, on the batch to measure. With the
        network's arguments, the monitor does a pass of its own before the block. An exception within the block is
        passed on; such a step is not counted.
        """
        if not self._open or self._stepping:
            raise RuntimeError("step() belongs into the monitor's own with block, one after the other")
        self._stepping, self.reading = True, None
        try:
            if self.due:
                if self.history:
                    _ = self.history[-1].same  # NaN of the measurement before
                measured = Pass(self.activations, self.channel_axis)
                passing = self._own(measured, arguments, named) if arguments or named else self._caught(measured)
                with passing as replays:
                    yield
                self.reading = self._measured(replays)
                self.history.append(self.reading)
            else:
                yield
            self.steps += 1
        finally:
            self._stepping = False

    @contextlib.contextmanager
    def _own(self, measured: Pass, arguments: tuple, named: dict) -> Iterator[list[Replay]]:
        """A pass before the step that leaves nothing behind."""
        replay = Replay(self.network, arguments, named, measured)
        replay.first()
        yield [replay]

    @contextlib.contextmanager
    def _caught(self, measured: Pass) -> Iterator[list[Replay]]:
        """The first pass within the block."""
        replays: list[Replay] = []

        def begun(arguments, named):
            replays.append(Replay(self.network, arguments, named, measured))

        with recording.recording(self.network, measured, begun, lambda: replays[0].passed()):
            yield replays

    def _measured(self, replays: list[Replay]) -> Reading:
        if not replays:
            raise ValueError(
                "the network was not called within step(), so there is no batch to measure: run its forward pass in "
                "the block, or hand the batch to step()"
            )
        replays[0].record.check()
        return Reading(replays[0].again().counts(), self.steps)

    def table(self) -> pd.DataFrame:
        """One line per reading and use of an activation: step, layer, call, activation, temperature (bits),
        unchanged patterns and positions (patterns looked at)."""
        return readings.table(self.history)

    def state_dict(self) -> dict[str, int]:
        """How many steps are done, to go on with the same rhythm. The history is not in it."""
        return {"steps": self.steps, "every": self.every}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after so many steps. Raises ValueError for the state of another rhythm."""
        if set(state) != {"steps", "every"} or state["every"] != self.every:
            raise ValueError(f"the state {state} is of another monitor, should have steps, and every {self.every}")
        self.steps, self.reading = int(state["steps"]), None
