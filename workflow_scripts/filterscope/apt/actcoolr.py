"""ActCooLR and its dynamic variant: learning rates that keep a network's temperature on a falling curve.

    fit = learning_rate_range(network, loss, pictures, classes, optimiser).fit
    with TemperatureMonitor(network, every=10) as monitor:
        schedule = ActCooLR(optimiser, monitor, total_steps=1000, sigma=fit.sigma, initial_temperature=3.03)
        for pictures, classes in batches:
            with monitor.step():
                ...  # forward pass, backward pass, optimiser.step()
            schedule.step(loss=loss)

Temperatures alone are no safe guide: a dead ReLU reads as cold, so the published way raises the learning rate of a
network that is dying, which kills the rest of it. Schedules are therefore `guarded` unless told otherwise: see `guard`.

Both are schedulers of PyTorch: `step()` after every step of the optimiser, `state_dict()`, `load_state_dict()`,
`get_last_lr()`. A step without a measurement is an addition. Saved are the schedule's state, the monitor's (its
rhythm) and the optimiser's; a training that goes on from them has the learning rates of an undisturbed one.
"""

from __future__ import annotations

import copy
import warnings
from abc import ABC, abstractmethod
from typing import Literal, Protocol

import numpy as np
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from filterscope.apt import model, optimisers
from filterscope.apt.guard import Guard
from filterscope.apt.model import Link, ModelWarning, adapted_rate, target_temperature, to_probability
from filterscope.apt.readings import Reading

Interpolation = Literal["even", "listing"]
INTERPOLATIONS = ("even", "listing")

# Learning rate of the learning rate in the dynamic variant (ActCooLR, D).
TEMPERATURE_RATE = 0.05
BOUNDS = (0.0, 100.0)  # lowest and highest learning rate


class Measuring(Protocol):
    """What a schedule needs of a monitor."""

    every: int
    reading: Reading | None


