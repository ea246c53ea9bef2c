"""prepare_network writes weights that load, the same bytes every time, or nothing."""

import numpy as np
import pytest
import torch
import torchvision

from data.networks.prepare_network import prepare_network
from filterscope.data.networks import building
from filterscope.data.networks.layers import LayerError
from filterscope.data.networks.settings import NetworkError


@pytest.fixture
def checkpoint(tmp_path):
    own = torchvision.models.squeezenet1_1(num_classes=10)
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in own.state_dict().items()}},
        tmp_path / "own.pth",
    )
    return {
        "source": "checkpoint",
        "architecture": "squeezenet1_1",
        "file": str(tmp_path / "own.pth"),
        "prefix": "",
        "part": None,
        "arguments": {"num_classes": 10},
        "input": {"resize": 256, "crop": 224},
    }


def test_writes_weights_that_load(checkpoint, tmp_path):
    for name in ("first", "second"):
        prepare_network(tmp_path / name / "weights.pt", checkpoint, seed=0)
    assert (tmp_path / "first" / "weights.pt").read_bytes() == (tmp_path / "second" / "weights.pt").read_bytes()
    network = building.load(building.NetworkSettings.from_mapping(checkpoint), tmp_path / "first" / "weights.pt")
    original = torch.load(checkpoint["file"], weights_only=True)["state_dict"]
    assert torch.equal(network.features[0].weight, original["module.features.0.weight"])


def test_random_weights_come_from_the_seed(tmp_path):
    entry = {"source": "torchvision", "architecture": "squeezenet1_1", "weights": None}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        prepare_network(tmp_path / name, entry, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_writes_nothing_when_the_checkpoint_is_of_another_architecture(checkpoint, tmp_path):
    wrong = {**checkpoint, "architecture": "squeezenet1_0"}
    with pytest.raises(NetworkError, match=r"own\.pth: does not fit the network.*squeezenet1_1"):
        prepare_network(tmp_path / "results" / "weights.pt", wrong, seed=0)
    assert not (tmp_path / "results").exists()


def test_a_layer_that_is_not_there_is_told_before_anything_uses_the_network(checkpoint, tmp_path):
    prepare_network(tmp_path / "right" / "weights.pt", checkpoint, seed=0, layers=[("features", -1)])
    with pytest.raises(LayerError, match=r"features\.12"):
        prepare_network(tmp_path / "wrong" / "weights.pt", checkpoint, seed=0, layers=[("featurs.12", -1)])
    assert not (tmp_path / "wrong").exists()


@pytest.fixture
def caffe_entry(tmp_path, write_caffemodel):
    (tmp_path / "deploy.prototxt").write_text(
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 227 input_dim: 227\n'
        'layer { name: "conv/1" type: "Convolution" bottom: "data" top: "c"\n'
        "  convolution_param { num_output: 2 kernel_size: 5 stride: 4 } }\n"
    )
    weights = np.random.default_rng(0).normal(size=(2, 3, 5, 5))
    path = write_caffemodel(tmp_path / "net.caffemodel", {"conv/1": [weights, [1, 2]]})
    inputs = {"resize": 256, "crop": 227}
    return {"source": "caffe", "prototxt": str(tmp_path / "deploy.prototxt"), "caffemodel": str(path), "input": inputs}


def test_a_caffemodel_becomes_weights_that_load_without_it(caffe_entry, tmp_path):
    for name in ("first", "second"):
        prepare_network(tmp_path / name / "weights.pt", caffe_entry, seed=0)
    path = tmp_path / "first" / "weights.pt"
    assert path.read_bytes() == (tmp_path / "second" / "weights.pt").read_bytes()
    state = torch.load(path, weights_only=True)
    assert list(state) == ["conv/1.weight", "conv/1.bias"]
    assert state["conv/1.bias"].tolist() == [1, 2]
    (tmp_path / "net.caffemodel").unlink()
    network = building.load(building.NetworkSettings.from_mapping(caffe_entry), path)
    assert torch.equal(network.get_submodule("conv/1").weight, state["conv/1.weight"])


def test_writes_nothing_when_the_prototxt_does_not_fit_the_caffemodel(caffe_entry, tmp_path):
    path = tmp_path / "deploy.prototxt"
    path.write_text(path.read_text().replace("kernel_size: 5", "kernel_size: 3"))
    wrong = r"net\.caffemodel: layer 'conv/1': weight is 2 x 3 x 5 x 5 in the .*, the prototxt asks for 2 x 3 x 3 x 3"
    with pytest.raises(NetworkError, match=wrong):
        prepare_network(tmp_path / "results" / "weights.pt", caffe_entry, seed=0)
    assert not (tmp_path / "results").exists()
