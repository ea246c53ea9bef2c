"""A reading only where parameters were written: which blocks are steps."""

from __future__ import annotations

import json

import pytest
import torch
from tests.unit.apt.watched import loss_of, mlp, sgd, shake, vectors
from torch import nn
from torch.optim.optimizer import _global_optimizer_post_hooks

from filterscope.apt.actcoolr import ActCooLR
from filterscope.apt.monitor import PATIENCE, MonitorWarning, TemperatureMonitor


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
