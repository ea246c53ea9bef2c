"""The monitor measures what changed, reads 0 where nothing did, and leaves no trace (ActCooLR, H)."""

import numpy as np
import pytest
import torch
import torchvision
from tests.unit.apt.watched import hooks, mlp, pictures, seeded, shake, touch, vectors
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

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
@pytest.mark.parametrize(
    ("build", "uses"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.exhaustive] * ("ResNet-50" in name))
        for name, case in UNCHANGED.items()
    ],
)
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
