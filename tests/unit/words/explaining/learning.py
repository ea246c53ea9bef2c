"""Small samples and quick settings from which the tests of training learn."""

from dataclasses import replace

import numpy as np
import torch

from filterscope.words.explaining.samples import ExplainerSamples
from filterscope.words.explaining.training import ExplainerSettings, train

FILTERS, DIMENSION, CLASSES = 6, 8, 4
QUICK = ExplainerSettings(epochs=6, batch_size=16, learning_rate=0.01)


def unit(rows, seed):
    vectors = torch.randn(rows, DIMENSION, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


CATEGORIES, OTHERS = unit(CLASSES, 1), unit(50, 2)


def samples(n, seed=0, noise=0.3):
    """Filter c fires for category c, the last two filters for nothing in particular."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, CLASSES, n)
    activations = chance.exponential(noise, (n, FILTERS))
    activations[np.arange(n), labels] += 1
    return ExplainerSamples(activations.astype(np.float32), np.eye(CLASSES, dtype=bool)[labels])


TRAINING, VALIDATION = samples(100), samples(40, 1)


def trained(settings=QUICK, **kwargs):
    return train(TRAINING, VALIDATION, CATEGORIES, settings, 7, **kwargs)


def same(first, second):
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


SETTINGS = {
    "adamw": QUICK,
    "dadapt_adam": replace(QUICK, optimiser="dadapt_adam", batch_size=64),
    "negatives": replace(QUICK, vocabulary_negatives=16),
    "both": replace(QUICK, optimiser="dadapt_adam", vocabulary_negatives=16, batch_norm="frozen"),
    "averaging": replace(QUICK, averaging=2.0),
    "ours": replace(QUICK, loss="softmax", power=0.5, hidden=5, vocabulary_negatives=16),
    "actcoolr": replace(
        QUICK, steering={"method": "actcoolr", "learning_rate": 0.01, "initial_temperature": 2.0}, averaging=2.0
    ),
    "one_cycle": replace(QUICK, steering={"method": "one_cycle", "learning_rate": 0.02}),
    "schedule_free": replace(QUICK, steering={"method": "schedule_free", "learning_rate": 0.02}),
}

STEERED = ("actcoolr", "one_cycle", "schedule_free")