class TemperatureSchedule(LRScheduler, ABC):
    """What both variants share: the target curve, the rhythm, bounds, parameter groups and resuming.

    The first parameter group's learning rate is the one that is steered; those of other groups keep their proportion
    to it. A measurement changes the learning rate over `every` steps, from the one right after it; where the next one
    is late, it stays where it was to go.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        monitor: Measuring | None,
        total_steps: int,
        initial_temperature: float,
        exponent: float,
        every: int | None,
        bounds: tuple[float, float],
        link: Link,
        guarded: bool,
        initial_rate: float | None = None,
    ):
        model.check_target(initial_temperature, exponent, link)
        low, high = (float(each) for each in bounds)
        if not 0 <= low < high < float("inf"):
            raise ValueError(f"bounds are {low} and {high}, should be learning rates, the first at least 0 and lower")
        if not isinstance(total_steps, int) or total_steps < 1:
            raise ValueError(f"total_steps is {total_steps}, should be a whole number of at least 1")
        every = every if every is not None else monitor.every if monitor is not None else 10
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every is {every}, should be a whole number of steps of at least 1")
        if monitor is not None and monitor.every != every:
            raise ValueError(f"every is {every}, but the monitor measures every {monitor.every} steps")
        given = optimisers.rates(optimizer, "initial_lr" if "initial_lr" in optimizer.param_groups[0] else "lr")
        self.monitor = monitor
        self.total_steps, self.every, self.link = total_steps, every, link
        self.initial_temperature, self.exponent = float(initial_temperature), float(exponent)
        self.bounds = (low, high)
        self.ratios = [rate / given[0] for rate in given]
        start = given[0] if initial_rate is None else initial_rate
        self.rate = self._bounded(start)
        self.slope = 0.0
        self._still = False  # nothing changed at the last measurement
        self.moves = 0  # steps since the measurement that the slope comes from
        self.guard = Guard() if guarded else None
        self._reading: Reading | None = None  # PyTorch's SequentialLR begins it without step()
        super().__init__(optimizer)
        self.base_lrs = list(given)

    @property
    def done(self) -> float:
        """Share of the training that was done before the last step, from 0 to 1."""
        return max(self.last_epoch - 1, 0) / self.total_steps

    @property
    def target(self) -> float:
        """The temperature to have now, in bits (nats for link "e")."""
        return target_temperature(self.initial_temperature, self.exponent, self.done)

    @property
    def held(self) -> dict[str, int]:
        """How often the guard held the learning rate back, by reason."""
        return {} if self.guard is None else dict(self.guard.held)

    def step(self, reading: Reading | None = None, loss: Tensor | float | None = None) -> None:
        """After a step of the optimiser. reading: the monitor's where None; without either, nothing was measured.
        loss: of this step, which a guarded schedule looks at when it measures.

        Raises ValueError after the last step.
        """
        if self._is_initial:
            super().step()
            return
        if self.last_epoch >= self.total_steps:
            raise ValueError(f"step() was called {self.last_epoch + 1} times, total_steps is {self.total_steps}")
        if reading is None and self.monitor is not None:
            reading = self.monitor.reading
        self._reading = reading
        if loss is not None and self.guard is not None:
            self.guard.note(loss)
        super().step()

    def get_lr(self) -> list[float]:
        """Learning rates of the groups, after this step."""
        if not self._is_initial:
            reading, self._reading = self._reading, None
            if reading is not None:
                self._check(reading)
                self.slope, self.moves = self._turned(reading), 0
            if self.moves < self.every:
                self.rate = self._bounded(self.rate + self._move())
            self.moves += 1
        return [self.rate * ratio for ratio in self.ratios]

    def _turned(self, reading: Reading) -> float:
        """As `_turn`, within what the guard allows."""
        if self.guard is None:
            return self._turn(reading)
        slope = self._turn(reading.living())
        aim, told = self.guard.allowed(self.rate, self.rate + slope * self.every, reading)
        if told:
            self._warn(f"step {self.last_epoch}: {told}")
        return (self._bounded(aim) - self.rate) / self.every

    @abstractmethod
    def _turn(self, reading: Reading) -> float:
        """How far the learning rate goes with every step from here."""

    def _move(self) -> float:
        """How far it goes in this step."""
        return self.slope

    def _bounded(self, rate: float) -> float:
        return float(np.clip(rate, *self.bounds))

    def _check(self, reading: Reading) -> None:
        """Warn where the temperature cannot do what it is to do."""
        highest = float(np.log2(2 * reading.positions).mean())
        if self.last_epoch == 1 and self.initial_temperature > highest:
            self._warn(
                f"initial_temperature is {self.initial_temperature:g}, but no batch of this size can be hotter than "
                f"{highest:.3g} bits, so the learning rate will rise to its bound"
            )
        still = reading.mean == 0 and self.rate > self.bounds[0]
        if still and not self._still:
            self._warn(
                f"no activation pattern changed in step {self.last_epoch} at a learning rate of {self.rate:g}, so it "
                "rises: where that goes on, the network is dead (its ReLUs give zero to everything)"
            )
        self._still = still

    @staticmethod
    def _warn(told: str) -> None:
        warnings.warn(told, ModelWarning, stacklevel=7)  # the caller of step()

    def _settings(self) -> dict:
        """What makes two schedules the same."""
        return {
            "schedule": type(self).__name__,
            "total_steps": self.total_steps,
            "initial_temperature": self.initial_temperature,
            "exponent": self.exponent,
            "every": self.every,
            "bounds": list(self.bounds),
            "link": self.link,
            "guarded": self.guard is not None,
        }

    def state_dict(self) -> dict:
        """Plain numbers, for torch.save(..., weights_only) and JSON."""
        return {
            **self._settings(),
            "last_epoch": self.last_epoch,
            "rate": self.rate,
            "slope": self.slope,
            "moves": self.moves,
            "ratios": list(self.ratios),
            "guard": None if self.guard is None else self.guard.state_dict(),
        }

    def load_state_dict(self, state_dict: dict) -> None:
        """Go on where a schedule of the same settings was; sets the optimiser's learning rates.

        Raises ValueError for the state of another schedule.
        """
        settings, own = self._settings(), self.state_dict()
        for key, value in settings.items():
            if state_dict.get(key) != value:
                found = repr(state_dict[key]) if key in state_dict else "missing"
                raise ValueError(f"the state is of another schedule: {key} is {found}, should be {value!r}")
        missing = [key for key in own if key not in state_dict]
        if missing:
            raise ValueError(f"the state is of another schedule: {missing[0]} is missing")
        if len(state_dict["ratios"]) != len(self.ratios):
            raise ValueError(
                f"the state is of another schedule: it has {len(state_dict['ratios'])} parameter groups, the optimiser "
                f"has {len(self.ratios)}"
            )
        for key in ("last_epoch", "rate", "slope", "moves"):
            setattr(self, key, state_dict[key])
        self.ratios = list(state_dict["ratios"])
        if self.guard is not None:
            self.guard.load_state_dict(state_dict["guard"])
        self._step_count = self.last_epoch + 1
        optimisers.set_rate(self.optimizer, [self.rate * ratio for ratio in self.ratios])
        self._last_lr = [copy.copy(group["lr"]) for group in self.optimizer.param_groups]


class ActCooLR(TemperatureSchedule):
    """Sets the learning rate at which the model expects the target temperature T0 (1 - t)^gamma (ActCooLR, H).

    sigma: of the model, from `learning_rate_range`; mu: of the same fit, where the initial learning rate is to be the
    model's for T0 instead of the optimiser's (ActCooLR, B). initial_temperature: T0 in bits; exponent: gamma.
    every: steps between measurements, the monitor's. bounds: lowest and highest learning rate of the first group.
    interpolation: "even" reaches the computed learning rate right at the next measurement, "listing" covers
    (2 E - 1) / E^2 of the way as the published listing does, but all of it where a guard cuts. link: "2", or "e" as
    the listing. guarded: whether a dying or diverging network holds the learning rate back, see `guard`; False is the
    published way. Raises ValueError for settings out of range; warns where T0 cannot be reached.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        monitor: Measuring | None = None,
        *,
        total_steps: int,
        sigma: float,
        initial_temperature: float,
        exponent: float = 1.0,
        mu: float | None = None,
        every: int | None = None,
        bounds: tuple[float, float] = BOUNDS,
        interpolation: Interpolation = "even",
        link: Link = "2",
        guarded: bool = True,
    ):
        if not (np.isfinite(sigma) and sigma > 0):
            raise ValueError(f"sigma is {sigma}, should be a number above 0, as learning_rate_range finds it")
        if interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation is {interpolation!r}, should be one of {', '.join(INTERPOLATIONS)}")
        self.sigma, self.interpolation = float(sigma), interpolation
        start = None
        if mu is not None:
            if not np.isfinite(mu):
                raise ValueError(f"mu is {mu}, should be a number, as learning_rate_range finds it")
            model.check_target(initial_temperature, exponent, link)
            start = float(np.exp(mu + sigma * model.quantile(initial_temperature, link)))
        super().__init__(
            optimizer,
            monitor,
            total_steps,
            initial_temperature,
            exponent,
            every,
            bounds,
            link,
            guarded,
            initial_rate=start,
        )

    def _turn(self, reading: Reading) -> float:
        measured, target = reading.mean, self.target
        aim = adapted_rate(self.rate, self.sigma, measured, target, reading.epsilon, self.link)
        return (self._bounded(aim) - self.rate) / self.every

    def _move(self) -> float:
        # The listing divides by E again in all steps but the first (ActCooLR, H). A fifth of a cut would be none.
        cut = self.guard is not None and self.guard.cut
        return self.slope / self.every if self.interpolation == "listing" and self.moves and not cut else self.slope

    def _settings(self) -> dict:
        return {**super()._settings(), "sigma": self.sigma, "interpolation": self.interpolation}


