"""The monitor measures what changed, reads 0 where nothing did, and leaves no trace (ActCooLR, H)."""

import numpy as np
import pytest
import torch
import torchvision
from tests.unit.apt.watched import hooks, mlp, pictures, seeded, shake, touch, vectors
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from filterscope.apt import rectifiers
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.patterns import temperatures


class Functional(nn.Module):
    """One module and three functions, one of them in place, as a method and twice in one submodule."""

    def __init__(self):
        super().__init__()
        self.first, self.inner = nn.Linear(8, 8), nn.Linear(8, 8)
        self.module = nn.ReLU(inplace=True)

    def forward(self, inputs):
        hidden = self.module(self.first(inputs))
        hidden = functional.relu(self.inner(hidden), inplace=True)
        return torch.relu(self.inner(hidden)) + self.inner(hidden).relu_()


class Noisy(nn.Module):
    """Dropout, batch norm, spectral norm: all that differs between two passes of the same weights."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, momentum=0.5), nn.ReLU(inplace=True), nn.Dropout(0.5),
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 8, 3)), nn.ReLU(), nn.Dropout2d(0.5),
            nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.RReLU(), nn.ReLU(),
        )  # fmt: skip

    def forward(self, inputs):
        return functional.dropout(self.body(inputs), 0.5, training=True).mean((2, 3))


UNCHANGED = {
    "torchvision's ResNet-18, whose blocks share a ReLU": (lambda: torchvision.models.resnet18(num_classes=3), 17),
    "torchvision's ResNet-50": (lambda: torchvision.models.resnet50(num_classes=3), 49),
    "dropout, batch norm, spectral norm": (Noisy, 3),
    "one ReLU used three times": (lambda: nn.Sequential(*[nn.Conv2d(3, 3, 3), nn.ReLU()] * 3), 3),
}


@pytest.mark.parametrize("own", [False, True], ids=["the training's pass", "the monitor's pass"])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("build", "uses"), UNCHANGED.values(), ids=UNCHANGED)
def test_an_unchanged_network_reads_exactly_zero_and_is_left_alone(build, uses, training, own):
    network, batch = seeded(build).train(training), pictures()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.0)
    reference, chance = seeded(build).train(training), torch.get_rng_state()
    reference(batch)
    state, after = reference.state_dict(), torch.get_rng_state()
    torch.set_rng_state(chance)
    with TemperatureMonitor(network) as monitor, monitor.step(*[batch] * own):
        network(batch).sum().backward()
        optimiser.step()
    assert monitor.reading.temperatures.tolist() == [0.0] * uses
    assert monitor.reading.mean == 0
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), after)
    assert {module.training for module in network.modules()} == {training}
    assert hooks(network) == 0


@pytest.mark.parametrize("own", [False, True])
def test_a_monitored_training_ends_with_the_weights_of_one_that_is_not(own):
    ended = []
    for every in (2, 1000):
        network, batch = seeded(Noisy), pictures()
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        with torch.random.fork_rng(devices=[]), TemperatureMonitor(network, every=every) as monitor:
            torch.manual_seed(1)
            for _ in range(6):
                with monitor.step(*[batch] * own):
                    optimiser.zero_grad()
                    network(batch).square().sum().backward()
                    optimiser.step()
        ended.append(network.state_dict())
    assert len(monitor.history) == 1
    assert all(torch.equal(value, ended[1][name]) for name, value in ended[0].items())


def test_shared_modules_have_calls_of_their_own():
    network = seeded(lambda: torchvision.models.resnet18(num_classes=3))
    with TemperatureMonitor(network) as monitor, monitor.step():
        network(pictures())
        touch(network)
    named = [str(call) for call in monitor.reading.calls]
    assert named[:4] == ["relu:0", "layer1.0.relu:0", "layer1.0.relu:1", "layer1.1.relu:0"]
    assert monitor.reading.positions.tolist()[:2] == [4 * 16 * 16, 4 * 8 * 8]


@pytest.mark.parametrize("own", [False, True])
def test_temperatures_equal_the_direct_computation(own):
    """Of functions, methods and modules, in place or not; measured values are the inputs computed by hand."""
    network, batch = seeded(Functional), vectors()

    def inputs():
        one = network.first(batch)
        two = network.inner(one.relu())
        three = network.inner(two.relu())
        return [one, two, three, three]

    with torch.no_grad():
        before = inputs()
    with TemperatureMonitor(network) as monitor, monitor.step(*[batch] * own):
        network(batch).sum().backward()
        shake(network)
    with torch.no_grad():
        same = [int(((one > 0) == (two > 0)).all(1).sum()) for one, two in zip(before, inputs(), strict=True)]
    assert monitor.reading.same.tolist() == same
    assert 0 < sum(same) < 4 * 32
    assert monitor.reading.mean == pytest.approx(np.mean(temperatures(np.array(same), np.array([32] * 4))))
    assert [str(call) for call in monitor.reading.calls] == ["module:0", "forward:0", "forward:1", "forward:2"]


def test_the_order_of_samples_does_not_matter():
    readings = []
    for order in (torch.arange(32), torch.randperm(32, generator=torch.Generator().manual_seed(1))):
        network = mlp()
        with TemperatureMonitor(network) as monitor, monitor.step(vectors()[order]):
            shake(network)
        readings.append(monitor.reading.same.tolist())
    assert readings[0] == readings[1]
    assert min(readings[0]) < 32


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


def test_only_every_tenth_step_is_measured_and_others_carry_no_hook():
    network, batch = mlp(), vectors()
    with TemperatureMonitor(network, every=10) as monitor:
        for step in range(25):
            assert monitor.due == (step % 10 == 0)
            with monitor.step():
                assert (hooks(network) > 0) == (step % 10 == 0)
                network(batch)
                shake(network, 0.01)
            assert (monitor.reading is not None) == (step % 10 == 0)
    assert [reading.step for reading in monitor.history] == [0, 10, 20]
    table = monitor.table()
    assert table["step"].tolist() == [0, 0, 10, 10, 20, 20]
    assert table["layer"].tolist() == ["1", "3"] * 3
    assert table["temperature"].tolist() == [each for reading in monitor.history for each in reading.temperatures]
    assert (table["temperature"] == temperatures(table["unchanged"], table["positions"])).all()


def test_the_rhythm_is_kept_over_a_restart():
    network, batch = mlp(), vectors()
    with TemperatureMonitor(network, every=3) as monitor:
        for _ in range(4):
            with monitor.step(batch):
                touch(network)
    again = TemperatureMonitor(network, every=3)
    again.load_state_dict(monitor.state_dict())
    with again:
        for _ in range(5):
            with again.step(batch):
                touch(network)
    assert [reading.step for reading in again.history] == [6]
    with pytest.raises(ValueError, match="another monitor"):
        TemperatureMonitor(network, every=4).load_state_dict(monitor.state_dict())


def test_only_the_first_pass_of_a_step_is_measured():
    """Gradients may be accumulated over batches, and checkpointed blocks pass again in the backward pass."""

    class Saving(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = mlp()

        def forward(self, inputs):
            return checkpoint(self.body, inputs, use_reentrant=False)

    network = Saving()
    with TemperatureMonitor(network) as monitor, monitor.step():
        for seed in range(3):
            network(vectors(16, seed)).sum().backward()
        touch(network)
    assert monitor.reading.positions.tolist() == [16, 16]
    assert monitor.reading.mean == 0
    assert [call.layer for call in monitor.reading.calls] == ["body.1", "body.3"]


def test_lower_precision_is_repeated():
    network, batch = seeded(lambda: torchvision.models.resnet18(num_classes=3)), pictures()
    with TemperatureMonitor(network) as monitor, monitor.step(), torch.autocast("cpu", torch.bfloat16):
        assert network(batch).dtype == torch.bfloat16
        touch(network)
    assert monitor.reading.temperatures.tolist() == [0.0] * 17


class Overwriting(nn.Module):
    """Halves its batch in place, which a second pass over the same memory would do again."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, inputs):
        return torch.relu(self.layer(inputs.mul_(0.5).relu_()))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    "build", [lambda: nn.Sequential(nn.ReLU(inplace=True), *mlp()), Overwriting], ids=["relu", "scaling"]
)
def test_a_network_may_write_into_its_batch(build, own):
    """It is measured on what it was given; afterwards the batch is what the network's one pass has made of it."""
    network, batch, plain = seeded(build), vectors(), vectors()
    with torch.no_grad():
        network(plain)
    with TemperatureMonitor(network) as monitor, monitor.step(*([batch] if own else [])):
        if own:
            assert torch.equal(batch, vectors()), "the monitor's own pass leaves nothing behind"
        network(batch)
        touch(network)
    assert monitor.reading.mean == 0
    assert torch.equal(batch, plain)
    with monitor, monitor.step(*([vectors()] if own else [])):
        network(vectors())
        shake(network)
    assert monitor.reading.mean > 0


