"""Training loops as other people write them: several optimisers, passes and trainers, replicas, what is compiled."""

from __future__ import annotations

import pytest
import torch
from tests.unit.apt.watched import hooks, loss_of, mlp, sgd, touch, vectors
from torch import nn
from torch.nn import functional

from filterscope.apt.learning_rates import measure_range
from filterscope.apt.monitor import TemperatureMonitor


def test_two_optimisers_and_two_networks_each_have_their_own_steps():
    """As in a GAN: the discriminator steps in every block, the generator in every second."""
    generator, judge = mlp(), nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    optimisers = sgd(generator), sgd(judge)
    with TemperatureMonitor(generator) as first, TemperatureMonitor(judge) as second:
        for block in range(4):
            with first.step(), second.step():
                judge(generator(vectors()).detach()).mean().backward()
                optimisers[1].step()
                if block % 2:
                    judge(generator(vectors())).mean().backward()
                    optimisers[0].step()
    assert (first.steps, len(first.history)) == (2, 2)
    assert (second.steps, len(second.history)) == (4, 4)


def test_a_step_of_two_passes_is_measured_over_both():
    """Sharpness-aware minimisation: up the gradient, a second pass, back and down."""
    network, batch = mlp(), vectors()
    optimiser, reference = sgd(network), mlp()
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network, batch).backward()
        kept = [each.detach().clone() for each in network.parameters()]
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(parameter.grad, alpha=0.05)
        optimiser.zero_grad()
        loss_of(network, batch).backward()
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), kept, strict=True):
                parameter.copy_(value)
        optimiser.step()
    with TemperatureMonitor(reference) as direct, direct.step(batch):
        reference.load_state_dict(network.state_dict())
    assert monitor.reading.same.tolist() == direct.reading.same.tolist()


def test_an_optimiser_that_steps_within_the_backward_pass():
    network, optimisers = mlp(), {}
    for parameter in network.parameters():
        optimisers[parameter] = torch.optim.SGD([parameter], lr=0.5)
        parameter.register_post_accumulate_grad_hook(lambda each: optimisers[each].step())
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network).backward()
    assert monitor.reading.mean > 0


def test_trainers_that_call_back_may_open_and_close_the_block_themselves():
    """As Lightning does: on_train_batch_start, a closure that the optimiser calls, on_train_batch_end."""
    network = mlp()
    optimiser = sgd(network)

    def closure():
        optimiser.zero_grad()
        value = loss_of(network)
        value.backward()
        return value

    with TemperatureMonitor(network) as monitor:
        for _ in range(2):
            block = monitor.step()
            block.__enter__()
            optimiser.step(closure)
            block.__exit__(None, None, None)
    assert len(monitor.history) == 2


class Trainer(nn.Module):
    """Calls what it holds, and is never called itself."""

    def __init__(self):
        super().__init__()
        self.backbone = mlp()

    def training_step(self, batch):
        return self.backbone(batch).square().mean()


def test_a_network_whose_own_forward_is_never_called_is_told_what_was():
    trainer = Trainer()
    optimiser = sgd(trainer)
    told = pytest.raises(ValueError, match=r"was not called within step\(\).*; backbone.* was, which can be watched")
    with told, TemperatureMonitor(trainer) as monitor, monitor.step():
        trainer.training_step(vectors()).backward()
        optimiser.step()
    network = mlp()
    told = pytest.raises(ValueError, match=r"by network\(batch\) and not by its forward\(\)")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network.forward(vectors()).mean().backward()
        sgd(network).step()


def test_parameters_that_are_made_by_the_first_pass_are_told():
    network = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3))
    told = pytest.raises(ValueError, match=r"0\.weight, 0\.bias have no shape yet \(lazy modules\): let a batch pass")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        network(vectors())
    with pytest.raises(ValueError, match="lazy modules"):
        measure_range(network, functional.cross_entropy, vectors(), torch.zeros(32, dtype=torch.long))


def test_replicas_of_a_network_are_told():
    """DataParallel runs copies of the network, which share its hooks."""
    network = mlp()
    replica = network._replicate_for_data_parallel()
    told = pytest.raises(ValueError, match=r"one of a replica \(DataParallel\)")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        replica(vectors())
    one = nn.DataParallel(network)  # on a machine without GPUs it calls the network itself
    with TemperatureMonitor(one) as monitor, monitor.step():
        one(vectors())
        touch(network)
    assert monitor.reading.mean == 0


def compiled_in_place():
    network = mlp()
    network.compile(backend="eager")
    return network, network


def compiled_around():
    network = mlp()
    compiled = torch.compile(network, backend="eager")
    return compiled, compiled


def compiled_within():
    inner = torch.compile(mlp(), backend="eager")
    network = nn.Sequential(inner, nn.ReLU())
    return network, network


@pytest.mark.parametrize("build", [compiled_in_place, compiled_around, compiled_within])
@pytest.mark.parametrize("own", [False, True])
def test_compiled_networks_read_as_those_that_are_not(build, own):
    watched, called = build()
    plain = nn.Sequential(mlp(), nn.ReLU()) if build is compiled_within else mlp()
    readings = []
    for network, calling in ((plain, plain), (watched, called)):
        optimiser = sgd(network, 0.5)
        with TemperatureMonitor(network, every=2) as monitor:
            for step in range(3):
                with monitor.step(*([vectors(seed=step)] if own else [])):
                    optimiser.zero_grad()
                    loss_of(calling, vectors(seed=step)).backward()
                    optimiser.step()
        readings.append([reading.same.tolist() for reading in monitor.history])
    assert readings[0] == readings[1]
    assert hooks(plain) == 0