class DynamicActCooLR(TemperatureSchedule):
    """Moves the learning rate towards the target probability of a change, without a model (ActCooLR, D).

    Every step subtracts temperature_rate * 2 (P - C): P is the mean probability over the layers at the last
    measurement, C that of the target temperature T0 (1 - t)^gamma. Other parameters as of ActCooLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        monitor: Measuring | None = None,
        *,
        total_steps: int,
        initial_temperature: float,
        exponent: float = 1.0,
        temperature_rate: float = TEMPERATURE_RATE,
        every: int | None = None,
        bounds: tuple[float, float] = BOUNDS,
        link: Link = "2",
        guarded: bool = True,
    ):
        if not (np.isfinite(temperature_rate) and temperature_rate > 0):
            raise ValueError(f"temperature_rate is {temperature_rate}, should be a number above 0")
        self.temperature_rate = float(temperature_rate)
        super().__init__(optimizer, monitor, total_steps, initial_temperature, exponent, every, bounds, link, guarded)

    def _turn(self, reading: Reading) -> float:
        wanted = float(to_probability(self.target, self.link))
        return -self.temperature_rate * 2 * (reading.mean_probability(self.link) - wanted)

    def _settings(self) -> dict:
        return {**super()._settings(), "temperature_rate": self.temperature_rate}
