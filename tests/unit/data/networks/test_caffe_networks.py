"""Published Caffe networks, written down here, have the parameters and maps that are known of them."""

import pytest
import torch

from filterscope.data.networks import caffe
from filterscope.data.networks.layers import list_layers
from filterscope.data.networks.settings import InputSettings, NetworkError, NetworkSettings
from filterscope.diagnosis.capacity.blueprint import blueprint
from filterscope.diagnosis.capacity.network_capacity import network_capacity

INPUT = 'name: "net" input: "data" input_shape { dim: 10 dim: 3 dim: %d dim: %d }\n'


# --- CaffeNet (MFV, 4.3.1) ---


def convolution(name, bottom, filters, size, more=""):
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        f"convolution_param {{ num_output: {filters} kernel_size: {size} {more} }} }}\n"
        f'layer {{ name: "relu_{name}" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
    )


def pool(name, bottom, how="MAX kernel_size: 3 stride: 2"):
    how = f"pooling_param {{ pool: {how} }}"
    return f'layer {{ name: "{name}" type: "Pooling" bottom: "{bottom}" top: "{name}" {how} }}\n'


def norm(name, bottom):
    how = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
    return f'layer {{ name: "{name}" type: "LRN" bottom: "{bottom}" top: "{name}" {how} }}\n'


def full(name, bottom, outputs):
    how = f"inner_product_param {{ num_output: {outputs} }}"
    layer = f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {how} }}\n'
    if name == "fc8":
        return layer
    layer += f'layer {{ name: "relu{name[-1]}" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
    return layer + f'layer {{ name: "drop{name[-1]}" type: "Dropout" bottom: "{name}" top: "{name}" }}\n'


CAFFENET = (
    INPUT % (227, 227)
    + convolution("conv1", "data", 96, 11, "stride: 4")
    + pool("pool1", "conv1")
    + norm("norm1", "pool1")
    + convolution("conv2", "norm1", 256, 5, "pad: 2 group: 2")
    + pool("pool2", "conv2")
    + norm("norm2", "pool2")
    + convolution("conv3", "norm2", 384, 3, "pad: 1")
    + convolution("conv4", "conv3", 384, 3, "pad: 1 group: 2")
    + convolution("conv5", "conv4", 256, 3, "pad: 1 group: 2")
    + pool("pool5", "conv5")
    + full("fc6", "pool5", 4096)
    + full("fc7", "fc6", 4096)
    + full("fc8", "fc7", 1000)
    + 'layer { name: "prob" type: "Softmax" bottom: "fc8" top: "prob" }\n'
)


def test_caffenet_has_its_parameters_maps_and_thousand_outputs(tmp_path):
    (tmp_path / "deploy.prototxt").write_text(CAFFENET)
    with torch.device("meta"):  # of sixty million weights only the shapes matter here
        network = caffe.build(tmp_path / "deploy.prototxt", size=227)
    assert sum(parameter.numel() for parameter in network.parameters()) == 60_965_224
    assert sum(buffer.numel() for name, buffer in network.named_buffers()) == 6  # the input's, which are not kept
    assert len(network.state_dict()) == 16
    assert network(torch.empty(3, 3, 227, 227, device="meta")).shape == (3, 1000)
    maps = {each.layer: (each.filters, each.height, each.width) for each in list_layers(network, 227)}
    assert maps["conv1"] == (96, 55, 55)
    assert maps["norm1"] == (96, 27, 27)
    assert maps["conv2"] == (256, 27, 27)
    assert maps["norm2"] == maps["pool2"] == (256, 13, 13)
    assert maps["conv5"] == (256, 13, 13)
    assert maps["pool5"] == (256, 6, 6)
    assert maps["fc8"] == maps["prob"] == (1000, 1, 1)
    assert caffe.input_size(tmp_path / "deploy.prototxt") == (227, 227)


def test_imported_caffenet_holds_the_bits_that_are_known(tmp_path):
    """Known answer: 252,128 bits; 34,944 of them in the first layer, whose groups are one."""
    (tmp_path / "deploy.prototxt").write_text(CAFFENET)
    settings = {"prototxt": str(tmp_path / "deploy.prototxt"), "caffemodel": "not needed"}
    network = blueprint(NetworkSettings("caffe", **settings, input=InputSettings(227, 227)))
    found = network_capacity(network, (3, 227, 227))
    held = {layer.name: layer.capacity for layer in found.layers if layer.parameters}
    assert list(held.values()) == [34944, 69984, 43264, 43264, 43264, 9216, 4096, 4096]
    assert found.bits == 252_128


def test_pictures_that_fully_connected_layers_do_not_fit_are_refused(tmp_path):
    (tmp_path / "deploy.prototxt").write_text(CAFFENET)
    message = (
        r"deploy\.prototxt: takes pictures of 227 x 227 px; pictures of 192 x 192 px do not fit: layer 'fc6': gets "
        r"6400 values a picture \(256 x 5 x 5\), has weights for 9216\. Set input\.crop to 227"
    )
    with torch.device("meta"), pytest.raises(NetworkError, match=message):
        caffe.build(tmp_path / "deploy.prototxt", size=192)


# --- VGG-16, in the format of 2014 ---


