"""The monitor measures what changed, reads 0 where nothing did, and leaves no trace (spec D1, H)."""

import itertools

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from filterscope.temperature import rectifiers
from filterscope.temperature.monitor import TemperatureMonitor
from filterscope.temperature.patterns import temperatures


def seeded(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def pictures(count=4, channels=3, side=32, seed=0):
    return torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def mlp(*activations):
    chosen = activations or (nn.ReLU(), nn.ReLU())

    def build():
        layers = itertools.chain(*((nn.Linear(8, 8), each) for each in chosen))
        return nn.Sequential(*layers, nn.Linear(8, 3))

    return seeded(build)


def vectors(count=32, seed=0):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def shake(network, amount=0.1):
    """A change of all weights."""
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(amount * torch.randn(parameter.shape, generator=chance))


def hooks(network):
    count = sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network.modules())
    return count + torch._C._len_torch_function_stack()


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
        def forward(self, inputs):
            return call(inputs)

    network = Calling()
    with TemperatureMonitor(network, activations=name) as monitor, monitor.step():
        network(vectors())
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
                pass
    again = TemperatureMonitor(network, every=3)
    again.load_state_dict(monitor.state_dict())
    with again:
        for _ in range(5):
            with again.step(batch):
                pass
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
    assert monitor.reading.positions.tolist() == [16, 16]
    assert monitor.reading.mean == 0
    assert [call.layer for call in monitor.reading.calls] == ["body.1", "body.3"]


def test_lower_precision_is_repeated():
    network, batch = seeded(lambda: torchvision.models.resnet18(num_classes=3)), pictures()
    with TemperatureMonitor(network) as monitor, monitor.step(), torch.autocast("cpu", torch.bfloat16):
        assert network(batch).dtype == torch.bfloat16
    assert monitor.reading.temperatures.tolist() == [0.0] * 17


class Stopping(nn.Module):
    """Fails in the middle of a pass."""

    def __init__(self):
        super().__init__()
        self.body, self.broken = mlp(), True

    def forward(self, inputs):
        hidden = self.body(inputs)
        if self.broken:
            raise RuntimeError("out of memory")
        return hidden


@pytest.mark.parametrize("own", [False, True])
def test_exceptions_leave_no_hook_and_the_next_step_works(own):
    network = Stopping().train()
    network.body[0].eval()
    modes = [module.training for module in network.modules()]
    with TemperatureMonitor(network) as monitor:
        with pytest.raises(RuntimeError, match="out of memory"), monitor.step(*[vectors()] * own):
            network(vectors())
        assert hooks(network) == 0
        assert modes == [module.training for module in network.modules()]
        network.broken = False
        with pytest.raises(KeyboardInterrupt), monitor.step():
            network(vectors())
            raise KeyboardInterrupt
        assert hooks(network) == 0
        with monitor.step():
            network(vectors())
    assert [reading.step for reading in monitor.history] == [0]


def poison(network):
    with torch.no_grad():
        network[2].weight[0, 0] = float("nan")


def test_nan_is_told_with_its_layer_and_step():
    network, batch = mlp(), vectors()
    monitor = TemperatureMonitor(network)
    with pytest.raises(ValueError, match=r"NaN in the activations of 3:0 at step 0"), monitor, monitor.step():
        network(batch)
        poison(network)
    with pytest.raises(ValueError, match=r"NaN in the activations of 3:0"):
        _ = monitor.reading.mean
    network = mlp()
    monitor = TemperatureMonitor(network, every=2)
    with pytest.raises(ValueError, match=r"NaN in the activations of 3:0 at step 0"), monitor:
        with monitor.step(batch):
            poison(network)
        with monitor.step(batch):
            pass
        with monitor.step(batch):
            pytest.fail("the next measurement should not have begun")


@pytest.mark.parametrize("own", [False, True])
def test_a_batch_that_changes_in_between_is_told(own):
    network, batch = mlp(), vectors()
    told = pytest.raises(ValueError, match="the batch changed between the two passes: input 0")
    with told, TemperatureMonitor(network) as monitor, monitor.step(*[batch] * own):
        network(batch)
        batch[3, 4] += 1
    assert hooks(network) == 0


