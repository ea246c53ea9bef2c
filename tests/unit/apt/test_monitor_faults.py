"""What goes wrong while a network is watched is told, and leaves no trace."""

from types import SimpleNamespace

import pytest
import torch
from tests.unit.apt.watched import hooks, mlp, shake, touch, vectors
from torch import nn

from filterscope.apt.monitor import TemperatureMonitor


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
            touch(network)
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
            touch(network)
        with monitor.step(batch):
            pytest.fail("the next measurement should not have begun")


@pytest.mark.parametrize("build", [mlp, lambda: nn.Sequential(nn.ReLU(inplace=True), *mlp())], ids=["mlp", "writing"])
@pytest.mark.parametrize("own", [False, True])
def test_a_batch_that_changes_in_between_is_told(build, own):
    network, batch = build(), vectors()
    told = pytest.raises(ValueError, match="the batch changed between the two passes: input 0")
    with told, TemperatureMonitor(network) as monitor, monitor.step(*[batch] * own):
        network(batch)
        batch[3, 4] += 1
        touch(network)
    assert hooks(network) == 0


def test_a_network_that_runs_another_way_in_the_second_pass_is_told():
    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))
            self.outside = SimpleNamespace(uses=1, rows=32)  # flags of the module itself are put back

        def forward(self, inputs):
            inputs = inputs[: self.outside.rows] * self.weight
            for _ in range(self.outside.uses):
                inputs = torch.relu(inputs)
            return inputs

    for first, second in ((2, 1), (1, 2)):
        network = Fickle()
        network.outside.uses = first
        told = pytest.raises(ValueError, match="the two passes differ")
        with told, TemperatureMonitor(network) as monitor, monitor.step():
            network(vectors())
            network.outside.uses = second
            touch(network)

    network = Fickle()
    told = pytest.raises(ValueError, match=r"patterns of forward:0 are \[32")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network(vectors())
        network.outside.rows = 8
        touch(network)


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
    with pytest.raises(ValueError, match="scripted, so its activations cannot be seen"):
        TemperatureMonitor(torch.jit.trace(network, batch))
    with TemperatureMonitor(network) as monitor, monitor.step(batch):
        compiled(batch).sum().backward()
        shake(compiled)
    assert len(monitor.reading.calls) == 2
    assert monitor.reading.mean > 0
    partly = nn.Sequential(torch.jit.trace(network, batch), nn.ReLU())
    with TemperatureMonitor(partly) as monitor, monitor.step():
        partly(batch)
        touch(partly)
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
            shake(network)
