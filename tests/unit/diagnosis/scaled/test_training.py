"""Training of scaled networks: learns, repeats itself, goes on after a kill, refuses what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.training import Checkpoint, train

SETTINGS = ScaledTrainingSettings(epochs=6, batch_size=16, learning_rate=0.02)


def build():
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(64, 2))


@pytest.fixture(scope="module")
def data():
    """Pictures that are brighter on their left or on their right."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 2, 80)
    images = chance.random((80, 1, 4, 4)).astype(np.float32) / 2
    for image, label in zip(images, labels, strict=True):
        image[:, :, 2 * label : 2 * label + 2] += 0.4
    return images, labels


def weights(network):
    return torch.cat([value.flatten().double() for value in network.state_dict().values()])


def test_it_learns_and_repeats_itself_and_leaves_the_global_generator_alone(data):
    before = torch.random.get_rng_state()
    network, history = train(build, *data, SETTINGS, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not network.training
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["accuracy"] > 0.9
    assert history[-1]["loss"] < history[0]["loss"]
    assert torch.equal(weights(network), weights(train(build, *data, SETTINGS, seed=1)[0]))
    assert not torch.equal(weights(network), weights(train(build, *data, SETTINGS, seed=2)[0]))


def test_a_killed_training_ends_as_an_undisturbed_one(data, tmp_path):
    whole, history = train(build, *data, SETTINGS, seed=1)
    checkpoint = Checkpoint(tmp_path / "c", "d", interval=0)

    def killing(state):
        checkpoint.save(state)
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(build, *data, SETTINGS, seed=1, save=killing)
    state = checkpoint.load()
    assert state.epoch == 3
    seen = []
    resumed, again = train(build, *data, SETTINGS, seed=1, resume=state, save=lambda each: seen.append(each.epoch))
    assert seen == [4, 5, 6]
    assert torch.equal(weights(resumed), weights(whole))
    assert again == history


def test_a_checkpoint_of_other_data_is_not_taken_up(data, tmp_path):
    checkpoint = Checkpoint.beside(tmp_path / "weights.pt", *data, SETTINGS, 1)
    checkpoint.interval = 0
    train(build, *data, SETTINGS, seed=1, save=checkpoint.save)
    assert Checkpoint.beside(tmp_path / "weights.pt", *data, SETTINGS, 1).load().epoch == 6
    assert Checkpoint.beside(tmp_path / "weights.pt", data[0] + 1, data[1], SETTINGS, 1).load() is None
    assert Checkpoint.beside(tmp_path / "weights.pt", *data, SETTINGS, 2).load() is None


def test_the_rate_rises_and_falls_to_nothing():
    rates = [SETTINGS.rate(done) for done in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.05 * 0.02)
    assert max(rates) == pytest.approx(0.02, rel=0.02)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_bad_input(data):
    with pytest.raises(ValueError, match="80 training images and 79 labels"):
        train(build, data[0], data[1][1:], SETTINGS, 0)
    with pytest.raises(ValueError, match="epoch 1: the loss is nan"):
        train(build, np.full_like(data[0], np.nan), data[1], SETTINGS, 0)
    with pytest.raises(ValueError, match="epochs is 0"):
        ScaledTrainingSettings(epochs=0)
    with pytest.raises(ValueError, match="learning_rate is 0"):
        ScaledTrainingSettings(learning_rate=0)
