"""Attacks: exact on linear networks, within the box, counted in pixels, minimal, independent of the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from filterscope.diagnosis.robustness.attacks import ATTACKS, attack
from filterscope.diagnosis.robustness.bounded_attack import BoundedSettings
from filterscope.diagnosis.robustness.greedy_attack import GreedySettings
from filterscope.diagnosis.robustness.sparse_attack import SparseSettings
from filterscope.diagnosis.scaled.frozen import predicted

SETTINGS = {"greedy": {"rivals": 9}, "sparse": {"queries": 600, "patience": 60}, "bounded": {"halvings": 16}}
L0 = ("greedy", "sparse")


class Linear(nn.Module):
    """Scores W x + b of flattened images; weights [K, d]."""

    def __init__(self, weights, bias):
        super().__init__()
        self.layer = nn.Linear(*reversed(np.shape(weights)), dtype=torch.float64)
        with torch.no_grad():
            self.layer.weight.copy_(torch.as_tensor(weights, dtype=torch.float64))
            self.layer.bias.copy_(torch.as_tensor(bias, dtype=torch.float64))

    def forward(self, images):
        return self.layer(images.flatten(1).double())


def one_score(weights, bias):
    """A score w x + b that is class 1 where positive."""
    return Linear([[0.0] * len(weights), weights], [0.0, bias])


def least_pixels(network, image, label):
    """The exact least number of pixels [C, H, W] by sorted gains; None where not even all suffice."""
    weights, bias = network.layer.weight.numpy(force=True), network.layer.bias.numpy(force=True)
    x = image.reshape(-1).astype(np.float64)
    counts = []
    for rival in set(range(len(weights))) - {label}:
        slope = weights[label] - weights[rival]
        gap = slope @ x + bias[label] - bias[rival]
        gains = np.maximum(np.maximum(-slope * (1 - x), slope * x), 0).reshape(len(image), -1).sum(0)
        reached = gap - np.cumsum(np.sort(gains)[::-1])
        if (reached < 0).any():
            counts.append(int(np.argmax(reached < 0)) + 1)
    return min(counts, default=None)


def least_bound(network, image, label):
    """The exact least bound of the change of any value."""
    weights, bias = network.layer.weight.numpy(force=True), network.layer.bias.numpy(force=True)
    x, found = image.reshape(-1).astype(np.float64), []
    for rival in set(range(len(weights))) - {label}:
        slope = weights[label] - weights[rival]
        gap, room = slope @ x + bias[label] - bias[rival], np.where(slope > 0, x, 1 - x)
        low, high = 0.0, 1.0
        if gap - np.abs(slope) @ room >= 0:
            continue
        for _ in range(60):
            middle = (low + high) / 2
            won = gap - np.abs(slope) @ np.minimum(middle, room) < 0
            low, high = (low, middle) if won else (middle, high)
        found.append(high)
    return min(found, default=None)


def cnn(seed=0, classes=4):
    """A small untrained CNN for images [2, 6, 6]."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten()
        network = nn.Sequential(*layers, nn.Linear(128, classes)).double()
        network[-1].weight.data *= 8
    return network


def random_images(count, shape, seed=0):
    return np.random.default_rng(seed).random((count, *shape)).astype(np.float32)


