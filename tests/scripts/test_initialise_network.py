"""initialise_network writes the same network before training, from the seed."""

import pytest
import torch

from data.initialise_network import initialise_network
from data.prepare_network import prepare_network
from filterscope.data import networks
from filterscope.data.checkpoints import NetworkError

ENTRY = {"source": "torchvision", "architecture": "squeezenet1_1", "weights": None}


def test_writes_random_weights_of_the_same_network(tmp_path):
    prepare_network(tmp_path / "trained.pt", ENTRY, seed=0)
    for name, seed in (("a.pt", 0), ("b.pt", 0), ("c.pt", 1)):
        initialise_network(tmp_path / "trained.pt", tmp_path / name, ENTRY, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.pt", "b.pt", "c.pt"))
    assert a == b != c
    settings = networks.NetworkSettings.from_mapping(ENTRY)
    random, trained = (networks.load(settings, tmp_path / name) for name in ("a.pt", "trained.pt"))
    assert random.state_dict().keys() == trained.state_dict().keys()
    assert not torch.equal(random.features[0].weight, trained.features[0].weight)


def test_writes_nothing_when_the_weights_are_of_another_network(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "trained.pt")
    with pytest.raises(NetworkError, match=r"trained\.pt: does not fit the network"):
        initialise_network(tmp_path / "trained.pt", tmp_path / "weights.pt", ENTRY, seed=0)
    assert not (tmp_path / "weights.pt").exists()