class Counting(nn.Module):
    """Puts a new buffer in the place of the old one at every pass, and another where there was none."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("seen", None)

    def forward(self, inputs):
        self.count = self.count + 1
        self.seen = inputs.mean(0) if self.seen is None else self.seen + inputs.mean(0)
        return torch.relu(self.layer(inputs) + self.count + self.seen)


@pytest.mark.parametrize("own", [False, True])
def test_buffers_that_a_pass_replaces_are_put_back(own):
    network, batch = seeded(Counting), vectors()
    with TemperatureMonitor(network) as monitor:
        for step in range(1, 4):
            with monitor.step(*([batch] if own else [])):
                network(batch)
                touch(network)
            assert network.count == step, "only the training's own pass counts"
            torch.testing.assert_close(network.seen, step * batch.mean(0))
            assert monitor.reading.mean == 0


class Keeping(nn.Module):
    """Counts in tensors that are no buffers, in place, one of them a part of another; a view of its weights lies by."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.count = torch.zeros(2)
        self.half, self.wide = self.count[:1], self.count[1:].expand(8)
        self.seen = self.view = None

    def forward(self, inputs):
        self.view = self.layer.weight.detach()
        self.count += 1
        self.half += 1
        self.seen = inputs
        return torch.relu(self.layer(inputs) + 0.05 * (self.half + self.wide))


