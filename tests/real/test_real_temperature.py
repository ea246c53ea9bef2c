"""Real pictures, every schedule: the 4-layer ConvNet on Fashion-MNIST, ResNet-18 on CIFAR-10, small and short."""

from __future__ import annotations

import numpy as np
import pytest

from filterscope.apt.scheduling import METHODS, ScheduleSettings
from filterscope.data.samples import sources
from filterscope.temperature import building, material, moments, training
from filterscope.temperature.building import Choice
from filterscope.temperature.training import ScheduledTrainingSettings

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning"),
]

# Mild enough for the few steps of a test; the first target temperature is ActCooLR's for Fashion-MNIST.
SCHEDULES = {
    name: ScheduleSettings(
        name,
        learning_rate=0.5 if name == "schedule_free" else 0.05,
        initial_temperature=1.25,
        exponent=1.86,
        temperature_rate=0.01,
    )
    for name in METHODS
}


@pytest.fixture(scope="module")
def fashion(labelled):
    samples = sources.read("fashion_mnist", labelled("fashion_mnist"), {"train": 3000, "test": 1000}, seed=0)
    return material.prepare(samples, 0.1, 0)


@pytest.fixture(scope="module")
def cifar10(labelled):
    samples = sources.read("cifar10", labelled("cifar10"), {"train": 150, "test": 20}, seed=0)
    return material.prepare(samples, 0.1, 0)


@pytest.mark.parametrize("method", METHODS)
def test_the_convnet_learns_fashion(fashion, method):
    settings = ScheduledTrainingSettings(epochs=3, batch_size=64, flip=True, analysed=256)
    network = building.build(Choice("convnet"), fashion.shape, 10, 0)
    trained = training.train(network, fashion, SCHEDULES[method], settings, seed=0)
    _, accuracy = training.evaluate(trained.network, fashion, fashion.test)
    assert trained.status == "finished"
    assert accuracy > 0.7
    temperatures = trained.temperatures.groupby("place")["temperature"].mean()
    assert temperatures.iloc[-1] > temperatures.iloc[0] > 0, "deeper layers are hotter (ActCooLR, A)"


@pytest.mark.parametrize("method", METHODS)
def test_resnet18_trains_on_cifar10(cifar10, method):
    settings = ScheduledTrainingSettings(epochs=1, batch_size=32, weight_decay=5e-5, every=2, analysed=32)
    network = building.build(Choice("resnet18"), cifar10.shape, 10, 0)
    trained = training.train(network, cifar10, SCHEDULES[method], settings, seed=0)
    assert trained.status == "finished"
    assert np.isfinite(trained.steps["loss"]).all()
    assert trained.temperatures.groupby("step").size().tolist() == [17, 17], "every use of a ReLU, measured twice"
    assert trained.temperatures["temperature"].gt(0).any()


def test_the_model_fits_real_pictures(fashion):
    """ActCooLR, C, notes that sigma drifts on Fashion-MNIST; at the beginning it is what it says, near 3 or below."""
    settings = ScheduledTrainingSettings(epochs=1, batch_size=64, analysed=512)
    network = building.build(Choice("convnet"), fashion.shape, 10, 0)
    _, fits = moments.analyse_moments(network, fashion, SCHEDULES["constant"], settings, [0.0, 1.0], seed=0)
    assert fits["residual"].max() < 0.06
    assert fits["sigma"].between(0.5, 3.5).all()
