"""Which networks and batches the analysis of learning rates takes, and what it says of others."""

from __future__ import annotations

from collections import UserDict

import pytest
import torch
from tests.unit.apt.watched import Noise, mlp, sgd, touch, vectors
from torch import nn
from torch.nn import functional

from filterscope.apt.learning_rates import learning_rate_range, measure_range
from filterscope.apt.monitor import TemperatureMonitor


class Named(nn.Module):
    """Takes its batch by name, as language models do."""

    def __init__(self):
        super().__init__()
        self.body = mlp()

    def forward(self, values, mask=None):
        return self.body(values if mask is None else values * mask)


FEW = (0.01, 0.1, 1.0)
CLASSES = torch.arange(32) % 3


@pytest.mark.parametrize("kind", [dict, UserDict])
def test_batches_may_be_mappings(kind):
    batch = kind(values=vectors(), mask=torch.ones(32, 1))
    found = measure_range(Named(), functional.cross_entropy, batch, CLASSES, rates=FEW, samples=[batch, batch])
    plain = measure_range(mlp(), functional.cross_entropy, vectors(), CLASSES, rates=FEW, samples=[vectors()] * 2)
    assert found.same.tolist() == plain.same.tolist()
    assert found.positions.tolist() == [64, 64]
    network = Named()
    with TemperatureMonitor(network) as monitor, monitor.step(**batch):
        touch(network)
    assert monitor.reading.mean == 0


def test_a_network_that_takes_a_dict_gets_it_in_a_tuple():
    class Taking(Named):
        def forward(self, batch):
            return self.body(batch["values"])

    batch = ({"values": vectors()},)
    found = measure_range(Taking(), functional.cross_entropy, batch, CLASSES, rates=FEW)
    assert found.positions.tolist() == [32, 32]


def test_noise_is_no_heat_of_a_learning_rate():
    network = Noise("NumPy's own")
    state = network.own["NumPy's own"].bit_generator.state
    found = measure_range(network, functional.cross_entropy, vectors(), CLASSES, rates=(1e-12, 1e-11, 1e-10))
    assert found.mean.tolist() == [0.0] * 3
    assert network.own["NumPy's own"].bit_generator.state == state
    assert (network.passes, network.seen) == (0, [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"samples": [[vectors(), CLASSES]]},
            "a batch of samples is a list of 2, should be what",
        ),
        ({"samples": vectors()}, "samples is a Tensor, should be a list of batches"),
        ({"samples": {"values": vectors()}}, "samples is a dict, should be a list of batches"),
        ({"inputs": [vectors()]}, "inputs is a list of 1"),
        ({"loss": lambda out, true: functional.cross_entropy(out, true, reduction="none")}, r"loss has shape \[32\]"),
        (
            {"optimiser": lambda network: torch.optim.LBFGS(network.parameters())},
            r"LBFGS passes batches itself \(its step\(\) needs a closure\)",
        ),
    ],
)
def test_what_cannot_be_analysed_is_told(change, told):
    network = mlp()
    given = {"loss": functional.cross_entropy, "inputs": vectors(), "targets": CLASSES, "rates": FEW} | change
    if "optimiser" in given:
        given["optimiser"] = given["optimiser"](network)
    with pytest.raises(ValueError, match=told):
        measure_range(network, **given)


@pytest.mark.parametrize("own", [False, True], ids=["without an optimiser", "with one"])
def test_a_frozen_network_cannot_be_analysed(own):
    network = mlp().requires_grad_(False)
    optimiser = sgd(network) if own else None
    with pytest.raises(ValueError, match="all parameters of the network are frozen"):
        learning_rate_range(network, functional.cross_entropy, vectors(), CLASSES, optimiser)
