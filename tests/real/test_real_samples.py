"""Complete MNIST, Fashion-MNIST and CIFAR-10, read as they are laid out by their publishers."""

from __future__ import annotations

import numpy as np
import pytest

from data.samples.prepare_samples import prepare_samples
from filterscope.data.samples import cifar, idx, sources
from filterscope.data.samples.labelled_samples import read_samples

pytestmark = [pytest.mark.real, pytest.mark.slow]

EVERYTHING = {"train": None, "test": None}
# Training pictures of each class where they are not equally many.
DIGITS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_complete_idx_sets(labelled, name):
    samples = sources.read(name, labelled(name), EVERYTHING, seed=0)
    assert samples.shape == (1, 28, 28)
    assert samples.classes == (idx.DIGITS if name == "mnist" else idx.FASHION)
    train, test = samples.part("train"), samples.part("test")
    assert (len(train), len(test)) == (60_000, 10_000)
    expected = DIGITS if name == "mnist" else [6000] * 10
    assert np.bincount(train.labels).tolist() == expected
    assert train.values.mean() / 255 == pytest.approx(0.1307 if name == "mnist" else 0.2860, abs=5e-5)


def test_complete_cifar10_and_its_table(labelled, tmp_path):
    folder = labelled("cifar10")
    path = tmp_path / "samples.parquet"
    prepare_samples(path, {"source": "cifar10", "limit": EVERYTHING}, 0, "cifar10", folder)
    samples = read_samples(path)
    assert samples.shape == (3, 32, 32)
    assert samples.classes == cifar.CLASSES
    train, test = samples.part("train"), samples.part("test")
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    means = train.values.mean(axis=(0, 2, 3)) / 255
    assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=5e-5)
    assert train.labels[:5].tolist() == [6, 9, 9, 4, 1], "the official order: frog, truck, truck, deer, automobile"
    assert path.stat().st_size < 1.1 * samples.values.nbytes


def test_a_slice_of_a_complete_set_is_balanced(labelled):
    samples = sources.read("fashion_mnist", labelled("fashion_mnist"), {"train": 500, "test": 100}, seed=0)
    assert np.bincount(samples.part("train").labels).tolist() == [50] * 10
    assert np.bincount(samples.part("test").labels).tolist() == [10] * 10
