"""Schedules that follow temperatures leave a network alive, whatever the network, the momentum and the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from filterscope.apt.schedules import BOUNDS
from filterscope.apt.scheduling import STEERED, ScheduleSettings
from filterscope.data.samples import split_off
from filterscope.temperature import building, material, training
from filterscope.temperature.training import TrainingSettings

SETTINGS = TrainingSettings(epochs=8, batch_size=32, weight_decay=5e-5, validation=0.15, every=10, analysed=64)
CHANCE = 0.1
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    values = np.round(data.images[:500] * 15.9).astype(np.uint8)[:, None]
    names = tuple(map(str, range(10)))
    return material.prepare(split_off(values, data.target[:500].astype(np.int64), names, 0.1, 0), 0.15, 0)


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
    "convnet": lambda seed: of_the_room("convnet", seed),
}


def ended(network, digits, seed, **settings):
    schedule = ScheduleSettings(sigma=1.15, **settings)
    return training.train(network, digits, schedule, SETTINGS, seed)


def check(trained):
    """The accuracy of a training that went as it should."""
    rates = trained.steps["learning_rate"]
    assert trained.status == "finished", trained.running.held
    assert BOUNDS[0] < rates.min()
    assert rates.max() < BOUNDS[1] / 10, trained.running.held
    return trained.history["val_accuracy"].iloc[-1]


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("temperature", [3.03, 2.0])
@pytest.mark.parametrize("method", STEERED)
@pytest.mark.parametrize("name", ["with batch norm", "without"])
def test_no_seed_ends_in_nan_at_a_bound_or_at_chance(name, method, temperature, momentum, digits):
    settings = {"method": method, "initial_temperature": temperature, "momentum": momentum}
    accuracies = [check(ended(NETWORKS[name](seed), digits, seed, **settings)) for seed in SEEDS]
    assert np.mean(accuracies) > 4 * CHANCE, accuracies


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize("name", ["convnet", "resnet18", "resnet32", "resnet56", "vgg16", "pyramidnet41"])
def test_no_network_of_the_room_ends_in_nan_or_at_a_bound(name, digits):
    """With the defaults, T0 3.03 and momentum .9."""
    trained = ended(of_the_room(name, 0), digits, 0, method="actcoolr")
    assert trained.status == "finished", trained.running.held
    assert trained.steps["learning_rate"].max() < BOUNDS[1] / 10, trained.running.held


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
def test_the_published_way_stays_as_a_setting(digits):
    """It is what the guard is measured against: the same begin, and nothing holds it."""
    trained = {
        guarded: ended(small(True, 0), digits, 0, method="actcoolr", guarded=guarded) for guarded in (False, True)
    }
    assert trained[False].running.held == {}
    assert trained[True].running.held
    assert trained[False].steps["learning_rate"].max() > 2 * trained[True].steps["learning_rate"].max()
