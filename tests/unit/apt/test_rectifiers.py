"""Every activation is told by the pieces it is made of, however it is called."""

import pytest
import torch
from tests.unit.apt.watched import mlp, seeded, shake, touch, vectors
from torch import nn
from torch.nn import functional

from filterscope.apt import rectifiers
from filterscope.apt.monitor import TemperatureMonitor

OTHERS = {
    "leaky_relu": (nn.LeakyReLU(inplace=True), (0.0,)),
    "prelu": (nn.PReLU(), (0.0,)),
    "rrelu": (nn.RReLU(), (0.0,)),
    "relu6": (nn.ReLU6(inplace=True), (0.0, 6.0)),
    "hardtanh": (nn.Hardtanh(-0.2, 0.7), (-0.2, 0.7)),
    "hardswish": (nn.Hardswish(inplace=True), (-3.0, 3.0)),
    "hardsigmoid": (nn.Hardsigmoid(), (-3.0, 3.0)),
    "hardshrink": (nn.Hardshrink(0.3), (-0.3, 0.3)),
    "softshrink": (nn.Softshrink(0.3), (-0.3, 0.3)),
    "threshold": (nn.Threshold(0.4, 0.0), (0.4,)),
    "elu": (nn.ELU(inplace=True), (0.0,)),
    "celu": (nn.CELU(), (0.0,)),
    "selu": (nn.SELU(), (0.0,)),
    "gelu": (nn.GELU(), (0.0,)),
    "silu": (nn.SiLU(inplace=True), (0.0,)),
    "mish": (nn.Mish(), (0.0,)),
}


def test_every_other_activation_is_tried_here():
    assert {*OTHERS, "relu"} == {*rectifiers.ACTIVATIONS}


@pytest.mark.parametrize("name", OTHERS)
def test_other_activations_are_told_by_their_pieces(name):
    activation, thresholds = OTHERS[name]
    network, batch = mlp(activation), 4 * vectors()
    first = network[0]
    with torch.no_grad():
        before = first(batch)
    with TemperatureMonitor(network, activations=[name]) as monitor, monitor.step():
        network(batch)
        shake(network)
    with torch.no_grad():
        after = first(batch)
    same = torch.stack([((before > edge) == (after > edge)).all(1) for edge in thresholds]).all(0).sum()
    assert monitor.reading.same.tolist() == [int(same)]
    assert 0 < int(same) < 32
    assert monitor.reading.calls[0].activation == name


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: functional.leaky_relu_(x + 1), "leaky_relu"),
        (lambda x: functional.hardtanh(x, min_val=-1.0, max_val=2.0), "hardtanh"),
        (lambda x: functional.relu(input=x), "relu"),
        (lambda x: torch.selu(x), "selu"),
        (lambda x: x.prelu(torch.tensor(0.1)), "prelu"),
    ],
)
def test_functions_are_seen_however_they_are_called(call, name):
    class Calling(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, inputs):
            return call(inputs * self.weight)

    network = Calling()
    with TemperatureMonitor(network, activations=name) as monitor, monitor.step():
        network(vectors())
        touch(network)
    assert [str(each) for each in monitor.reading.calls] == ["forward:0"]


def test_several_kinds_of_activations_at_once():
    network = mlp(nn.ReLU(), nn.GELU(), nn.Hardswish())
    with TemperatureMonitor(network, activations=["relu", "gelu"]) as monitor, monitor.step(vectors()):
        shake(network)
    assert [call.activation for call in monitor.reading.calls] == ["relu", "gelu"]


def test_tokens_have_their_channels_last():
    layer = seeded(lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True))
    tokens = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    with TemperatureMonitor(layer, channel_axis=-1) as monitor:
        with monitor.step():
            layer(tokens)
            touch(layer)
        assert monitor.reading.temperatures.tolist() == [0.0]
        assert monitor.reading.positions.tolist() == [15]
        with monitor.step():
            layer(tokens)
            shake(layer)
    assert monitor.reading.mean > 0
