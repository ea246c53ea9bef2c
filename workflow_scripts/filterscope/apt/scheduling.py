"""How a network's learning rate goes: optimisers and schedules by name, behind one interface.

    running = begin(settings, network, monitor, situation, total_steps)
    ... running.optimiser.step() ...
    running.advance()

The schedules are PyTorch's, Schedule-Free (Defazio et al. 2024), ActCooLR and its dynamic variant; they steer SGD or
AdamW.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace

import pandas as pd
import schedulefree
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from filterscope.apt.actcoolr import BOUNDS, ActCooLR, DynamicActCooLR, TemperatureSchedule
from filterscope.apt.learning_rates import RangeAnalysis, learning_rate_range
from filterscope.apt.model import Fit
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.eager_optimisers import SGD, AdamW, eager

# Methods that must measure temperatures while they train.
STEERED = ("actcoolr", "dynamic_actcoolr")


@dataclass(frozen=True)
class ScheduleSettings:
    """A schedule: its method and what that method takes; the rest does not matter.

    learning_rate: the highest (of constant, step, cosine, cyclic, one_cycle, schedule_free), or the one to begin with
    (actcoolr, dynamic_actcoolr; range_test finds its own). momentum: of SGD; of one_cycle the highest.
    milestones: shares of the steps after which `step` multiplies by `factor`. cycles, lowest: of cyclic; lowest is a
    share of the learning rate. peak: share of the steps at which one_cycle is highest; lowest_momentum: there;
    initial: share of the highest learning rate that it begins with. initial_temperature (bits), exponent: the target
    T0 (1 - t)^gamma. temperature_rate: of dynamic_actcoolr. begin: "given", or "model" for the learning rate at which
    the model expects T0. sigma: of the model; None fits it before training. bounds: lowest and highest
    learning rate. guarded: whether a dying or diverging network holds it back (`guard`). interpolation, link, guarded:
    "listing", "e" and False repeat what was published. temperature: bits at which range_test picks its learning rate,
    which then falls as a cosine where `falling`. warm_up: share of schedule_free's steps in which it rises.
    """

    method: str
    learning_rate: float = 0.1
    momentum: float = 0.9
    milestones: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1
    cycles: int = 4
    lowest: float = 0.1
    peak: float = 0.3
    lowest_momentum: float = 0.765
    initial: float = 0.04
    initial_temperature: float = 3.03
    exponent: float = 1.0
    temperature_rate: float = 0.05
    begin: str = "given"
    sigma: float | None = None
    interpolation: str = "even"
    link: str = "2"
    bounds: tuple[float, float] = BOUNDS
    guarded: bool = True
    temperature: float = 1.0
    falling: bool = True
    warm_up: float = 0.05

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}, should be one of {', '.join(METHODS)}")
        object.__setattr__(self, "milestones", tuple(self.milestones))
        object.__setattr__(self, "bounds", tuple(self.bounds))

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> ScheduleSettings:
        """From an entry of the config. Raises ValueError for a key that no schedule has."""
        known = {field.name for field in fields(cls)}
        unknown = [key for key in mapping if key not in known]
        if unknown:
            raise ValueError(f"a schedule has no {unknown[0]!r}; it may have {', '.join(sorted(known))}")
        return cls(**mapping)

    def plain(self) -> dict:
        """What the method takes, for tables."""
        wanted = ("method", "momentum", *METHODS[self.method].takes)
        return {key: value for key, value in asdict(self).items() if key in wanted}


@dataclass(frozen=True)
class Situation:
    """What a schedule may look at before it begins: the loss, a batch to step on, batches to compare patterns on."""

    loss: Callable[[Tensor, Tensor], Tensor]
    pictures: Tensor
    labels: Tensor
    samples: Iterable[Tensor]
    weight_decay: float
    optimiser: str = "sgd"


@dataclass
class Running:
    """An optimiser with its schedule, None where it needs none; analysis: the one before, None without one."""

    optimiser: Optimizer
    schedule: lr_scheduler.LRScheduler | None
    analysis: RangeAnalysis | None = None

    @property
    def fit(self) -> Fit | None:
        """Of the analysis before."""
        return None if self.analysis is None else self.analysis.fit

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        group = self.optimiser.param_groups[0]
        return float(group["scheduled_lr"] if group.get("scheduled_lr") else group["lr"])

    def advance(self, loss: Tensor | None = None) -> None:
        """After a step of the optimiser. loss: of that step, for schedules that look at it."""
        if isinstance(self.schedule, TemperatureSchedule):
            self.schedule.step(loss=loss)
        elif self.schedule is not None:
            self.schedule.step()

    @property
    def held(self) -> dict[str, int]:
        """How often a guard held the learning rate back, by reason."""
        return self.schedule.held if isinstance(self.schedule, TemperatureSchedule) else {}

    def train(self) -> None:
        """Schedule-Free's weights where gradients are taken; nothing for others."""
        if self.schedule is None:
            self.optimiser.train()

    def evaluate(self) -> None:
        """Schedule-Free's averaged weights, which are the ones to use."""
        if self.schedule is None:
            self.optimiser.eval()

    def state_dict(self) -> dict:
        """Of both, for a checkpoint."""
        schedule = None if self.schedule is None else self.schedule.state_dict()
        return {"optimiser": self.optimiser.state_dict(), "schedule": schedule}

    def load_state_dict(self, state: dict) -> None:
        """Go on from a checkpoint."""
        self.optimiser.load_state_dict(state["optimiser"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])


