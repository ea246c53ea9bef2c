"""Learning rate range analysis: the temperature that one step would have at each of many learning rates (ActCooLR, C).

    analysis = learning_rate_range(network, torch.nn.functional.cross_entropy, pictures, classes, optimiser)
    analysis.fit.sigma, analysis.fit.errors, analysis.fit.residual

Every step is taken by the optimiser itself, from the same point and with the same gradient, so there is one backward
pass and one forward pass per learning rate and batch. Afterwards everything is as it was, bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from filterscope.apt import model, optimisers, patterns, rectifiers
from filterscope.apt.model import Fit, Link, ModelWarning
from filterscope.apt.readings import ActivationCall, Counts
from filterscope.apt.recording import Pass, Replay
from filterscope.apt.writes import check_parameters
from filterscope.eager_optimisers import SGD

# All 25 (ActCooLR, table 1): the text says 10^-4 to 10^2, the numbers are these.
RATES = np.logspace(-3.2, 2, 25)
# A widened grid goes on while the first probability is above LOW and the last below HIGH, and within these bounds.
LOW, HIGH = 0.2, 0.8
LOWEST, HIGHEST = 1e-9, 1e4

# What a network is called with: network(tensor), network(*tuple), network(**mapping).
Batch = Tensor | tuple | Mapping


class DivergedError(ValueError):
    """The network gives NaN after a step at every learning rate."""


@dataclass(frozen=True)
class RangeAnalysis:
    """Temperatures at learning rates.

    rates [R]; calls: the uses of activations, in the order of the forward pass; same [R, L]: unchanged patterns;
    positions [L]: patterns looked at; diverged: learning rates that gave NaN, which are not among the rates;
    gradients: how often the gradient was computed, more than once where the grid was widened. One pass more sees
    whether the network does the same twice.
    """

    rates: np.ndarray
    calls: tuple[ActivationCall, ...]
    same: np.ndarray
    positions: np.ndarray
    diverged: tuple[float, ...] = ()
    link: Link = "2"
    gradients: int = 1

    @cached_property
    def temperatures(self) -> np.ndarray:
        """Temperatures [R, L], in bits."""
        return patterns.temperatures(self.same, self.positions)

    @property
    def mean(self) -> np.ndarray:
        """The network's temperatures [R], in bits: the mean over the layers."""
        return self.temperatures.mean(1)

    @cached_property
    def fit(self) -> Fit:
        """The model of the network's temperatures. Raises ValueError, and warns, as `model.fit`."""
        return model.fit(self.rates, self.mean, self.link)

    def layer_fit(self, layer: int) -> Fit:
        """The model of one layer's temperatures, by its place in `calls` (-1: the last). Raises as `model.fit`."""
        return model.fit(self.rates, self.temperatures[:, layer], self.link)

    def passes(self, batches: int) -> int:
        """Passes of a batch that it took, where the samples are so many batches; a backward pass counts for two."""
        rates = len(self.rates) + len(self.diverged)
        return 3 * self.gradients + (rates + self.gradients) * batches + 1

    def joined(self, other: RangeAnalysis) -> RangeAnalysis:
        """Both together, of the same network at the same point, at different learning rates."""
        if (self.calls, self.link) != (other.calls, other.link) or (self.positions != other.positions).any():
            raise ValueError("the analyses are of different activations, samples or links, so they do not join")
        order = np.argsort(rates := np.concatenate([self.rates, other.rates]))
        same = np.concatenate([self.same, other.same])
        diverged = tuple(sorted({*self.diverged, *other.diverged}))
        gradients = self.gradients + other.gradients
        return RangeAnalysis(rates[order], self.calls, same[order], self.positions, diverged, self.link, gradients)

    def table(self) -> pd.DataFrame:
        """One line per learning rate and use of an activation: learning_rate, layer, call, activation, temperature
        (bits), unchanged patterns, positions (patterns looked at)."""
        count, layers = self.same.shape
        return pd.DataFrame(
            {
                "learning_rate": np.repeat(self.rates, layers),
                "layer": [call.layer for call in self.calls] * count,
                "call": np.tile(np.array([call.call for call in self.calls], np.int64), count),
                "activation": [call.activation for call in self.calls] * count,
                "temperature": self.temperatures.ravel(),
                "unchanged": self.same.ravel(),
                "positions": np.tile(self.positions, count),
            }
        )


