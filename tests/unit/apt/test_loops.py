"""Training loops as other people write them: what is a step, and what is heat."""

from __future__ import annotations

import json
import random
from collections import UserDict

import numpy as np
import pytest
import torch
from tests.unit.apt.watched import hooks, mlp, seeded, shake, touch, vectors
from torch import nn
from torch.nn import functional
from torch.optim.optimizer import _global_optimizer_post_hooks

from filterscope.apt.actcoolr import ActCooLR
from filterscope.apt.learning_rates import learning_rate_range, measure_range
from filterscope.apt.monitor import PATIENCE, MonitorWarning, TemperatureMonitor


def sgd(network, rate=0.1):
    return torch.optim.SGD(network.parameters(), lr=rate)


def loss_of(network, batch=None):
    return network(vectors() if batch is None else batch).square().mean()


# --- a reading only where parameters were written --------------------------------------------------------


def test_gradients_that_are_accumulated_are_no_step():
    """Every second block steps: those are measured, the others are neither read nor counted."""
    network = mlp()
    optimiser, readings = sgd(network), []
    with TemperatureMonitor(network) as monitor:
        for block in range(6):
            with monitor.step():
                loss_of(network, vectors(seed=block)).backward()
                if block % 2:
                    optimiser.step()
                    optimiser.zero_grad()
            readings.append(monitor.reading is not None)
    assert readings == [False, True] * 3
    assert [reading.step for reading in monitor.history] == [0, 1, 2]
    assert (monitor.steps, monitor.blocks) == (3, 6)
    assert all(reading.mean > 0 for reading in monitor.history)
    assert not _global_optimizer_post_hooks


def test_the_rhythm_counts_steps_and_not_blocks():
    network = mlp()
    optimiser, read = sgd(network), []
    with TemperatureMonitor(network, every=2) as monitor:
        for block in range(12):
            with monitor.step():
                loss_of(network).backward()
                if block % 3 == 2:
                    optimiser.step()
            if monitor.reading is not None:
                read.append((block, monitor.reading.step))
    assert read == [(2, 0), (8, 2)]


@pytest.mark.filterwarnings("ignore:Detected call of .lr_scheduler:UserWarning")
def test_accumulation_does_not_raise_the_learning_rate():
    """The published rise of .05 to 1.07 came from blocks in which nothing was done."""
    network = mlp()
    optimiser = sgd(network, 0.05)
    rates = []
    with TemperatureMonitor(network) as monitor:
        schedule = ActCooLR(optimiser, monitor, total_steps=20, sigma=1.0, initial_temperature=0.1, guarded=False)
        for block in range(20):
            with monitor.step():
                loss_of(network).backward()
                if block % 2:
                    optimiser.step()
            if not block % 2:
                assert monitor.reading is None
            schedule.step()
            rates.append(schedule.get_last_lr()[0])
    before = [0.05, *rates]
    assert all(rates[block] == before[block] for block in range(0, 20, 2))
    assert any(rates[block] != before[block] for block in range(1, 20, 2))


def test_a_measurement_goes_no_further_than_its_aim_where_the_next_is_late():
    network = mlp()
    optimiser = sgd(network)
    schedule = ActCooLR(
        optimiser, total_steps=100, sigma=1.0, initial_temperature=2.0, every=2, interpolation="even", guarded=False
    )
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network).backward()
        optimiser.step()
    schedule.step(monitor.reading)
    rates = []
    for _ in range(5):
        schedule.step()
        rates.append(schedule.get_last_lr()[0])
    assert len(set(rates)) == 1


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_that_a_gradient_scaler_skips_is_none(fused):
    """Fused optimisers are called, count a write, and write nothing; others are not called at all."""
    network = mlp()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, fused=fused)
    scaler, read = torch.amp.GradScaler("cpu", init_scale=16.0), []
    with TemperatureMonitor(network) as monitor:
        for step in range(4):
            with monitor.step():
                optimiser.zero_grad()
                value = loss_of(network) * (float("inf") if step in (1, 2) else 1.0)
                scaler.scale(value).backward()
                scaler.step(optimiser)
                scaler.update()
            read.append(monitor.reading is not None)
    assert read == [True, False, False, True]
    assert monitor.steps == 2


@pytest.mark.parametrize("shared", [False, True], ids=["another network's", "of other layers"])
def test_a_step_that_another_optimiser_skips_is_one(shared):
    """Two optimisers under one scaler, as of a GAN or of body and head; only one has an infinite gradient."""
    network, other = mlp(), nn.Linear(8, 3)
    layers = (network[0], network[2], network[4])
    optimisers = [
        torch.optim.Adam(nn.ModuleList(layers[1:]).parameters(), lr=0.01, fused=True),
        torch.optim.Adam((layers[0] if shared else other).parameters(), lr=0.01, fused=True),
    ]
    scaler, read = torch.amp.GradScaler("cpu", init_scale=16.0), []
    with TemperatureMonitor(network, every=2) as monitor:
        for _ in range(4):
            with monitor.step():
                scaler.scale(loss_of(network) + other(vectors()).square().mean()).backward()
                (layers[0] if shared else other).weight.grad.fill_(float("inf"))
                for optimiser in optimisers:
                    scaler.step(optimiser)
                    optimiser.zero_grad()
                scaler.update()
            read.append(monitor.reading is not None)
    assert read == [True, False, True, False]
    assert monitor.steps == 4


def test_parameters_that_are_written_behind_pytorchs_back_are_seen():
    network, batch = mlp(), vectors()
    with TemperatureMonitor(network, every=2) as monitor:
        for _ in range(4):
            with monitor.step():
                loss_of(network, batch).backward()
                for parameter in network.parameters():
                    parameter.data.add_(parameter.grad, alpha=-1.0)
    assert [reading.step for reading in monitor.history] == [0, 2]
    assert monitor.history[0].mean > 0