@dataclass(frozen=True)
class Method:
    """How a schedule is begun, and the settings that it takes besides the momentum."""

    begin: Callable[..., Running]
    takes: tuple[str, ...]


def begin(
    settings: ScheduleSettings,
    network: nn.Module,
    monitor: TemperatureMonitor,
    situation: Situation,
    total_steps: int,
) -> Running:
    """The optimiser and schedule of a training of so many steps.

    The network stays as it is, though actcoolr and range_test try steps on it. Raises ValueError where the settings
    are out of range or no sigma can be fitted.
    """
    return METHODS[settings.method].begin(settings, network, monitor, situation, total_steps)


# Each also as Schedule-Free has it. The momentum of AdamW is its first beta.
OPTIMISERS: dict[str, tuple[Callable[..., Optimizer], Callable[..., Optimizer]]] = {
    "sgd": (
        lambda weights, rate, momentum, decay: SGD(weights, rate, momentum, weight_decay=decay),
        lambda weights, rate, momentum, decay, steps: eager(schedulefree.SGDScheduleFree)(
            weights, rate, momentum=momentum, weight_decay=decay, warmup_steps=steps
        ),
    ),
    "adamw": (
        lambda weights, rate, momentum, decay: AdamW(weights, rate, (momentum, 0.999), weight_decay=decay),
        lambda weights, rate, momentum, decay, steps: eager(schedulefree.AdamWScheduleFree)(
            weights, rate, betas=(momentum, 0.999), weight_decay=decay, warmup_steps=steps
        ),
    ),
}


def _optimiser(
    settings: ScheduleSettings, network: nn.Module, situation: Situation, rate: float | None = None
) -> Optimizer:
    rate = settings.learning_rate if rate is None else rate
    make, _ = OPTIMISERS[situation.optimiser]
    return make(network.parameters(), rate, settings.momentum, situation.weight_decay)


def _plain(make: Callable[[Optimizer, ScheduleSettings, int], lr_scheduler.LRScheduler]) -> Callable[..., Running]:
    """A schedule that looks at nothing but the number of the step."""

    def begin(settings, network, monitor, situation, total_steps):
        optimiser = _optimiser(settings, network, situation)
        return Running(optimiser, make(optimiser, settings, total_steps))

    return begin


def _constant(optimiser: Optimizer, settings: ScheduleSettings, steps: int):
    return lr_scheduler.ConstantLR(optimiser, factor=1.0, total_iters=0)


def _step(optimiser: Optimizer, settings: ScheduleSettings, steps: int):
    milestones = sorted(max(1, round(share * steps)) for share in settings.milestones)
    return lr_scheduler.MultiStepLR(optimiser, milestones, settings.factor)


def _cosine(optimiser: Optimizer, settings: ScheduleSettings, steps: int):
    return lr_scheduler.CosineAnnealingLR(optimiser, steps)


def _cyclic(optimiser: Optimizer, settings: ScheduleSettings, steps: int):
    half = max(1, round(steps / (2 * settings.cycles)))
    lowest = settings.lowest * settings.learning_rate
    return lr_scheduler.CyclicLR(optimiser, lowest, settings.learning_rate, half, cycle_momentum=False)


