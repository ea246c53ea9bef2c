"""SqueezeNet 1.1 comes in as a Caffe network would; it answers to photographs and draws as torchvision's does."""

import copy

import numpy as np
import pytest
import torch
import torchvision
from tests.drawn_pictures import Precise, drawn

from data.networks.prepare_network import prepare_network
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings

pytestmark = pytest.mark.real
DRAWN = 96  # px, of pictures
UNITS = (1, 340)  # goldfish and zebra
RECIPES = [{"method": "fourier", "steps": 24}, {"method": "octaves", "shorten": 20}]
PICTURES_PER_CLASS = 2
# Number in Caffe's names, number in torchvision's features, squeezed and expanded channels.
FIRES = [(2, 3, 16, 64), (3, 4, 16, 64), (4, 6, 32, 128), (5, 7, 32, 128)]
FIRES += [(6, 9, 48, 192), (7, 10, 48, 192), (8, 11, 64, 256), (9, 12, 64, 256)]
POOLED_BEFORE = (2, 4, 6)  # fires that follow a pooling


def convolution(name, bottom, filters, size, more=""):
    relu = name.replace("/", "/relu_") if "/" in name else f"relu_{name}"
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"\n'
        f"  convolution_param {{ num_output: {filters} kernel_size: {size} {more}\n"
        f'    weight_filler {{ type: "xavier" }} }} }}\n'
        f'layer {{ name: "{relu}" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
    )


def prototxt():
    """SqueezeNet 1.1 as its authors publish it for Caffe."""
    text = 'name: "squeezenet"\ninput: "data"\ninput_shape { dim: 10 dim: 3 dim: 227 dim: 227 }\n'
    text += convolution("conv1", "data", 64, 3, "stride: 2")
    bottom = "conv1"
    for number, _, squeezed, expanded in FIRES:
        if number in POOLED_BEFORE:
            text += f'layer {{ name: "pool{number}" type: "Pooling" bottom: "{bottom}" top: "pool{number}"\n'
            text += "  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }\n"
            bottom = f"pool{number}"
        fire = f"fire{number}"
        text += convolution(f"{fire}/squeeze1x1", bottom, squeezed, 1)
        text += convolution(f"{fire}/expand1x1", f"{fire}/squeeze1x1", expanded, 1)
        text += convolution(f"{fire}/expand3x3", f"{fire}/squeeze1x1", expanded, 3, "pad: 1")
        text += f'layer {{ name: "{fire}/concat" type: "Concat" top: "{fire}/concat"\n'
        text += f'  bottom: "{fire}/expand1x1" bottom: "{fire}/expand3x3" }}\n'
        bottom = f"{fire}/concat"
    text += 'layer { name: "drop9" type: "Dropout" bottom: "fire9/concat" top: "fire9/concat" }\n'
    text += convolution("conv10", "fire9/concat", 1000, 1)
    text += 'layer { name: "pool10" type: "Pooling" bottom: "conv10" top: "pool10"\n'
    text += "  pooling_param { pool: AVE global_pooling: true } }\n"
    return text + 'layer { name: "prob" type: "Softmax" bottom: "pool10" top: "prob" }\n'


def blobs(state, inputs):
    """The weights under Caffe's names; the first layer sees blue first and 0 to 255 instead of unit variance."""

    def both(key):
        return [state[f"{key}.weight"].numpy(), state[f"{key}.bias"].numpy()]

    weight, bias = both("features.0")
    layers = {"conv1": [(weight / (255 * np.array(inputs.std))[:, None, None])[:, ::-1], bias]}
    for number, torchs, _, _ in FIRES:
        for part in ("squeeze1x1", "expand1x1", "expand3x3"):
            layers[f"fire{number}/{part}"] = both(
                f"features.{torchs}.{part.removesuffix('1x1') if part[0] == 's' else part}"
            )
    return {**layers, "conv10": both("classifier.1")}


@pytest.fixture(scope="module")
def pictures(realdata):
    """20 photographs of 10 classes [20, 3, 224, 224] uint8."""
    folders = sorted((realdata / "imagenet" / "imagenette_val500").iterdir())
    paths = [path for folder in folders for path in sorted(folder.iterdir())[:PICTURES_PER_CLASS]]
    return torch.stack([Geometry(224, 224).picture(read_image(path)) for path in paths])


