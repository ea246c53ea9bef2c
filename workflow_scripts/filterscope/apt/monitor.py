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
packed bits; after the block the same batch passes once more, with the same random numbers (dropout, noise from NumPy),
the same modes, and with running statistics (batch norm) put back afterwards, so that nothing but the weights can make a
difference and a network that did not change reads exactly 0. In the other steps nothing but the count goes on.

A step is a block in which parameters of the network were written. Where none were (gradients that are accumulated, a
step that a gradient scaler skipped), nothing was done: there is no reading, the block is no step, and the next one is
measured instead.

What was compiled (`torch.compile(network)`, `network.compile()`) runs uncompiled in measured steps. A network that runs
within something that calls it in another way (scripted, captured, replicated) is measured by handing the batch to the
monitor, which then does both passes itself:

    with monitor.step(pictures):
        compiled_training_step(pictures, classes)
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import nn

from filterscope.apt import readings, recording, rectifiers
from filterscope.apt.readings import Reading
from filterscope.apt.recording import Pass, Replay
from filterscope.apt.writes import Writes, check_parameters

PATIENCE = 100  # blocks without a write, one after the other, before that is worth a warning


class MonitorWarning(UserWarning):
    """The monitor is used in a way that it cannot measure much in."""


@dataclass
class _Watched:
    """What happened to the network in a measured block: its first pass, a trial of it, and whether it was called."""

    writes: Writes
    record: Pass
    replay: Replay | None = None
    trial: Pass | None = None
    early: bool = False  # parameters were written before the pass
    alone: dict[str, None] = field(default_factory=dict)

    def passed(self) -> None:
        """The pass is over; what is written from now on is the step."""
        self.replay.passed()
        self.early = self.writes.counted
        self.writes.start()


