"""Torchvision's sets become labelled pictures, with their splits or without, or say why not."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from tests.unit.data.samples.coloured import fill

from filterscope.data.samples import torchvision_sets
from filterscope.data.samples.labelled_samples import SamplesError


def idx_file(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def kmnist(tmp_path):
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix, count in (("train", 20), ("t10k", 10)):
        for kind, array in (
            ("images-idx3", np.random.default_rng(count).integers(0, 256, (count, 28, 28))),
            ("labels-idx1", np.arange(count) % 10),
        ):
            content = idx_file(array.astype(np.uint8))
            (raw / f"{prefix}-{kind}-ubyte").write_bytes(content)
            (raw / f"{prefix}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    return tmp_path


def torchvision_set(dataset, root, size=None, arguments=None, test=0.2):
    return torchvision_sets.read_torchvision(dataset, root, size, arguments or {}, test, seed=0)


def test_a_set_with_a_train_switch(kmnist):
    samples = torchvision_set("KMNIST", kmnist)
    assert samples.shape == (1, 28, 28)
    assert len(samples.part("train")) == 20
    assert samples.part("test").labels.tolist() == list(range(10))
    assert samples.classes[0] == "o"
    assert torchvision_set("KMNIST", kmnist, size=14).shape == (1, 14, 14)


def test_sets_with_named_splits_and_without(tmp_path):
    for split, count in (("train", 3), ("val", 1)):
        folder = fill(tmp_path / "imagenette2" / split, count=count, size=(30, 20), suffix="jpeg")
        for name, synset in (("apple", "n01440764"), ("berry", "n02102040")):
            (folder / name).rename(folder / synset)
    samples = torchvision_set("Imagenette", tmp_path, size=8)
    assert samples.classes == ("tench", "English springer")
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 2]
    fill(tmp_path / "eurosat" / "2750", count=5)
    samples = torchvision_set("EuroSAT", tmp_path, test=0.4)
    assert samples.classes == ("apple", "berry")
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 4]


def test_what_torchvision_does_not_have_is_named(tmp_path, kmnist):
    with pytest.raises(SamplesError, match=r"torchvision\.datasets has no 'MNISTT'; it has .*KMNIST"):
        torchvision_set("MNISTT", tmp_path)
    with pytest.raises(SamplesError, match=r"FashionMNIST cannot be opened in .*not found"):
        torchvision_set("FashionMNIST", tmp_path)
    with pytest.raises(SamplesError, match="KMNIST has no argument 'splitt'; it has root, train"):
        torchvision_set("KMNIST", kmnist, arguments={"splitt": 1})
    fill(tmp_path / "eurosat" / "2750", count=2, size=(9, 9))
    fill(tmp_path / "eurosat" / "2750", count=1, size=(12, 9))
    with pytest.raises(SamplesError, match="pictures of mixed size need a `size`"):
        torchvision_set("EuroSAT", tmp_path)