def vgg16():
    text = 'input: "data" input_dim: 10 input_dim: 3 input_dim: 224 input_dim: 224\n'
    bottom = "data"
    for block, (filters, layers) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for number in range(1, layers + 1):
            name = f"conv{block}_{number}"
            text += f'layers {{ name: "{name}" type: CONVOLUTION bottom: "{bottom}" top: "{name}" '
            text += f"convolution_param {{ num_output: {filters} pad: 1 kernel_size: 3 }} }}\n"
            text += f'layers {{ name: "relu{block}_{number}" type: RELU bottom: "{name}" top: "{name}" }}\n'
            bottom = name
        text += f'layers {{ name: "pool{block}" type: POOLING bottom: "{bottom}" top: "pool{block}" '
        text += "pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n"
        bottom = f"pool{block}"
    for number, outputs in ((6, 4096), (7, 4096), (8, 1000)):
        text += f'layers {{ name: "fc{number}" type: INNER_PRODUCT bottom: "{bottom}" top: "fc{number}" '
        text += f"inner_product_param {{ num_output: {outputs} }} }}\n"
        bottom = f"fc{number}"
        if number < 8:
            text += f'layers {{ name: "relu{number}" type: RELU bottom: "{bottom}" top: "{bottom}" }}\n'
            text += f'layers {{ name: "drop{number}" type: DROPOUT bottom: "{bottom}" top: "{bottom}" '
            text += "dropout_param { dropout_ratio: 0.5 } }\n"
    return text + 'layers { name: "prob" type: SOFTMAX bottom: "fc8" top: "prob" }\n'


def test_vgg16_in_the_old_format(tmp_path):
    (tmp_path / "deploy.prototxt").write_text(vgg16())
    with torch.device("meta"):
        network = caffe.build(tmp_path / "deploy.prototxt", size=224)
    assert sum(parameter.numel() for parameter in network.parameters()) == 138_357_544
    maps = {each.layer: (each.filters, each.height, each.width) for each in list_layers(network, 224)}
    assert maps["conv5_3"] == (512, 14, 14)
    assert maps["pool5"] == (512, 7, 7)
    assert maps["prob"] == (1000, 1, 1)


# --- GoogLeNet, as it is trained ---

# 1 x 1, before 3 x 3, 3 x 3, before 5 x 5, 5 x 5, after pooling.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def inception(number, bottom):
    ones, before3, threes, before5, fives, pooled = INCEPTIONS[number]
    name = f"inception_{number}"
    text = convolution(f"{name}/1x1", bottom, ones, 1)
    text += convolution(f"{name}/3x3_reduce", bottom, before3, 1)
    text += convolution(f"{name}/3x3", f"{name}/3x3_reduce", threes, 3, "pad: 1")
    text += convolution(f"{name}/5x5_reduce", bottom, before5, 1)
    text += convolution(f"{name}/5x5", f"{name}/5x5_reduce", fives, 5, "pad: 2")
    text += pool(f"{name}/pool", bottom, "MAX kernel_size: 3 stride: 1 pad: 1")
    text += convolution(f"{name}/pool_proj", f"{name}/pool", pooled, 1)
    bottoms = " ".join(f'bottom: "{name}/{part}"' for part in ("1x1", "3x3", "5x5", "pool_proj"))
    return text + f'layer {{ name: "{name}/output" type: "Concat" {bottoms} top: "{name}/output" }}\n'


def googlenet():
    text = 'layer { name: "data" type: "Data" top: "data" top: "label" transform_param { crop_size: 224 } }\n'
    text += convolution("conv1/7x7_s2", "data", 64, 7, "pad: 3 stride: 2")
    text += pool("pool1/3x3_s2", "conv1/7x7_s2")
    text += norm("pool1/norm1", "pool1/3x3_s2")
    text += convolution("conv2/3x3_reduce", "pool1/norm1", 64, 1)
    text += convolution("conv2/3x3", "conv2/3x3_reduce", 192, 3, "pad: 1")
    text += norm("conv2/norm2", "conv2/3x3")
    text += pool("pool2/3x3_s2", "conv2/norm2")
    bottom = "pool2/3x3_s2"
    for number in INCEPTIONS:
        text += inception(number, bottom)
        bottom = f"inception_{number}/output"
        if number in ("3b", "4e"):
            text += pool(f"pool{number[0]}", bottom)
            bottom = f"pool{number[0]}"
    text += pool("pool5/7x7_s1", bottom, "AVE kernel_size: 7 stride: 1")
    how = "inner_product_param { num_output: 1000 }"
    text += f'layer {{ name: "classifier" type: "InnerProduct" bottom: "pool5/7x7_s1" top: "classifier" {how} }}\n'
    return text + 'layer { name: "loss3" type: "SoftmaxWithLoss" bottom: "classifier" bottom: "label" top: "loss3" }\n'


def test_googlenet_as_it_is_trained(tmp_path):
    (tmp_path / "train_val.prototxt").write_text(googlenet())
    with torch.device("meta"):
        network = caffe.build(tmp_path / "train_val.prototxt", size=224)
    assert sum(parameter.numel() for parameter in network.parameters()) == 6_998_552
    maps = {each.layer: (each.filters, each.height, each.width) for each in list_layers(network, 224)}
    assert maps["inception_3a/output"] == (256, 28, 28)
    assert maps["inception_4a/output"] == (512, 14, 14)
    assert maps["inception_5b/output"] == (1024, 7, 7)
    assert maps["classifier"] == (1000, 1, 1)
    with torch.device("meta"), pytest.raises(NetworkError, match="layer 'classifier': gets 4096 values a picture"):
        caffe.build(tmp_path / "train_val.prototxt", size=256)