def _one_cycle(optimiser: Optimizer, settings: ScheduleSettings, steps: int):
    return lr_scheduler.OneCycleLR(
        optimiser,
        settings.learning_rate,
        total_steps=max(steps, 2),
        pct_start=settings.peak,
        base_momentum=min(settings.lowest_momentum, settings.momentum),
        max_momentum=settings.momentum,
        div_factor=1 / settings.initial,
        cycle_momentum=settings.momentum > 0,
    )


def _schedule_free(settings, network, monitor, situation, total_steps) -> Running:
    _, make = OPTIMISERS[situation.optimiser]
    warm_up = round(settings.warm_up * total_steps)
    optimiser = make(network.parameters(), settings.learning_rate, settings.momentum, situation.weight_decay, warm_up)
    optimiser.train()
    return Running(optimiser, None)


def _analysed(settings: ScheduleSettings, network: nn.Module, situation: Situation) -> RangeAnalysis:
    """Of the optimiser's first step: momentum has nothing to carry on yet."""
    optimiser = _optimiser(settings, network, situation, rate=0.1)
    return learning_rate_range(
        network,
        situation.loss,
        situation.pictures,
        situation.labels,
        optimiser,
        samples=situation.samples,
        link=settings.link,
        widen=True,
    )


def _range_test(settings, network, monitor, situation, total_steps) -> Running:
    analysis = _analysed(settings, network, situation)
    optimiser = _optimiser(settings, network, situation, rate=analysis.fit.rate(settings.temperature))
    make = _cosine if settings.falling else _constant
    return Running(optimiser, make(optimiser, settings, total_steps), analysis)


def _actcoolr(settings, network, monitor, situation, total_steps) -> Running:
    analysis = None
    if settings.sigma is None or settings.begin == "model":
        analysis = _analysed(settings, network, situation)
    optimiser = _optimiser(settings, network, situation)
    schedule = ActCooLR(
        optimiser,
        monitor,
        total_steps=total_steps,
        sigma=analysis.fit.sigma if settings.sigma is None else settings.sigma,
        mu=analysis.fit.mu if settings.begin == "model" else None,
        initial_temperature=settings.initial_temperature,
        exponent=settings.exponent,
        interpolation=settings.interpolation,
        link=settings.link,
        bounds=settings.bounds,
        guarded=settings.guarded,
    )
    return Running(optimiser, schedule, analysis)


def _dynamic(settings, network, monitor, situation, total_steps) -> Running:
    optimiser = _optimiser(settings, network, situation)
    schedule = DynamicActCooLR(
        optimiser,
        monitor,
        total_steps=total_steps,
        initial_temperature=settings.initial_temperature,
        exponent=settings.exponent,
        temperature_rate=settings.temperature_rate,
        link=settings.link,
        bounds=settings.bounds,
        guarded=settings.guarded,
    )
    return Running(optimiser, schedule)


_TARGET = ("initial_temperature", "exponent", "link", "bounds", "guarded")
METHODS: dict[str, Method] = {
    "constant": Method(_plain(_constant), ("learning_rate",)),
    "step": Method(_plain(_step), ("learning_rate", "milestones", "factor")),
    "cosine": Method(_plain(_cosine), ("learning_rate",)),
    "cyclic": Method(_plain(_cyclic), ("learning_rate", "cycles", "lowest")),
    "one_cycle": Method(_plain(_one_cycle), ("learning_rate", "peak", "initial", "lowest_momentum")),
    "schedule_free": Method(_schedule_free, ("learning_rate", "warm_up")),
    "range_test": Method(_range_test, ("temperature", "falling", "link")),
    "actcoolr": Method(_actcoolr, ("learning_rate", *_TARGET, "begin", "sigma", "interpolation")),
    "dynamic_actcoolr": Method(_dynamic, ("learning_rate", *_TARGET, "temperature_rate")),
}


def chosen(trials: pd.DataFrame, schedule: ScheduleSettings) -> ScheduleSettings:
    """The schedule with the settings of the trial that was chosen."""
    (line,) = trials.loc[trials["chosen"], "settings"]
    return replace(schedule, **json.loads(line))
