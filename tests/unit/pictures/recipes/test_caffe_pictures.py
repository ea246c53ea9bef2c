"""A network read from Caffe's files draws the pictures that the same network of torch's own modules draws."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from tests.drawn_pictures import Precise, drawn
from torch import nn

from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings

SIDE = 48
UNITS = (1, 4)
RECIPES = [
    {"method": "fourier", "steps": 12},
    {"method": "octaves", "shorten": 40},
    {"method": "vital", "steps": 6, "likeness": 0},
]
TEXT = """
input: "data" input_shape { dim: 1 dim: 3 dim: 48 dim: 48 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 8 kernel_size: 3 stride: 2 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { kernel_size: 2 stride: 2 } }
NORMALISATION
layer { name: "one" type: "Convolution" bottom: "norm1" top: "one"
  convolution_param { num_output: 6 kernel_size: 1 } }
layer { name: "three" type: "Convolution" bottom: "norm1" top: "three"
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 } }
layer { name: "both" type: "Concat" bottom: "one" bottom: "three" top: "both" }
layer { name: "relu2" type: "ReLU" bottom: "both" top: "both" }
layer { name: "drop" type: "Dropout" bottom: "both" top: "both" }
layer { name: "fc" type: "InnerProduct" bottom: "both" top: "fc" inner_product_param { num_output: 5 } }
"""
NORMALISATION = 'layer { name: "norm1" type: "LRN" bottom: "pool1" top: "norm1" lrn_param { alpha: 0.5 } }'
# Maps of 23 cells: the last window of the pooling reaches beyond them, so there are 12.
SHAPES = {"conv1": (8, 3, 3, 3), "one": (6, 8, 1, 1), "three": (6, 8, 3, 3), "fc": (5, 12 * 12 * 12)}


class Both(nn.Module):
    """Two convolutions side by side."""

    def __init__(self):
        super().__init__()
        self.one, self.three = nn.Conv2d(8, 6, 1), nn.Conv2d(8, 6, 3, padding=1)

    def forward(self, maps):
        return torch.cat([self.one(maps), self.three(maps)], 1).relu()


def torchs(weights, normalised):
    """The network of torch's modules, behind a first layer that takes Caffe's input."""
    layers = [("conv1", nn.Conv2d(3, 8, 3, 2)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2, 2, ceil_mode=True))]
    layers += [("norm1", nn.LocalResponseNorm(5, 0.5))] if normalised else []
    network = nn.Sequential(
        OrderedDict([*layers, ("both", Both()), ("flat", nn.Flatten()), ("fc", nn.Linear(1728, 5))])
    )
    state = {("both." if name in ("one", "three") else "") + name: each for name, each in weights.items()}
    network.load_state_dict(
        {f"{name}.{part}": torch.tensor(each) for name, own in state.items() for part, each in own.items()}
    )
    return network


@pytest.fixture(params=range(3))
def drawn_by(request, tmp_path, write_caffemodel):
    """Caffe's network of random weights, its settings, and those weights by layer."""

    def made(normalised):
        chance = np.random.default_rng(request.param)
        weights = {}
        for name, shape in SHAPES.items():
            spread = (2 / np.prod(shape[1:])) ** 0.5 / (60 if name == "conv1" else 1)  # it sees -123 to 151
            weight = chance.normal(scale=spread, size=shape).astype(np.float32)
            weights[name] = {"weight": weight, "bias": chance.normal(scale=0.1, size=shape[0]).astype(np.float32)}
        # Torch computes the same normalisation in another order, which rounds otherwise.
        text = TEXT.replace("NORMALISATION", NORMALISATION if normalised else "")
        text = text if normalised else text.replace('"norm1"', '"pool1"')
        (tmp_path / "net.prototxt").write_text(text)
        blobs = {name: list(own.values()) for name, own in weights.items()}
        write_caffemodel(tmp_path / "net.caffemodel", blobs)
        files = {"prototxt": str(tmp_path / "net.prototxt"), "caffemodel": str(tmp_path / "net.caffemodel")}
        settings = NetworkSettings.from_mapping(
            {"source": "caffe", **files, "mean": [110, 120, 130], "input": {"resize": SIDE, "crop": SIDE}}
        )
        return building.prepare(settings, 0).eval().requires_grad_(False), settings, weights

    return made


@pytest.mark.parametrize("entry", RECIPES, ids=lambda entry: entry["method"])
def test_behind_the_same_input_pictures_are_the_same_to_the_bit(drawn_by, entry):
    caffe, settings, weights = drawn_by(normalised=False)
    reference = nn.Sequential(OrderedDict(data=caffe.data, net=torchs(weights, normalised=False)))
    found = drawn(caffe, "fc", settings.input, entry, UNITS, SIDE)
    assert torch.equal(found, drawn(reference, "net.fc", settings.input, entry, UNITS, SIDE))
    assert found.std() > 0.005  # not a grey one


@pytest.mark.parametrize("entry", RECIPES, ids=lambda entry: entry["method"])
def test_with_the_input_in_the_first_weights_pictures_are_the_same(drawn_by, entry):
    """As torchvision's networks take it: normalised, red first. In double precision, which leaves no other rounding."""
    caffe, settings, weights = drawn_by(normalised=True)
    reference = torchs(weights, normalised=True).double()
    factor, offset = caffe.data.factor.double(), caffe.data.offset.double()
    first = reference.conv1
    first.bias.data += (first.weight.data * offset[None]).sum((1, 2, 3))
    first.weight.data = (first.weight.data * factor[None]).flip(1)
    found = drawn(caffe.double(), "fc", settings.input, entry, UNITS, SIDE, Precise)
    expected = drawn(reference, "fc", settings.input, entry, UNITS, SIDE, Precise)
    assert (found - expected).abs().max() < 1e-4  # a 39th of a step of 8 bits; seen was 0
    assert found.std() > 0.005