def measure_range(
    network: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    inputs: Batch,
    targets: Tensor,
    optimiser: Optimizer | None = None,
    rates: Sequence[float] | np.ndarray = RATES,
    samples: Iterable[Batch] | None = None,
    activations: Iterable[str] = ("relu",),
    channel_axis: int = 1,
    link: Link = "2",
    widen: bool = False,
) -> RangeAnalysis:
    """Temperatures of one step at each learning rate, without a fit.

    inputs: a tensor, a tuple of the network's arguments, or a mapping of its named ones (for a network that takes a
    dict, a tuple with that dict). loss(network(inputs), targets) gives the gradient, `optimiser` the step from its
    present state (plain SGD where there is none); where it has several parameter groups, their learning rates keep
    their proportions. samples: batches of inputs on which patterns are compared (ActCooLR, C: all training data, or
    4,096); `inputs` where None.
    widen: where nearly all patterns change at the lowest learning rate, or few at the highest, go on measuring beyond
    them in the same steps until that has changed, from LOWEST to HIGHEST; samples that can be read only once are then
    kept in memory. Deep networks without shortcuts need it at their start.
    The network's own train or eval mode is used. Learning rates at which the network gives NaN are left out with a
    warning. Raises ValueError for wrong learning rates, a network without a measurable activation, one that does not do
    the same twice (noise that cannot be repeated), an optimiser that needs a closure, and a loss that is not one finite
    number.
    """
    return _measured(network, loss, inputs, targets, optimiser, rates, samples, activations, channel_axis, link, widen)


def _measured(
    network, loss, inputs, targets, optimiser, rates, samples, activations, channel_axis, link, widen, trial=True
) -> RangeAnalysis:
    """trial: whether to see first if the network does the same twice."""
    rates = model.check_rates(rates)
    names = rectifiers.checked(activations)
    if widen and isinstance(samples, Iterator):
        samples = list(samples)
    if isinstance(samples, (Tensor, Mapping)):
        raise ValueError(f"samples is a {type(samples).__name__}, should be a list of batches")
    positional, named = _arguments(inputs, "inputs")
    check_parameters(network)
    _check_trained(network, optimiser)
    optimiser = SGD(network.parameters(), 1.0) if optimiser is None else optimiser
    with optimisers.trials(network, optimiser) as trials:
        trials.clear()
        with torch.enable_grad():
            value = loss(network(*_cloned(positional), **_cloned(named)), targets)  # it may write into its batch
            if value.numel() != 1:
                raise ValueError(
                    f"the loss has shape {list(value.shape)}, should be one number: reduce it, by its mean"
                )
            if not torch.isfinite(value).all():
                raise ValueError(f"the loss is {float(value.detach())}, so there is no step to analyse")
            value.backward()
        trials.take_gradients()
        totals: list[Counts] | None = None
        for batch in [inputs] if samples is None else samples:
            trials.to_start()
            replay = Replay(network, *_arguments(batch, "a batch of samples"), Pass(names, channel_axis))
            again = replay.trial() if trial else None
            replay.first()
            replay.record.check()
            if again is not None:
                again.check_repeats(replay.record)
            trial = False
            counts = []
            for rate in rates:
                trials.step(float(rate))
                counts.append(replay.again(last=rate == rates[-1]).counts())
            totals = counts if totals is None else [one + two for one, two in zip(totals, counts, strict=True)]
    if totals is None:
        raise ValueError("samples is empty, should have at least one batch")
    analysis = _analysis(rates, totals, link)
    if not widen:
        return analysis
    rest = {"samples": samples, "activations": names, "channel_axis": channel_axis, "link": link}
    return _widened(
        analysis, partial(_measured, network, loss, inputs, targets, optimiser, **rest, widen=False, trial=False)
    )