class Double(nn.Module):
    """A network in double precision for float32 images."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images.double())


@pytest.mark.parametrize("name", L0)
@pytest.mark.parametrize(
    ("weights", "image", "bias", "pixels"),
    [((3, 2, 1), (1, 0, 0), -2, 1), ((1, 1, 1, 1), (1, 1, 1, 1), -2.5, 2)],
)
def test_known_answers_of_a_linear_score(name, weights, image, bias, pixels):
    """For a linear network the least number of pixels is known."""
    image = np.asarray(image, np.float32).reshape(1, 1, 1, -1)
    found = attack(one_score(weights, bias), image, np.array([1]), name, SETTINGS[name], seed=0)
    assert found.success.all()
    assert found.size.item() == pixels


@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=30)
def test_no_attack_beats_the_exact_answer_and_greedy_reaches_it(seed, classes, channels, side):
    chance = np.random.default_rng(seed)
    network = Linear(chance.standard_normal((classes, channels * side**2)), chance.standard_normal(classes))
    images = random_images(6, (channels, side, side), seed)
    labels = predicted(network, images)
    exact = [least_pixels(network, image, label) for image, label in zip(images, labels, strict=True)]
    whole = side**2
    for name in L0:
        few = {"sparse": {"queries": 150, "patience": 30}}
        found = attack(network, images, labels, name, few.get(name, SETTINGS[name]), seed=0)
        for size, success, least in zip(found.size, found.success, exact, strict=True):
            if least is None:
                assert not success
                assert size == whole
            elif name == "greedy":
                assert success
                assert size == least
            else:
                assert size >= least


def test_random_search_comes_near_the_exact_answer():
    chance = np.random.default_rng(1)
    network = Linear(chance.standard_normal((3, 64)), np.zeros(3))
    images = random_images(20, (1, 8, 8))
    labels = predicted(network, images)
    exact = np.array([least_pixels(network, image, label) for image, label in zip(images, labels, strict=True)])
    found = attack(network, images, labels, "sparse", {"queries": 2000, "patience": 200}, seed=0)
    assert found.success.all()
    assert np.median(found.size.numpy() / exact) <= 1.5


def test_the_bound_of_a_linear_network_is_exact():
    chance = np.random.default_rng(2)
    network = Linear(chance.standard_normal((2, 27)), np.zeros(2))
    images = random_images(20, (3, 3, 3))
    labels = predicted(network, images)
    exact = np.array([least_bound(network, image, label) for image, label in zip(images, labels, strict=True)])
    found = attack(network, images, labels, "bounded", {"halvings": 16, "largest": 1.0}, seed=0)
    assert found.success.all()
    assert found.size.numpy() == pytest.approx(exact, abs=1e-4)


def test_more_halvings_never_find_a_larger_change():
    """A descent may end well within its bound; what a smaller bound finds later can still be larger."""
    value = np.full((1, 1, 1, 1), 0.5, np.float32)
    line = one_score([1.0], -0.37)  # the least bound is .13
    for network, images in ((line, value), (Double(cnn()), random_images(24, (2, 6, 6)))):
        labels = predicted(network, images)
        settings = [{"halvings": halvings, "steps": 10} for halvings in range(12)]
        sizes = np.stack([attack(network, images, labels, "bounded", each, seed=0).size.numpy() for each in settings])
        assert (np.diff(sizes, axis=0) <= 0).all()
        assert (sizes[-1] < sizes[0]).mean() > 0.8


@pytest.mark.parametrize("name", ATTACKS)
def test_attacked_images_stay_in_the_box_change_pixels_and_change_the_class(name):
    network, images = Double(cnn()), random_images(24, (2, 6, 6))
    labels = predicted(network, images)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.train()
    found = attack(network, images, labels, name, SETTINGS[name], seed=0)
    assert network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    after = found.images.numpy()
    assert found.success.float().mean() > 0.8
    assert after.min() >= 0
    assert after.max() <= 1
    said = predicted(network, after)
    assert (said == found.classes.numpy()).all()
    assert ((said != labels) == found.success.numpy()).all()
    failed = ~found.success.numpy()
    assert (after[failed] == images[failed]).all()
    if name in L0:
        counted = (after != images).any(1).reshape(len(images), -1).sum(1)  # pixels, not channels
        assert (found.size.numpy() == np.where(failed, 36, counted)).all()
        assert (after != images).sum() > counted.sum(), "several channels of a pixel count once"
    else:
        largest = np.abs(after - images).reshape(len(images), -1).max(1)
        assert found.size.numpy() == pytest.approx(np.where(failed, 1, largest), abs=1e-7)


@pytest.mark.parametrize("name", L0)
def test_no_changed_pixel_can_be_spared(name):
    network, images = Double(cnn(3)), random_images(12, (2, 6, 6), 3)
    labels = predicted(network, images)
    found = attack(network, images, labels, name, SETTINGS[name], seed=0)
    for original, attacked, label, success in zip(images, found.images.numpy(), labels, found.success, strict=True):
        if success:
            for row, column in np.argwhere((original != attacked).any(0)):
                spared = attacked.copy()
                spared[:, row, column] = original[:, row, column]
                assert predicted(network, spared[None])[0] == label


@pytest.mark.parametrize("name", ATTACKS)
def test_a_batch_finds_what_single_images_find(name):
    network, images = Double(cnn()), random_images(10, (2, 6, 6))
    labels = predicted(network, images)
    together, alone = (attack(network, images, labels, name, SETTINGS[name], 7, batch_size=size) for size in (10, 1))
    for field in ("images", "success", "size", "classes", "queries"):
        assert torch.equal(getattr(together, field), getattr(alone, field)), field


def test_a_seed_decides():
    network, images = Double(cnn()), random_images(10, (2, 6, 6))
    labels = predicted(network, images)
    first, same, other = (attack(network, images, labels, "sparse", SETTINGS["sparse"], seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, same.images)
    assert not torch.equal(first.images, other.images)


def test_what_cannot_be_attacked_is_a_failure_that_costs_all_pixels():
    network = one_score((1.0,) * 9, 5.0)  # class 1 whatever the pixels
    images = random_images(3, (1, 3, 3))
    for name, failure in (("greedy", 9), ("sparse", 9), ("bounded", 1)):
        found = attack(network, images, np.ones(3, np.int64), name, SETTINGS[name], seed=0)
        assert not found.success.any()
        assert (found.size == failure).all()
        assert (found.images.numpy() == images).all()
        assert (found.classes == 1).all()


def test_budgets_are_kept():
    network, images = Double(cnn()), random_images(10, (2, 6, 6))
    labels = predicted(network, images)
    few = attack(network, images, labels, "greedy", {"largest": 0.03}, 0)
    assert set(few.size.tolist()) <= {1.0, 36.0}
    weak = attack(network, images, labels, "bounded", {"largest": 0.001}, 0)
    assert ((weak.images.numpy() - images).max() <= 0.001 + 1e-7).all()
    short = attack(network, images, labels, "sparse", {"queries": 3, "patience": 3}, 0)
    full = attack(network, images, labels, "sparse", SETTINGS["sparse"], 0)
    assert short.queries.max() < full.queries.max()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "deepfool"}, "attack is 'deepfool', should be one of greedy, sparse, bounded"),
        ({"labels": np.array([0, 0])}, "image 1 is not classified as its label"),
        ({"images": 2 * np.ones((2, 1, 1, 3), np.float32)}, r"pixels go from 2 to 2, should be finite and from 0 to 1"),
        ({"images": np.full((2, 1, 1, 3), np.nan, np.float32)}, r"pixels go from nan to nan"),
        ({"labels": np.array([0])}, r"labels are \[1\], should be \[2\]"),
    ],
)
def test_bad_input(change, said):
    arguments = {"images": np.array([[[[0.0, 0, 0]]], [[[1, 1, 1]]]], np.float32), "labels": np.array([0, 1])}
    arguments = {"name": "greedy", **arguments, **change}
    if "pixels" in said:
        arguments["labels"] = predicted(one_score((1, 1, 1), -1), arguments["images"])
    with pytest.raises(ValueError, match=said):
        attack(one_score((1, 1, 1), -1), settings={}, seed=0, **arguments)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (GreedySettings, {"rivals": 0}),
        (GreedySettings, {"largest": 0}),
        (SparseSettings, {"patience": 0}),
        (SparseSettings, {"exchanged": 2}),
        (BoundedSettings, {"steps": 0}),
        (BoundedSettings, {"largest": 1.5}),
    ],
)
def test_settings_out_of_range(kind, values):
    (name,) = values
    with pytest.raises(ValueError, match=name):
        kind(**values)
