"""Everything that a forward pass draws random numbers from, so that a repetition draws the same.

Torch's streams (CPU and the network's GPUs), NumPy's and Python's global ones, and generators that the network or its
arguments hold as attributes. What lies elsewhere (in a closure, say) cannot be found.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import nn

_DEEP = 4  # containers within containers that are looked into


def _own(nested, depth: int = _DEEP) -> Iterator:
    """Generators in an object, and in its lists, tuples and mappings."""
    if isinstance(nested, (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)):
        yield nested
    elif depth and isinstance(nested, Mapping):
        for each in nested.values():
            yield from _own(each, depth - 1)
    elif depth and isinstance(nested, (list, tuple)):
        for each in nested:
            yield from _own(each, depth - 1)


def _access(generator) -> tuple[Callable, Callable]:
    """How the state of a generator is got and set."""
    if isinstance(generator, torch.Generator):
        return generator.get_state, generator.set_state
    if isinstance(generator, np.random.Generator):
        bits = generator.bit_generator
        return lambda: bits.state, lambda state: setattr(bits, "state", state)
    if isinstance(generator, np.random.RandomState):
        return generator.get_state, generator.set_state
    return generator.getstate, generator.setstate


class Streams:
    """The streams of a network and its arguments. devices: CUDA devices whose streams count."""

    def __init__(self, network: nn.Module, arguments, devices: Iterable[torch.device]):
        found = [each for module in network.modules() for each in _own(vars(module))]
        own = {id(each): each for each in (*found, *_own(arguments))}
        # NumPy's global stream belongs to no generator that one could hold, so the legacy functions are the ones.
        self._accesses = [
            (torch.get_rng_state, torch.set_rng_state),
            (np.random.get_state, np.random.set_state),
            (random.getstate, random.setstate),
            *(_access(each) for each in own.values()),
            *(_of_device(device) for device in devices),
        ]

    def state(self) -> list:
        """Where all streams are."""
        return [get() for get, _ in self._accesses]

    def put(self, state: list) -> None:
        """Go on from there."""
        for (_, put), value in zip(self._accesses, state, strict=True):
            put(value)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """After the block the streams are where they were before it."""
        before = self.state()
        try:
            yield
        finally:
            self.put(before)


def _of_device(device: torch.device) -> tuple[Callable, Callable]:
    return lambda: torch.cuda.get_rng_state(device), lambda state: torch.cuda.set_rng_state(state, device)
