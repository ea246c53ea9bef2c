"""Learning rates of an optimiser's parameter groups, and an optimiser that takes trial steps and takes them back."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from filterscope.apt.network_state import unchanged_state
from filterscope.apt.streams import Streams


def rates(optimiser: Optimizer, key: str = "lr") -> list[float]:
    """Learning rates of the parameter groups. Raises ValueError for one that is not above 0."""
    found = [float(group[key]) for group in optimiser.param_groups]
    for index, rate in enumerate(found):
        if not (rate > 0 and rate < float("inf")):
            raise ValueError(f"the learning rate of parameter group {index} is {rate}, should be above 0")
    return found


def set_rate(optimiser: Optimizer, rates: list[float]) -> None:
    """Give every parameter group its learning rate."""
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


class Trials:
    """Steps of an optimiser, all from the same point with the same gradient, at different learning rates."""

    def __init__(self, network: nn.Module, optimiser: Optimizer):
        self._optimiser = optimiser
        shared = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        self._parameters = list(dict.fromkeys([*network.parameters(), *shared]))
        self._values = [parameter.detach().clone() for parameter in self._parameters]
        self._gradients = [parameter.grad for parameter in self._parameters]
        self._state = optimiser.state
        self._groups = [_settings(group) for group in optimiser.param_groups]
        self._ratios = [rate / rates(optimiser)[0] for rate in rates(optimiser)]
        self._slopes: list[Tensor | None] = []

    def clear(self) -> None:
        """No gradients, as before a backward pass."""
        for parameter in self._parameters:
            parameter.grad = None

    def take_gradients(self) -> None:
        """The gradients that are there now are those of all steps. Raises ValueError where there is none."""
        trained = [parameter for group in self._optimiser.param_groups for parameter in group["params"]]
        if all(parameter.grad is None for parameter in trained):
            raise ValueError("no parameter of the optimiser has a gradient: the loss does not depend on them")
        self._slopes = [None if each.grad is None else each.grad.detach().clone() for each in self._parameters]

    def step(self, rate: float) -> None:
        """One step from the starting point, the first group's learning rate being `rate`, the others' in proportion."""
        self.to_start()
        for parameter, slope in zip(self._parameters, self._slopes, strict=True):
            parameter.grad = None if slope is None else slope.clone()  # Nesterov's momentum overwrites gradients
        self._optimiser.state = _copied(self._state)
        set_rate(self._optimiser, [rate * ratio for ratio in self._ratios])
        self._optimiser.step()

    def to_start(self) -> None:
        """Weights and settings of the starting point."""
        with torch.no_grad():
            for parameter, value in zip(self._parameters, self._values, strict=True):
                parameter.copy_(value)
        for group, saved in zip(self._optimiser.param_groups, self._groups, strict=True):
            for key in [key for key in group if key != "params" and key not in saved]:
                del group[key]
            group.update({key: _value(value) for key, value in saved.items()})

    def restore(self) -> None:
        """Everything is as it was at the beginning, bit for bit."""
        self.to_start()
        self._optimiser.state = self._state
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient


@contextlib.contextmanager
def trials(network: nn.Module, optimiser: Optimizer) -> Iterator[Trials]:
    """Trial steps in the block; afterwards network, optimiser and the network's random streams are as they were.

    Raises ValueError for an optimiser whose steps need a closure: they pass batches themselves.
    """
    closure = inspect.signature(optimiser.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ValueError(
            f"{type(optimiser).__name__} passes batches itself (its step() needs a closure), so there is no gradient "
            "whose step could be tried at many learning rates: analyse SGD or another optimiser"
        )
    devices = {each.device for each in network.parameters() if each.device.type == "cuda"}
    taken = Trials(network, optimiser)
    with Streams(network, (), sorted(devices, key=str)).undisturbed(), unchanged_state(network):
        try:
            yield taken
        finally:
            taken.restore()


def _value(value):
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _settings(group: dict) -> dict:
    return {key: _value(value) for key, value in group.items() if key != "params"}


def _copied(state: dict) -> defaultdict:
    """The optimiser's state with tensors of its own, under the same parameters."""
    copied = defaultdict(dict)
    for parameter, values in state.items():
        copied[parameter] = {key: _value(value) for key, value in values.items()}
    return copied