def _arguments(batch: Batch, name: str) -> tuple[tuple, dict]:
    """What a network is called with, by place and by name. Raises ValueError for a list, which a loader gives."""
    if isinstance(batch, Mapping):
        return (), dict(batch)
    if isinstance(batch, list):
        raise ValueError(
            f"{name} is a list of {len(batch)}, should be what the network is called with, and no more: a tensor, a "
            "tuple of its arguments or a mapping of its named ones"
        )
    return (batch if isinstance(batch, tuple) else (batch,)), {}


def _cloned(nested):
    """The same with tensors of its own."""
    if isinstance(nested, Tensor):
        return nested.clone()
    if isinstance(nested, dict):
        return {key: _cloned(value) for key, value in nested.items()}
    if type(nested) in (tuple, list):
        return type(nested)(_cloned(each) for each in nested)
    return nested


def _check_trained(network: nn.Module, optimiser: Optimizer | None) -> None:
    """Raises ValueError where there is nothing to train, in the network or of what else the optimiser has."""
    others = [] if optimiser is None else [each for group in optimiser.param_groups for each in group["params"]]
    if not any(each.requires_grad for each in (*network.parameters(), *others)):
        raise ValueError("all parameters of the network are frozen (requires_grad is False): no step changes them")


def learning_rate_range(*args, **kwargs) -> RangeAnalysis:
    """`measure_range` with the model fitted to the network's temperatures; the same arguments.

    Raises ValueError where no sigma can be had (flat, falling or too few points); warns where the fit is bad.
    """
    analysis = measure_range(*args, **kwargs)
    _ = analysis.fit
    return analysis


def _widened(analysis: RangeAnalysis, measure: Callable[..., RangeAnalysis]) -> RangeAnalysis:
    """The analysis with what lies below and above, as far as it is needed."""
    count = model.FEWEST * 2
    factor = (analysis.rates[-1] / analysis.rates[0]) ** (1 / (len(analysis.rates) - 1))
    steps = factor ** np.arange(1, count + 1)

    def probability(place: int) -> float:
        return float(model.to_probability(analysis.mean[place], analysis.link))

    while probability(0) > LOW and analysis.rates[0] > LOWEST:
        analysis = analysis.joined(measure(rates=analysis.rates[0] / steps[::-1]))
    while probability(-1) < HIGH and analysis.rates[-1] < HIGHEST and not analysis.diverged:
        beyond = analysis.rates[-1] * steps
        try:
            analysis = analysis.joined(measure(rates=beyond))
        except DivergedError:  # there is nothing to measure beyond
            analysis = replace(analysis, diverged=tuple(beyond.tolist()), gradients=analysis.gradients + 1)
    return analysis


def _analysis(rates: np.ndarray, totals: list[Counts], link: Link) -> RangeAnalysis:
    poisoned = torch.stack([each.poisoned for each in totals]).any(1).cpu().numpy()
    if poisoned.all():
        raise DivergedError(
            f"NaN in the activations at every learning rate from {rates[0]:g}: the network itself or the data are bad"
        )
    diverged = tuple(float(rate) for rate in rates[poisoned])
    if diverged:
        warnings.warn(
            f"the network gives NaN after a step at {', '.join(f'{rate:g}' for rate in diverged)}: these learning "
            "rates are left out",
            ModelWarning,
            stacklevel=4,
        )
    return RangeAnalysis(
        rates[~poisoned],
        totals[0].calls,
        torch.stack([each.same for each in totals]).cpu().numpy()[~poisoned],
        np.array(totals[0].positions, np.int64),
        diverged,
        link,
    )
