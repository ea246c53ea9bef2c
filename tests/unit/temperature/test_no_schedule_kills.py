"""Schedules that follow temperatures leave a network alive, whatever the network, the momentum and the seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from filterscope.apt.actcoolr import BOUNDS
from filterscope.apt.scheduling import STEERED, ScheduleSettings
from filterscope.data.samples.labelled_samples import split_off
from filterscope.temperature import building, material, networks, training
from filterscope.temperature.training import ScheduledTrainingSettings

SETTINGS = ScheduledTrainingSettings(epochs=8, batch_size=32, weight_decay=5e-5, validation=0.15, every=10, analysed=64)
LONG = replace(SETTINGS, epochs=100)
FEW = replace(SETTINGS, epochs=2, batch_size=16, every=2)
LOWEST = 1e-7  # a learning rate that moves no weight in single precision
CHANCE = 0.1
SEEDS = (0, 1, 2)
# One of every kind but the pyramidal: without shortcuts, residual with batch norm and without (Fixup).
QUICK = ("convnet", "resnet18", "resnet32_fixup")
# Temperature and momentum; `make test` has two that differ in both.
BEGINNINGS = [
    (3.03, 0.9),
    (2.0, 0.0),
    pytest.param(3.03, 0.0, marks=pytest.mark.exhaustive),
    pytest.param(2.0, 0.9, marks=pytest.mark.exhaustive),
]


@pytest.fixture(scope="module")
def digits():
    return few_digits(8, 500)


def few_digits(size: int, count: int = 200):
    """So many of the digits, every pixel repeated until they have this size."""
    data = load_digits()
    values = np.round(data.images[:count] * 15.9).astype(np.uint8)[:, None]
    values = values.repeat(size // 8, axis=2).repeat(size // 8, axis=3)
    names = tuple(map(str, range(10)))
    return material.prepare(split_off(values, data.target[:count].astype(np.int64), names, 0.1, 0), 0.15, 0)


def small(norm: bool, seed: int) -> nn.Module:
    """Two convolutions, with batch norm or without, and two linear layers: the unit that dies is the hidden one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = []
        for inputs, outputs in ((1, 8), (8, 16)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), *([nn.BatchNorm2d(outputs)] if norm else [])]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def of_the_room(name: str, seed: int) -> nn.Module:
    return building.build(building.Choice(architecture=name), (1, 8, 8), 10, seed)


NETWORKS = {
    "with batch norm": lambda seed: small(True, seed),
    "without": lambda seed: small(False, seed),
}


def ended(network, digits, seed, **settings):
    schedule = ScheduleSettings(sigma=1.15, **settings)
    return training.train(network, digits, schedule, SETTINGS, seed)


def check(trained):
    """The accuracy of a training that went as it should."""
    rates = trained.steps["learning_rate"]
    assert trained.status == "finished", trained.running.held
    assert rates.min() > LOWEST, trained.running.held
    assert rates.max() < BOUNDS[1] / 10, trained.running.held
    return trained.history["val_accuracy"].iloc[-1]


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize(("temperature", "momentum"), BEGINNINGS)
@pytest.mark.parametrize("method", STEERED)
@pytest.mark.parametrize("name", ["with batch norm", "without"])
def test_no_seed_ends_in_nan_at_a_bound_or_at_chance(name, method, temperature, momentum, digits):
    settings = {"method": method, "initial_temperature": temperature, "momentum": momentum}
    accuracies = [check(ended(NETWORKS[name](seed), digits, seed, **settings)) for seed in SEEDS]
    assert np.mean(accuracies) > 4 * CHANCE, accuracies


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.exhaustive] * (each not in QUICK)) for each in networks.NETWORKS],
)
def test_no_network_of_the_room_ends_in_nan_or_at_a_bound(name):
    """Few steps, measured often: as many chances to raise the learning rate as a long training has early on."""
    data = few_digits(max(8, networks.SMALLEST.get(name, networks.SMALLEST_ELSE)))
    for seed, temperature in ((0, 3.03), (2, 2.0))[: 1 + (name in QUICK)]:  # the hotter one alone of the large ones
        few_steps(name, data, seed, initial_temperature=temperature)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize(
    ("method", "momentum"), [("actcoolr", 0.0), ("dynamic_actcoolr", 0.9), ("dynamic_actcoolr", 0)]
)
@pytest.mark.parametrize("name", ["convnet", "resnet32", "resnet32_fixup"])
def test_no_other_schedule_ends_so_on_small_networks_of_the_room(name, method, momentum):
    """Shallow without batch norm, deep with it and deep without."""
    few_steps(name, few_digits(8), 0, method=method, momentum=momentum, initial_temperature=3.03)


def few_steps(name, data, seed, method="actcoolr", **settings):
    """Train a network of the room and check that it lives."""
    network = building.build(building.Choice(architecture=name), data.shape, 10, seed)
    check(training.train(network, data, ScheduleSettings(method, sigma=1.15, **settings), FEW, seed))
    assert all(torch.isfinite(each).all() for each in network.state_dict().values()), seed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize(
    ("temperature", "momentum"),
    [(3.03, 0.9), *(pytest.param(*each, marks=pytest.mark.exhaustive) for each in ((2.0, 0.9), (3.03, 0.0)))],
)
def test_a_network_that_knows_its_batches_by_heart_is_not_heated_until_it_dies(temperature, momentum, digits):
    """Where the loss is nearly 0 gradients vanish, so nothing changes and all reads cold, for hundreds of steps."""
    for seed in (1, 2):
        settings = {"initial_temperature": temperature, "momentum": momentum}
        network, schedule = of_the_room("convnet", seed), ScheduleSettings("actcoolr", sigma=1.15, **settings)
        trained = training.train(network, digits, schedule, LONG, seed)
        assert check(trained) > 0.9, (seed, trained.running.held)
        assert trained.running.held["fitted"] > 10


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize(("name", "settings"), [("convnet", LONG), ("resnet32_fixup", SETTINGS)])
def test_the_published_way_does_end_so(name, settings, digits):
    """What the tests above would find without a guard."""
    wrong = 0
    for seed in SEEDS:
        schedule = ScheduleSettings("actcoolr", sigma=1.15, guarded=False)
        trained = training.train(of_the_room(name, seed), digits, schedule, settings, seed)
        wrong += trained.status == "diverged" or trained.steps["learning_rate"].max() >= BOUNDS[1] / 10
    assert wrong >= 1


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
def test_the_published_way_stays_as_a_setting(digits):
    """It is what the guard is measured against: the same begin, and nothing holds it."""
    trained = {
        guarded: ended(small(True, 0), digits, 0, method="actcoolr", guarded=guarded) for guarded in (False, True)
    }
    assert trained[False].running.held == {}
    assert trained[True].running.held
    assert trained[False].steps["learning_rate"].max() > 2 * trained[True].steps["learning_rate"].max()