def imported(original, folder, write_caffemodel, old=False, size=224):
    """Torchvision's SqueezeNet written as Caffe's files and read again: the network and its settings."""
    usual = InputSettings()
    (folder / "deploy.prototxt").write_text(prototxt())
    write_caffemodel(folder / "net.caffemodel", blobs(original.state_dict(), usual), old=old)
    entry = {
        "source": "caffe",
        "prototxt": str(folder / "deploy.prototxt"),
        "caffemodel": str(folder / "net.caffemodel"),
        "mean": [255 * each for each in reversed(usual.mean)],
        "input": {"resize": size, "crop": size},
    }
    prepare_network(folder / "weights.pt", entry, seed=0)
    settings = building.NetworkSettings.from_mapping(entry)
    return building.load(settings, folder / "weights.pt"), settings


@pytest.fixture(scope="module")
def original(realdata):
    """Torchvision's SqueezeNet with the real weights."""
    network = torchvision.models.squeezenet1_1()
    network.load_state_dict(torch.load(realdata / "weights" / "squeezenet1_1.pth", weights_only=True))
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("old", [False, True])
def test_an_imported_squeezenet_is_torchvisions(original, pictures, tmp_path, write_caffemodel, old):
    original, usual = copy.deepcopy(original), InputSettings()
    network, settings = imported(original, tmp_path, write_caffemodel, old)
    assert sum(p.numel() for p in network.parameters()) == sum(p.numel() for p in original.parameters()) == 1_235_496
    images = building.normalise(pictures, settings.input)
    as_usual = building.normalise(pictures, usual)
    with torch.inference_mode():
        expected, found = original(as_usual).softmax(1), network(images).flatten(1)
        assert expected.max(1).values.mean() > 0.5  # of pictures that it knows
        # In single precision the original is not equal to itself: 2e-6 from its own answer in double precision, and
        # 2e-6 from its answer with channels last. In double precision six decimals can be seen.
        assert (found - expected).abs().max() < 1e-5
    original, network = original.double(), network.double()
    with torch.inference_mode():
        images, as_usual = images.double(), as_usual.double()
        expected, found = original(as_usual).softmax(1), network(images).flatten(1)
        assert (found - expected).abs().max() < 5e-7
        for caffe, torchs in (("relu_conv1", "1"), ("pool4", "5"), ("fire5/concat", "7"), ("fire9/concat", "12")):
            with (
                Reader(network, caffe, input_size=224) as ours,
                Reader(original, f"features.{torchs}", input_size=224) as theirs,
            ):
                maps = theirs(as_usual)
                assert (ours(images) - maps).abs().max() < 1e-5 * maps.max()  # the weights are rounded anew
    # What pictures are drawn by: how each of two units would change with the picture.
    slopes = []
    for each, layer, shown in ((network, "conv10", settings.input), (original, "classifier.1", usual)):
        starts = (pictures[[0, -1]].double() / 255).requires_grad_()
        mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in (shown.mean, shown.std))
        with Reader(each, layer, input_size=224) as reader:
            maps = reader((starts - mean) / std)
            slopes += torch.autograd.grad(maps[0, 0].mean() + maps[1, 701].mean(), starts)
    # Single cells of a ReLU or a pooling, which are nearly equal, may go another way by the weights' rounding.
    assert (slopes[0] - slopes[1]).norm() < 1e-3 * slopes[1].norm()


@pytest.mark.parametrize("entry", RECIPES, ids=lambda entry: entry["method"])
def test_both_draw_the_same_pictures(original, tmp_path, write_caffemodel, entry):
    """The only difference is how the first layer takes its input, which rounds otherwise; an ascent blows that up.

    Behind the same input pictures are equal to the bit. With the first weights of Caffe's file unfolded to those of
    torchvision, in double precision, they are equal in 8 bits, at least.
    """
    caffe, settings = imported(original, tmp_path, write_caffemodel, size=DRAWN)
    caffe.requires_grad_(False)
    behind = torch.nn.Sequential(caffe.data, copy.deepcopy(original))
    behind[1].features[0].weight.data = caffe.conv1.weight.data.clone()
    found = drawn(caffe, "conv10", settings.input, entry, UNITS, DRAWN)
    assert torch.equal(found, drawn(behind, "1.classifier.1", settings.input, entry, UNITS, DRAWN))
    unfolded, caffe = copy.deepcopy(original).double(), caffe.double()
    assert not caffe.data.offset.any()  # the mean is that of the settings
    unfolded.features[0].weight.data = (caffe.conv1.weight * caffe.data.factor).flip(1)
    weight = original.features[0].weight
    assert (unfolded.features[0].weight - weight).abs().max() < 1e-6 * weight.abs().max()
    found = drawn(caffe, "conv10", settings.input, entry, UNITS, DRAWN, Precise)
    expected = drawn(unfolded, "classifier.1", settings.input, entry, UNITS, DRAWN, Precise)
    print(entry["method"], (found - expected).abs().max())
    assert (found - expected).abs().max() < 1 / 255
    assert found.std() > 0.005
