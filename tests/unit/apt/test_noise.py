"""Noise is no heat, and a measured network is left as its own pass leaves it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from tests.unit.apt.watched import Noise, mlp, seeded, touch, vectors
from torch import nn
from torch.nn import functional

from filterscope.apt.learning_rates import measure_range
from filterscope.apt.monitor import TemperatureMonitor

SOURCES = ("torch", "NumPy", "Python", "torch's own", "NumPy's own", "old NumPy's own", "Python's own")


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("source", SOURCES)
def test_noise_is_no_heat_and_goes_on_as_if_nobody_had_looked(source, own):
    ended = []
    for every in (1, 1000):
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002 - the stream that networks draw from
        network = seeded(lambda: Noise(source))
        with TemperatureMonitor(network, every=every) as monitor:
            for _ in range(3):
                with monitor.step(*([vectors()] if own else [])):
                    value = network(vectors()).sum()
                    touch(network)
        assert monitor.reading is None or monitor.reading.mean == 0
        assert (network.passes, network.seen) == (3, [32] * 3), "only the training's own passes count"
        ended.append(float(value.detach()))
    assert ended[0] == ended[1]


def test_noise_that_cannot_be_repeated_is_told_with_its_layers():
    network = Noise("hidden")
    told = pytest.raises(ValueError, match=r"does not do the same twice .*: body\.1:0 \(\d+\.\d% of its patterns\)")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network(vectors())
        touch(network)
    with pytest.raises(ValueError, match="does not do the same twice"):
        measure_range(Noise("hidden"), functional.cross_entropy, vectors(), torch.zeros(32, dtype=torch.long))


def test_flags_and_caches_of_a_network_are_those_of_its_own_pass():
    """A network that goes another way in every second pass, keeps what it saw, and clears it later."""

    class Alternating(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.turn, self.cache = mlp(), False, {}

        def forward(self, inputs):
            self.turn = not self.turn
            self.cache["last"] = self.state = inputs.mean()
            return self.body(inputs if self.turn else torch.relu(inputs))

    network = Alternating()
    with TemperatureMonitor(network) as monitor:
        for step in range(4):
            with monitor.step():
                network(vectors(seed=step))
                touch(network)
            assert monitor.reading.mean == 0
            assert len(monitor.reading.calls) == 2 + step % 2
            assert network.cache["last"] is network.state
            assert network.turn == (step % 2 == 0)
