"""Prototxts and caffemodels are read as Caffe reads them; what is wrong is named with its line or layer."""

import pytest

from filterscope.data.networks.caffe_format import V1_TYPES, read_caffemodel, read_prototxt
from filterscope.data.networks.settings import NetworkError

NET = """# a network of today
name: "small"  # layers { in a comment
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer {
  name: "conv{1}" type: 'Convolution' bottom: "data" top: "conv"
  param { lr_mult: 1 decay_mult: 1 }
  convolution_param {
    num_output: 4 kernel_size: 3 pad: 1
    weight_filler { type: "gaussian" std: 0.01 }
    engine: CAFFE
  }
}
layer { name: "other" type: "Own" bottom: "conv" top: "own" own_param < any: 1 more { x: [1, 2] } > }
"""
OLD = """
name: "old"
input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers {
  name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2 weight_decay: 1
  convolution_param { num_output: 4 kernel_size: 3 group: 1 bias_filler { type: "constant" value: 0 } }
}
layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" relu_param { negative_slope: 0.5 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "conv1" bottom: "label" include: { phase: TRAIN } }
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "net.prototxt").write_text(text)
        return read_prototxt(tmp_path / "net.prototxt")

    return read


def test_layers_and_settings_are_read_and_what_serves_training_is_skipped(read):
    net = read(NET)
    assert [(layer.name, layer.type) for layer in net.layer] == [
        ("data", "Input"),
        ("conv{1}", "Convolution"),
        ("other", "Own"),
    ]
    settings = net.layer[1].convolution_param
    assert (settings.num_output, list(settings.kernel_size), list(settings.pad), settings.bias_term) == (4, [3], [1], 1)
    assert list(net.layer[0].input_param.shape[0].dim) == [1, 3, 8, 8]


def test_layers_of_2014_are_brought_into_todays_form(read):
    net = read(OLD)
    assert [(layer.name, layer.type) for layer in net.layer] == [("conv1", "Convolution"), ("relu1", "ReLU")]
    assert list(net.layer[0].bottom) == ["data"]
    assert net.layer[0].convolution_param.num_output == 4
    assert net.layer[1].relu_param.negative_slope == 0.5
    assert not net.layers
    assert len(V1_TYPES.split(",")) == 40


@pytest.mark.parametrize(
    ("rules", "present"),
    [
        ("", True),
        ("include { phase: TRAIN }", False),
        ("include { phase: TEST }", True),
        ("exclude { phase: TEST }", False),
        ("exclude { phase: TRAIN }", True),
        ("include { phase: TRAIN } include { phase: TEST min_level: 0 }", True),
        ("include { min_level: 1 }", False),
        ("include { max_level: 0 }", True),
        ('include { stage: "deploy" }', False),
        ('include { not_stage: "deploy" }', True),
        ('exclude { phase: TEST stage: "deploy" }', True),
    ],
)
def test_rules_choose_the_layers_of_the_test_phase(read, rules, present):
    assert len(read(f'layer {{ name: "it" type: "ReLU" {rules} }}').layer) == present
    if 'stage: "deploy"' in rules:
        assert len(read(f'state {{ stage: "deploy" }} layer {{ name: "it" type: "ReLU" {rules} }}').layer) != present


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name: "x"\nlayer {\n  name "a"\n}', r"net\.prototxt, line 3: .*Expected"),
        ("layer {\n  name: 3\n}", r"net\.prototxt, line 2: .*Expected string"),
        ('layer { name: "a"', r"net\.prototxt, line 1: "),
        (NET.replace("pad: 1", "\npadd: 1"), r"line 9: padd is no field of ConvolutionParameter.*did you mean pad"),
        (NET.replace('top: "own"', 'topp: "own"'), r"line 13: topp is no field of LayerParameter.*did you mean top"),
        ("nme: 3", r"line 1: nme is no field of NetParameter.*did you mean name"),
        ("layer {\n pooling_param {\n pool: MEAN } }", r"line 3: .*MEAN"),
        ("layers {\n type: CONV }", r"line 2: .*CONV"),
        ("layers {\n layer { name: 'very old' } }", r"line 2: layer is no field of V1LayerParameter"),
        ("layer { name: 'a' }\nlayers { name: 'b' }", "has both layer {} and layers {}"),
    ],
)
def test_wrong_text_is_named_with_its_line(read, text, message):
    with pytest.raises(NetworkError, match=message):
        read(text)


def test_other_files_are_no_prototxts(tmp_path, write_caffemodel):
    path = write_caffemodel(tmp_path / "net.caffemodel", {"conv1": [[1.5] * 200]})
    with pytest.raises(NetworkError, match=r"net\.caffemodel: is no text, should be a prototxt"):
        read_prototxt(path)
    with pytest.raises(NetworkError, match=r"absent\.prototxt: there is no such prototxt"):
        read_prototxt(tmp_path / "absent.prototxt")


# --- caffemodels ---


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_blobs_come_with_names_shapes_and_values(tmp_path, write_caffemodel, old, double):
    path = write_caffemodel(
        tmp_path / "net", {"a": [[[0.5, -2, 3], [4, 5, 6]], [7]], "relu": [], "b": [[0]]}, old=old, double=double
    )
    blobs = read_caffemodel(path)
    assert list(blobs) == ["a", "b"]
    first, second = blobs["a"]
    assert first.dtype == "float32"
    assert (first.shape, second.shape) == (((1, 1, 2, 3), (1, 1, 1, 1)) if old else ((2, 3), (1,)))
    assert first.ravel().tolist() == [0.5, -2, 3, 4, 5, 6]
    assert second.ravel().tolist() == [7]
    assert blobs["b"][0].ravel().tolist() == [0]


def test_damaged_caffemodels_are_refused(tmp_path, write_caffemodel):
    path = write_caffemodel(tmp_path / "net.caffemodel", {"conv1": [[1.5] * 20], "conv2": [[2.5] * 30]})
    data = path.read_bytes()
    whole = read_caffemodel(path)
    first = write_caffemodel(tmp_path / "first", {"conv1": [[1.5] * 20]}).read_bytes()
    assert data.startswith(first)
    for length in set(range(len(data))) - {len(first)}:
        path.write_bytes(data[:length])
        with pytest.raises(NetworkError, match=r"net\.caffemodel: (no readable caffemodel|holds no layers)"):
            read_caffemodel(path)
    path.write_bytes(first)  # cut between two layers: what is there is right, what is missing is missed by its name
    assert list(read_caffemodel(path)) == ["conv1"]
    assert read_caffemodel(path)["conv1"][0].tolist() == whole["conv1"][0].tolist()
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(
        NetworkError, match=r"net\.caffemodel: no readable caffemodel: 22 bytes that start with b'<html"
    ):
        read_caffemodel(path)
    with pytest.raises(NetworkError, match="there is no such caffemodel"):
        read_caffemodel(tmp_path / "absent")


def test_a_blob_that_is_not_as_large_as_its_shape_is_named(tmp_path):
    # One layer "a" with a blob whose shape is [3] and whose data are two numbers.
    blob = b"\x3a\x03\x0a\x01\x03" + b"\x2a\x08" + bytes(8)
    layer = b"\x0a\x01a" + b"\x3a" + bytes([len(blob)]) + blob
    (tmp_path / "net").write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)
    with pytest.raises(NetworkError, match="layer 'a', blob 0 has 2 numbers, its shape 3 needs 3"):
        read_caffemodel(tmp_path / "net")