@pytest.mark.parametrize("own", [False, True])
def test_tensors_that_a_pass_writes_into_are_put_back(own):
    network, batch = seeded(Keeping), vectors()
    optimiser, plain = torch.optim.SGD(network.parameters(), lr=0.0), seeded(Keeping)
    with TemperatureMonitor(network) as monitor:
        for step in range(1, 4):
            with monitor.step(*([batch] if own else [])):
                network(batch).sum().backward()
                optimiser.step()
            assert network.count.tolist() == [2 * step, step], "only the training's own pass counts"
            assert network.half.data_ptr() == network.count.data_ptr()
            assert monitor.reading.mean == 0
        weight = network.layer.weight.detach().clone()
        with monitor.step(*([batch] if own else [])):
            network(batch)
            shake(network)
        assert monitor.reading.mean > 0
        assert not torch.equal(network.layer.weight, weight), "the step is not undone"
    shake(plain)
    torch.testing.assert_close(network.layer.weight, plain.layer.weight)


@pytest.mark.parametrize("own", [False, True])
def test_a_module_may_keep_the_batch_that_it_writes_into(own):
    class Halving(Overwriting):
        def forward(self, inputs):
            self.seen = inputs
            return super().forward(inputs)

    network, batch = seeded(Halving), vectors()
    with TemperatureMonitor(network) as monitor:
        for _ in range(3):
            batch.copy_(vectors())
            with monitor.step(*([batch] if own else [])):
                network(batch)
                touch(network)
            assert monitor.reading.mean == 0
            torch.testing.assert_close(batch, (vectors() / 2).relu())
