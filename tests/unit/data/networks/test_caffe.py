"""A prototxt and a caffemodel become a network whose layers have Caffe's names and answer as Caffe's do."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader, list_layers
from filterscope.data.networks.settings import NetworkError, NetworkSettings

INPUT = 'name: "net" input: "data" input_shape { dim: 10 dim: 3 dim: %d dim: %d }\n'
SMALL = (
    INPUT % (8, 8)
    + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "block/1x1.b" type: "Convolution" bottom: "conv" top: "one"
  convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "train" type: "Dropout" bottom: "one" top: "one" }
layer { name: "fc" type: "InnerProduct" bottom: "one" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
)
SHAPES = {"conv": [(4, 3, 3, 3), (4,)], "block/1x1.b": [(2, 4, 1, 1), (2,)], "fc": [(5, 72), (5,)]}


def blobs(shapes=SHAPES, seed=0):
    random = np.random.default_rng(seed)
    return {name: [random.normal(size=shape, scale=0.1) for shape in each] for name, each in shapes.items()}


@pytest.fixture
def files(tmp_path, write_caffemodel):
    """Writes a prototxt and a caffemodel; returns the network's entry in the config."""

    def files(text=SMALL, weights=None, **entry):
        (tmp_path / "net.prototxt").write_text(text)
        path = write_caffemodel(tmp_path / "net.caffemodel", weights or blobs())
        inputs = {"resize": 8, "crop": 8, **entry.pop("input", {})}
        return {
            "source": "caffe",
            "prototxt": str(tmp_path / "net.prototxt"),
            "caffemodel": str(path),
            "input": inputs,
            **entry,
        }

    return files


def prepared(entry):
    settings = NetworkSettings.from_mapping(entry)
    return building.prepare(settings, seed=0), settings


def pictures(size=8, seed=1):
    return torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


# --- pictures ---


def test_pictures_are_turned_into_what_caffe_was_trained_on(files):
    text = INPUT % (8, 8) + 'layer { name: "same" type: "Dropout" bottom: "data" top: "same" }'
    weights = {"unused": [[1]]}
    images = pictures()
    expected = images.numpy()[:, ::-1].astype(np.float64) - np.array([10, 20, 30])[:, None, None]
    for inputs in ({}, {"mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 2]}):  # undone, whatever they are
        for scale in (1, 0.017):
            network, settings = prepared(files(text, weights, mean=[10, 20, 30], scale=scale, input=inputs))
            seen = network(building.normalise(images, settings.input))
            np.testing.assert_allclose(seen, scale * expected, atol=2e-4)
    network, settings = prepared(files(text, weights))
    blue = network(building.normalise(images, settings.input))[:, 0]
    np.testing.assert_allclose(blue, images[:, 2].numpy() - 104.0, atol=2e-4)
    assert not network.state_dict()


def test_the_whole_is_what_its_layers_make_of_the_picture(files):
    entry = files()
    network, settings = prepared(entry)
    images, (conv, one, fc) = (
        pictures(),
        ([torch.tensor(b, dtype=torch.float32) for b in each] for each in blobs().values()),
    )
    values = images.flip(1).float() - torch.tensor([104.0, 117, 123]).view(3, 1, 1)
    values = nn.functional.conv2d(values, *conv).relu()
    values = nn.functional.conv2d(values, *one).flatten(1) @ fc[0].T + fc[1]
    found = network(building.normalise(images, settings.input))
    torch.testing.assert_close(found, values.softmax(1))


# --- layers ---


def test_layers_have_their_caffe_names(files):
    network, _ = prepared(files())
    names = [each.layer for each in list_layers(network, 8)]
    # A dot would part a path, and train is a word of torch's.
    assert names == ["data", "conv", "relu", "block/1x1_b", "train_", "fc", "prob"]
    assert set(network.state_dict()) == {
        f"{name}.{kind}" for name in ("conv", "block/1x1_b", "fc") for kind in ("weight", "bias")
    }


def test_what_a_hook_has_seen_stays_as_it_was_although_relu_is_in_place(files):
    network, settings = prepared(files())
    images = building.normalise(pictures(), settings.input)
    seen = {}
    with torch.inference_mode():
        with Reader(network, "conv", input_size=8) as reader:
            maps = reader(images)
        for name in ("conv", "relu"):
            module = network.get_submodule(name)
            module.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output}))
        network(images)
    assert torch.equal(maps, seen["conv"])
    assert seen["conv"].lt(0).any()
    assert torch.equal(seen["relu"], seen["conv"].relu())


def test_gradients_reach_the_picture(files):
    network, settings = prepared(files())
    images = building.normalise(pictures(), settings.input).requires_grad_()
    with Reader(network, "fc", input_size=8) as reader:
        reader(images)[:, 3].sum().backward()
    assert images.grad.abs().sum() > 0


def test_blobs_are_let_go_after_their_last_use(files):
    network, _ = prepared(files())
    held = [step.done for step in network._steps]
    assert held == [("",), ("data",), (), ("conv",), (), ("one",), ("fc",)]


# --- training's layers, other ways to say the input ---

TRAIN_VAL = """
layer { name: "images" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 5 } }
layer { name: "images" type: "Data" top: "data" top: "label" include { phase: TEST } transform_param { crop_size: 8 } }
%s
layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
layer { name: "label_split" type: "Split" bottom: "label" top: "label_1" top: "label_2" }
layer { name: "weighted" type: "Own" bottom: "label" bottom: "loss" top: "weighted" }
"""