def test_a_network_that_runs_another_way_in_the_second_pass_is_told():
    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.uses = 1

        def forward(self, inputs):
            for _ in range(self.uses):
                inputs = torch.relu(inputs)
            return inputs

    for first, second in ((2, 1), (1, 2)):
        network = Fickle()
        network.uses = first
        told = pytest.raises(ValueError, match="the two passes differ")
        with told, TemperatureMonitor(network) as monitor, monitor.step():
            network(vectors())
            network.uses = second

    class Cut(nn.Module):
        rows = 32

        def forward(self, inputs):
            return torch.relu(inputs[: self.rows])

    network = Cut()
    told = pytest.raises(ValueError, match=r"patterns of forward:0 are \[32")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network(vectors())
        network.rows = 8


def test_a_network_without_a_measurable_activation_is_told():
    batch = vectors()
    for own in (False, True):
        network = mlp(nn.GELU(), nn.Hardswish())
        told = pytest.raises(ValueError, match=r"no measurable activation: relu .* uses gelu, hardswish")
        with told, TemperatureMonitor(network) as monitor, monitor.step(*[batch] * own):
            network(batch)
    network = nn.Linear(8, 3)
    told = pytest.raises(ValueError, match="no measurable activation")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network(batch)


@pytest.mark.filterwarnings("ignore:.torch.jit.trace:DeprecationWarning")
def test_compiled_networks_are_measured_by_the_one_they_are_made_of():
    network, batch = mlp(), vectors()
    compiled = torch.compile(network, backend="eager")
    for hidden in (compiled, torch.jit.trace(network, batch)):
        with pytest.raises(ValueError, match="compiled or scripted, so its activations cannot be seen"):
            TemperatureMonitor(hidden)
    with TemperatureMonitor(network) as monitor, monitor.step(batch):
        compiled(batch).sum().backward()
        shake(compiled)
    assert len(monitor.reading.calls) == 2
    assert monitor.reading.mean > 0
    partly = nn.Sequential(torch.jit.trace(network, batch), nn.ReLU())
    with TemperatureMonitor(partly) as monitor, monitor.step():
        partly(batch)
    assert [call.layer for call in monitor.reading.calls] == ["1"]


def test_an_optimiser_may_pass_several_times():
    network, batch = mlp(), vectors()
    optimiser = torch.optim.LBFGS(network.parameters(), lr=0.1, max_iter=4)

    def closure():
        optimiser.zero_grad()
        value = network(batch).square().sum()
        value.backward()
        return value

    reference = mlp()
    with TemperatureMonitor(network) as monitor, monitor.step():
        optimiser.step(closure)
    with TemperatureMonitor(reference) as direct, direct.step(batch):
        reference.load_state_dict(network.state_dict())
    assert monitor.reading.same.tolist() == direct.reading.same.tolist()
    assert monitor.reading.mean > 0


def test_wrong_use_is_told():
    network = mlp()
    with pytest.raises(ValueError, match=r"activations has 'ReLU', should be of"):
        TemperatureMonitor(network, activations=["ReLU"])
    with pytest.raises(ValueError, match="activations is empty"):
        TemperatureMonitor(network, activations=[])
    for every in (0, -1, 2.5):
        with pytest.raises(ValueError, match=f"every is {every}"):
            TemperatureMonitor(network, every=every)
    with pytest.raises(ValueError, match=r"network is a function, should be a torch.nn.Module"):
        TemperatureMonitor(mlp)
    monitor = TemperatureMonitor(network)
    with pytest.raises(RuntimeError, match="own with block"), monitor.step():
        pass
    with monitor:
        with pytest.raises(RuntimeError, match="one after the other"), monitor.step(vectors()), monitor.step():
            pass
        with pytest.raises(ValueError, match="was not called within step"), monitor.step():
            pass