def test_such_a_loop_goes_on_where_it_was_between_two_measurements():
    network = mlp()

    def train(monitor, blocks):
        with monitor:
            for _ in range(blocks):
                with monitor.step():
                    loss_of(network).backward()
                    for parameter in network.parameters():
                        parameter.data.add_(parameter.grad, alpha=-0.1)

    train(begun := TemperatureMonitor(network, every=10), 15)
    again = TemperatureMonitor(network, every=10)
    again.load_state_dict(json.loads(json.dumps(begun.state_dict())))
    train(again, 10)
    assert [reading.step for reading in again.history] == [20]
    assert again.steps == 25


def test_a_parameter_in_the_place_of_another_is_a_step():
    network = mlp()
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network)
        network[0].weight = nn.Parameter(-network[0].weight.detach())
    assert monitor.reading.mean > 0


@pytest.mark.parametrize("more", [False, True], ids=["removed", "added"])
def test_a_parameter_may_come_or_go_in_a_measured_block(more):
    """Layers that grow, norms that are folded, parametrizations that are removed; all others hold what they held."""
    network = mlp()
    optimiser = sgd(network, 0.0)
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network).backward()
        optimiser.step()
        if more:
            network[4].more = nn.Parameter(torch.zeros(3))
        else:
            network[4].bias = None
    assert monitor.reading.mean == 0
    assert monitor.steps == 1


def test_a_learning_rate_of_zero_is_a_step_that_changes_nothing():
    network = mlp()
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network).backward()
        sgd(network, 0.0).step()
    assert monitor.reading.temperatures.tolist() == [0.0, 0.0]


def test_frozen_networks_and_other_networks_optimisers_are_told():
    network, other = mlp().requires_grad_(False), nn.Linear(3, 1)
    optimiser = sgd(other)
    told = pytest.warns(MonitorWarning, match="no parameter of the network was written in the last 2 blocks")
    with told, TemperatureMonitor(network) as monitor:
        for _ in range(2):
            with monitor.step():
                other(network(vectors())).mean().backward()
                optimiser.step()
    assert (monitor.steps, monitor.history) == (0, [])
    told = pytest.warns(MonitorWarning, match=f"in the last {PATIENCE} blocks")
    with told, TemperatureMonitor(network) as monitor:
        touched = network[0].weight
        for _ in range(PATIENCE):
            with monitor.step():
                network(vectors(2))
        with monitor.step():
            network(vectors(2))
            touched.mul_(1)
    assert monitor.steps == 1


def test_a_partly_frozen_network_is_measured():
    network = mlp()
    network[0].requires_grad_(False)
    optimiser = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], lr=1.0)
    with TemperatureMonitor(network) as monitor, monitor.step():
        loss_of(network).backward()
        optimiser.step()
    assert monitor.reading.temperatures[0] == 0
    assert monitor.reading.temperatures[1] > 0


def test_a_block_around_the_wrong_part_of_the_loop_is_told():
    """The optimiser's step of the batch before, and then the forward pass: nothing is written after that."""
    network = mlp()
    optimiser = sgd(network)
    loss_of(network).backward()
    told = pytest.warns(MonitorWarning, match="written in the block before its forward pass and not after it")
    with told, TemperatureMonitor(network) as monitor, monitor.step():
        optimiser.step()
        loss_of(network).backward()
    assert monitor.reading is None


def test_an_empty_block_is_no_step():
    """A batch that was skipped."""
    network = mlp()
    with TemperatureMonitor(network) as monitor:
        with monitor.step():
            pass
        assert (monitor.reading, monitor.steps) == (None, 0)
        with monitor.step():
            loss_of(network)
            shake(network)
        assert monitor.reading.step == 0


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


# --- what is compiled ------------------------------------------------------------------------------------


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


# --- noise, and what a pass leaves in the network ----------------------------------------------------------


def _hidden():
    generator = np.random.default_rng(3)
    return lambda shape: generator.normal(size=shape)


class Noise(nn.Module):
    """Adds noise from somewhere, and counts its passes."""

    def __init__(self, source):
        super().__init__()
        self.body, self.source, self.passes, self.seen = mlp(), source, 0, []
        self.own = {
            "torch's own": torch.Generator().manual_seed(1),
            "NumPy's own": np.random.default_rng(1),
            "old NumPy's own": np.random.RandomState(1),
            "Python's own": [random.Random(1)],
        }
        self.hidden = _hidden()

    def forward(self, inputs):
        self.passes += 1
        self.seen.append(len(inputs))
        shape = tuple(inputs.shape)
        noise = {
            "torch": lambda: torch.randn(shape),
            "NumPy": lambda: np.random.normal(size=shape),  # noqa: NPY002 - as networks do
            "Python": lambda: np.array([[random.gauss(0, 1) for _ in range(shape[1])] for _ in range(shape[0])]),
            "torch's own": lambda: torch.randn(shape, generator=self.own["torch's own"]),
            "NumPy's own": lambda: self.own["NumPy's own"].normal(size=shape),
            "old NumPy's own": lambda: self.own["old NumPy's own"].normal(size=shape),
            "Python's own": lambda: np.array(
                [[self.own["Python's own"][0].gauss(0, 1) for _ in range(shape[1])] for _ in range(shape[0])]
            ),
            "hidden": lambda: self.hidden(shape),
        }[self.source]()
        return self.body(inputs + torch.as_tensor(noise, dtype=torch.float32))


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


# --- the analysis of learning rates --------------------------------------------------------------------------


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