def test_what_serves_training_is_left_out(files):
    middle = SMALL.partition("\n")[2].replace('layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }', "")
    network, _ = prepared(files(TRAIN_VAL % middle))
    assert [each.layer for each in list_layers(network, 8)][-1] == "fc"
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 5)


@pytest.mark.parametrize(
    ("said", "right", "message"),
    [
        (
            "mean_value: 104 mean_value: 117 mean_value: 124",
            {"mean": [104, 117, 124]},
            r"takes off \[104.0, 117.0, 124.0\], but mean is \[104",
        ),
        ("mean_value: 128", {"mean": [128, 128, 128]}, r"takes off \[128.0, 128.0, 128.0\], but"),
        ("scale: 0.017", {"scale": 0.017}, "multiplies by 0.017, but scale is 1"),
    ],
)
def test_what_a_data_layer_does_to_pictures_must_be_what_the_config_says(files, said, right, message):
    middle = SMALL.partition("\n")[2]
    text = TRAIN_VAL.replace("crop_size: 8", f"crop_size: 8 {said}") % middle
    with pytest.raises(NetworkError, match=rf"net\.prototxt: layer 'images' {message}"):
        prepared(files(text))
    prepared(files(text, **right))


def test_a_file_of_a_mean_is_said_not_to_be_read(files, caplog):
    middle = SMALL.partition("\n")[2]
    text = TRAIN_VAL.replace("crop_size:", 'mean_file: "mean.binaryproto" crop_size:') % middle
    with caplog.at_level("WARNING", "filterscope"):
        network, _ = prepared(files(text, mean=[90, 100, 110]))
    said = r"'images' takes off the mean in mean.binaryproto, which is not read: \[90.0, 100.0, 110.0\] is taken off"
    assert len(caplog.messages) == 1
    assert re.search(said, caplog.text)
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 5)


@pytest.mark.parametrize(
    "text",
    [
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8',
        'layer { name: "picture" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }',
        'layer { name: "picture" type: "MemoryData" top: "data" top: "label" }',  # says no size: the crop's
    ],
)
def test_inputs_are_said_in_several_ways(files, text):
    whole, settings = prepared(files())
    other, _ = prepared(files(SMALL.replace(SMALL.partition("\n")[0], text)))
    images = building.normalise(pictures(), settings.input)
    assert torch.equal(whole(images), other(images))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "should have one input, the pictures, has none"),
        (INPUT % (8, 8), "has no layers of the test phase"),
        (INPUT % (8, 8) + 'layer { type: "Input" top: "more" }', "has 2: data, more"),
        (
            'input: "data" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8',
            "'data' is 1 x 1 x 8 x 8, should be batch x 3",
        ),
        ('input: "data"', "has 1 inputs and the shapes of 0"),
    ],
)
def test_a_wrong_input_is_named(files, text, message):
    with pytest.raises(NetworkError, match=rf"net\.prototxt: .*{message}"):
        prepared(files(text))


# --- weights that do not fit ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"conv": [(4, 3, 5, 5), (4,)]},
            "layer 'conv': weight is 4 x 3 x 5 x 5 in the caffemodel, the prototxt asks for 4 x 3 x 3 x 3",
        ),
        ({"fc": [(5, 72), (6,)]}, "layer 'fc': bias is 6 in the caffemodel, the prototxt asks for 5"),
        ({"fc": [(72, 5), (5,)]}, "layer 'fc': weight is 72 x 5 in the caffemodel, the prototxt asks for 5 x 72"),
        ({"fc": [(5, 72)]}, r"layer 'fc': has 1 blobs, should have 2 \(weight, bias\)"),
        ({"relu": [(1,)]}, "layer 'relu': has 1 blobs, should have none"),
        ({"fc": []}, "has no blobs of the layer 'fc'; the nearest are conv, block"),
    ],
)
def test_blobs_that_do_not_fit_name_layer_found_and_right(files, change, message):
    with pytest.raises(NetworkError, match=rf"net\.caffemodel: {message}"):
        prepared(files(weights=blobs({**SHAPES, **change})))


def test_weights_that_are_no_numbers_are_refused(files):
    with pytest.raises(NetworkError, match=r"net\.caffemodel: NaN or infinite weights in fc\.bias"):
        prepared(files(weights={**blobs(), "fc": [np.zeros((5, 72)), np.full(5, np.nan)]}))


def test_a_caffemodel_cut_between_two_layers_misses_the_next(files, tmp_path, write_caffemodel):
    entry = files()
    first = write_caffemodel(tmp_path / "first", {"conv": blobs()["conv"]}).read_bytes()
    path = tmp_path / "net.caffemodel"
    assert path.read_bytes().startswith(first)
    path.write_bytes(first)
    with pytest.raises(NetworkError, match=r"has no blobs of the layer 'block/1x1\.b'; the nearest are conv"):
        prepared(entry)


def test_further_blobs_are_left_out_and_random_weights_need_none(files):
    entry = files(weights={**blobs(), "fc_of_another": [np.ones(3)]})
    network, settings = prepared(entry)
    assert "fc_of_another.weight" not in network.state_dict()
    first, second, other = (building.initialise(settings, seed) for seed in (1, 1, 2))
    assert torch.equal(first.fc.weight, second.fc.weight)
    assert not torch.equal(first.fc.weight, other.fc.weight)
    assert not torch.equal(first.fc.weight, network.fc.weight)


def test_settings_say_what_is_missing_or_wrong(files):
    with pytest.raises(NetworkError, match="caffemodel is missing"):
        NetworkSettings("caffe", prototxt="net.prototxt")
    with pytest.raises(NetworkError, match=re.escape("mean is [1.0], should be three numbers: of blue, green and red")):
        NetworkSettings.from_mapping(files(mean=[1]))