class TemperatureMonitor:
    """Measures the activation pattern temperature of a network in every `every`-th step of its training.

    network: any torch module whose forward pass calls activations (modules or functions). activations: names of
    those to measure, in torch.nn.functional (`rectifiers.ACTIVATIONS`), ReLU by default. channel_axis: where the
    channels of their inputs are; 1, or -1 for networks of tokens.

    reading: of the block that was done last, None if it was not measured. history: all readings. steps: blocks in which
    parameters were written; blocks: all.

    Measured steps raise ValueError where the network has no measurable activation, where the batch changes between
    the two passes, at the first reading where the network does not do the same twice (noise that cannot be repeated),
    and for NaN; the latter at the next measured step at the latest, or when the reading is looked at. They warn
    (MonitorWarning) where parameters are never written, or before the pass only.
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
        if type(network).__name__ == "OptimizedModule":  # of torch.compile
            network = network._orig_mod
        if isinstance(network, torch.jit.ScriptModule):
            raise ValueError(
                "network is scripted, so its activations cannot be seen: give the network that it was made of, which "
                "shares its weights, and hand the batch to step()"
            )
        if isinstance(network, nn.DataParallel) and len(network.device_ids) > 1:
            raise ValueError(
                "network is a DataParallel of several devices, which runs copies of it: give network.module, and hand "
                "the batch to step()"
            )
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every is {every}, should be a whole number of steps of at least 1")
        self.network, self.every = network, every
        self.activations, self.channel_axis = rectifiers.checked(activations), channel_axis
        self.steps = self.blocks = 0
        self.reading: Reading | None = None
        self.history: list[Reading] = []
        self._open = self._stepping = False
        self._repeats = False  # whether the network was seen to do the same twice
        self._unseen = False  # whether something writes parameters behind PyTorch's back
        self._idle = 0  # blocks without a write, until now

    def __enter__(self) -> TemperatureMonitor:
        self._open = True
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._open = False
        if kind is None and self.history:
            _ = self.history[-1].same  # NaN is not to go unnoticed
        if kind is None and self.blocks > 1 and not self.steps:
            self._warn_of_idleness(3)

    @property
    def due(self) -> bool:
        """Whether the next step is measured."""
        return self.steps % self.every == 0

    @contextlib.contextmanager
    def step(self, *arguments, **named) -> Iterator[None]:
        """One step of the training happens in the block.

        Without arguments, the block runs the network's forward pass itself, on the batch to measure. With the
        network's arguments, the monitor does a pass of its own before the block. An exception within the block is
        passed on; such a step is not counted, nor is a block in which no parameter was written.
        """
        if not self._open or self._stepping:
            raise RuntimeError("step() belongs into the monitor's own with block, one after the other")
        self._stepping, self.reading = True, None
        try:
            if self.due:
                if self.history:
                    _ = self.history[-1].same  # NaN of the measurement before
                check_parameters(self.network)
                watched = _Watched(Writes(self.network, bits=True), Pass(self.activations, self.channel_axis))
                passing = self._own(watched, arguments, named) if arguments or named else self._caught(watched)
                with passing, watched.writes.watching():
                    yield
                if watched.replay is not None:
                    watched.record.check()
                written = self._written(watched)
                if written:
                    self.reading = self._measured(watched)
                    self.history.append(self.reading)
            else:
                writes = Writes(self.network, bits=False)
                with writes.watching():
                    yield
                written = self._unseen or writes.counted
            self._count(written)
        finally:
            self._stepping = False

    @contextlib.contextmanager
    def _own(self, watched: _Watched, arguments: tuple, named: dict) -> Iterator[None]:
        """A pass before the step that leaves nothing behind."""
        watched.replay = Replay(self.network, arguments, named, watched.record)
        if not self._repeats:
            watched.trial = watched.replay.trial()
        watched.replay.first()
        yield

    @contextlib.contextmanager
    def _caught(self, watched: _Watched) -> Iterator[None]:
        """The first pass within the block."""

        def begun(arguments, named):
            watched.replay = Replay(self.network, arguments, named, watched.record)
            if not self._repeats:
                watched.trial = watched.replay.trial()

        with recording.recording(self.network, watched.record, begun, watched.passed) as watched.alone:
            yield

    def _written(self, watched: _Watched) -> bool:
        """Whether the block was a step: whether parameters were written after its pass."""
        counted, changed = watched.writes.counted, watched.writes.changed
        self._unseen |= changed and not counted
        if watched.early and not (counted or changed):
            warnings.warn(
                "parameters of the network were written in the block before its forward pass and not after it, so "
                "there is no reading: a block of step() begins before the forward pass and ends after the optimiser's "
                "step",
                MonitorWarning,
                stacklevel=4,
            )
        return counted or changed

    def _measured(self, watched: _Watched) -> Reading:
        if watched.replay is None:
            called = f"; {', '.join(list(watched.alone)[:3])} was, which can be watched itself" if watched.alone else ""
            raise ValueError(
                "the network was not called within step(), so there is no batch to measure: run its forward pass in "
                f"the block, by network(batch) and not by its forward(), or hand the batch to step(){called}"
            )
        if watched.trial is not None:
            watched.trial.check_repeats(watched.record)
            self._repeats = True
        return Reading(watched.replay.again().counts(), self.steps)

    def _count(self, written: bool) -> None:
        self.blocks += 1
        self.steps += written
        self._idle = 0 if written else self._idle + 1
        if self._idle == PATIENCE:
            self._warn_of_idleness(5)

    def _warn_of_idleness(self, level: int) -> None:
        warnings.warn(
            f"no parameter of the network was written in the last {self._idle} blocks of step(), so there is no "
            "reading: does the optimiser have this network's parameters, are they all frozen, does its step lie in the "
            "block?",
            MonitorWarning,
            stacklevel=level,
        )

    def table(self) -> pd.DataFrame:
        """One line per reading and use of an activation: step, layer, call, activation, temperature (bits),
        unchanged patterns and positions (patterns looked at)."""
        return readings.table(self.history)

    def state_dict(self) -> dict[str, int | bool]:
        """How many steps are done, to go on with the same rhythm, and whether PyTorch does not see what is written.
        The history is not in it."""
        return {"steps": self.steps, "every": self.every, "unseen": self._unseen}

    def load_state_dict(self, state: dict[str, int | bool]) -> None:
        """Go on after so many steps. Raises ValueError for the state of another rhythm."""
        if set(state) | {"unseen"} != set(self.state_dict()) or state["every"] != self.every:  # once without "unseen"
            raise ValueError(f"the state {state} is of another monitor, should have steps, and every {self.every}")
        self.steps, self.reading = int(state["steps"]), None
        self._unseen = bool(state.get("unseen", False))
