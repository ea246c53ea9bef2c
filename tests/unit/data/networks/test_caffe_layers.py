"""Every Caffe layer computes what Caffe does: each against an independent computation of it."""

import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st

from filterscope.data.networks import caffe
from filterscope.data.networks.caffe_modules import pooled_size
from filterscope.data.networks.settings import NetworkError

PLAIN = caffe.CaffeInput(mean=(0, 0, 0), scale=1 / 255)  # only red and blue change places
HEAD = 'input: "data" input_dim: 1 input_dim: 3 input_dim: %d input_dim: %d\n'


@pytest.fixture
def answers(tmp_path, write_caffemodel):
    """What a network of one or more layers makes of two pictures, and its input as Caffe sees it."""

    def answers(layers, blobs=None, height=9, width=8, old=False, double=False):
        (tmp_path / "net.prototxt").write_text(HEAD % (height, width) + layers)
        network = caffe.build(tmp_path / "net.prototxt", PLAIN)
        write_caffemodel(tmp_path / "net.caffemodel", blobs or {"none": [np.ones(1)]}, old=old, double=double)
        network.load_state_dict(
            caffe.read_weights(tmp_path / "net.prototxt", tmp_path / "net.caffemodel"), strict=False
        )
        images = np.random.default_rng(1).normal(size=(2, 3, height, width)).astype(np.float32)
        with torch.inference_mode():
            return images[:, ::-1].astype(float), network.eval()(torch.from_numpy(images)).numpy()

    return answers


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def layer(kind, parameters="", name="it", bottom='bottom: "data"'):
    return f'layer {{ name: "{name}" type: "{kind}" {bottom} top: "{name}" {parameters} }}\n'


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def convolved(data, weights, bias, stride=(1, 1), pad=(0, 0), dilation=(1, 1), groups=1):
    filters, of_group, height, width = weights.shape
    data = np.pad(data, ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    kernels = np.zeros((filters, of_group, (height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1))
    kernels[:, :, :: dilation[0], :: dilation[1]] = weights
    maps = []
    for number, kernel in enumerate(kernels):
        first = number // (filters // groups) * of_group
        seen = data[:, first : first + of_group]
        each = [scipy.signal.correlate(image, kernel, mode="valid")[0] for image in seen]
        maps.append(np.stack(each)[:, :: stride[0], :: stride[1]] + bias[number])
    return np.stack(maps, 1)


@pytest.mark.parametrize(
    ("parameters", "shape", "how"),
    [
        ("kernel_size: 3", (4, 3, 3, 3), {}),
        ("kernel_size: 3 stride: 2 pad: 1", (4, 3, 3, 3), {"stride": (2, 2), "pad": (1, 1)}),
        (
            "kernel_h: 3 kernel_w: 1 stride_w: 2 stride_h: 1 pad_h: 2 pad_w: 0",
            (4, 3, 3, 1),
            {"stride": (1, 2), "pad": (2, 0)},
        ),
        ("kernel_size: 2 kernel_size: 3 dilation: 2", (4, 3, 2, 3), {"dilation": (2, 2)}),
        ("kernel_size: 3 dilation: 3 dilation: 1 pad: 1 pad: 2", (4, 3, 3, 3), {"dilation": (3, 1), "pad": (1, 2)}),
        ("kernel_size: 3 group: 3", (6, 1, 3, 3), {"groups": 3}),
    ],
)
def test_convolution(answers, parameters, shape, how):
    blobs = [numbers(*shape), numbers(shape[0], seed=2)]
    settings = f"convolution_param {{ num_output: {shape[0]} {parameters} }}"
    data, found = answers(layer("Convolution", settings), {"it": blobs})
    close(found, convolved(data, *blobs, **how))


def test_convolution_in_groups_of_several_channels_without_bias(answers):
    first, second = numbers(4, 3, 1, 1), numbers(6, 2, 3, 3, seed=2)
    layers = layer("Convolution", "convolution_param { num_output: 4 kernel_size: 1 bias_term: false }", "a")
    layers += layer(
        "Convolution",
        "convolution_param { num_output: 6 kernel_size: 3 group: 2 bias_term: false }",
        "b",
        'bottom: "a"',
    )
    data, found = answers(layers, {"a": [first], "b": [second]})
    close(found, convolved(convolved(data, first, np.zeros(4)), second, np.zeros(6), groups=2))


# --- pooling ---


@given(
    size=st.integers(1, 40), kernel=st.integers(1, 9), stride=st.integers(1, 9), pad=st.integers(0, 8), data=st.data()
)
def test_as_many_windows_as_cover_the_map_and_none_that_only_sees_padding(size, kernel, stride, pad, data):
    pad = min(pad, kernel - 1)
    if size + 2 * pad < kernel:
        return
    starts = [-pad]
    while starts[-1] + kernel < size + pad:  # rounded up: until a window reaches the end
        starts.append(starts[-1] + stride)
    clipped = starts[:-1] if pad and starts[-1] >= size else starts
    assert pooled_size(size, kernel, stride, pad, clip=pad > 0) == len(clipped)
    whole = list(range(-pad, size + pad - kernel + 1, stride))
    if not pad or whole[-1] < size:
        assert pooled_size(size, kernel, stride, pad, clip=pad > 0, ceil=False) == len(whole)


def pooled(data, average, kernel, stride, pad, ceil=True):
    """Caffe's loops over windows, as its documentation and its CPU code describe them."""
    shape = data.shape[2:]
    rounded = math.ceil if ceil else math.floor
    counts = [rounded((n + 2 * p - k) / s) + 1 for n, k, s, p in zip(shape, kernel, stride, pad, strict=True)]
    if any(pad):
        counts = [c - ((c - 1) * s >= n + p) for c, n, s, p in zip(counts, shape, stride, pad, strict=True)]
    result = np.zeros((*data.shape[:2], *counts))
    for y in range(counts[0]):
        for x in range(counts[1]):
            top, left = y * stride[0] - pad[0], x * stride[1] - pad[1]
            bottom, right = min(top + kernel[0], shape[0] + pad[0]), min(left + kernel[1], shape[1] + pad[1])
            area = (bottom - top) * (right - left)
            window = data[:, :, max(top, 0) : min(bottom, shape[0]), max(left, 0) : min(right, shape[1])]
            result[:, :, y, x] = window.sum((2, 3)) / area if average else window.max((2, 3))
    return result


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize(
    ("parameters", "kernel", "stride", "pad"),
    [
        ("kernel_size: 3 stride: 2", (3, 3), (2, 2), (0, 0)),
        ("kernel_size: 2 stride: 3 pad: 1", (2, 2), (3, 3), (1, 1)),
        ("kernel_size: 3 stride: 2 pad: 2", (3, 3), (2, 2), (2, 2)),  # more padding than torch's pooling allows
        ("kernel_size: 5 stride: 4 pad: 1", (5, 5), (4, 4), (1, 1)),
        ("kernel_h: 4 kernel_w: 3 stride_h: 3 stride_w: 2 pad_h: 1 pad_w: 0", (4, 3), (3, 2), (1, 0)),
        ("kernel_size: 3", (3, 3), (1, 1), (0, 0)),
        ("kernel_size: 15 stride: 9", (15, 15), (9, 9), (0, 0)),  # larger than the map
    ],
)
@pytest.mark.parametrize("size", [(9, 8), (12, 13), (7, 11)])
def test_pooling(answers, average, parameters, kernel, stride, pad, size):
    settings = f"pooling_param {{ pool: {'AVE' if average else 'MAX'} {parameters} }}"
    data, found = answers(layer("Pooling", settings), height=size[0], width=size[1])
    close(found, pooled(data, average, kernel, stride, pad))


def test_pooling_rounded_down_and_of_whole_maps(answers):
    data, found = answers(layer("Pooling", "pooling_param { pool: AVE kernel_size: 2 stride: 4 round_mode: FLOOR }"))
    assert found.shape[2:] == (2, 2)  # one cell is left out, below and on the right
    close(found, pooled(data, True, (2, 2), (4, 4), (0, 0), ceil=False))
    for pool, expected in (("AVE", data.mean((2, 3))), ("MAX", data.max((2, 3)))):
        _, found = answers(layer("Pooling", f"pooling_param {{ pool: {pool} global_pooling: true }}"))
        assert found.shape == (2, 3, 1, 1)
        close(found[:, :, 0, 0], expected)


def test_a_window_behind_the_map_is_refused(answers):
    with pytest.raises(NetworkError, match="layer 'it': the last window of 1 x 1 starts behind the map of 9 x 8"):
        answers(layer("Pooling", "pooling_param { kernel_size: 1 stride: 6 }"))


# --- the others ---


@pytest.mark.parametrize("size", [3, 5])
def test_local_response_normalisation_across_channels(answers, size):
    weights = numbers(7, 3, 1, 1)
    layers = layer("Convolution", "convolution_param { num_output: 7 kernel_size: 1 bias_term: false }", "a")
    layers += layer("LRN", f"lrn_param {{ local_size: {size} alpha: 0.7 beta: 0.6 k: 2 }}", "b", 'bottom: "a"')
    data, found = answers(layers, {"a": [weights]})
    maps = convolved(data, weights, np.zeros(7))
    mean = scipy.ndimage.uniform_filter1d(maps**2, size, axis=1, mode="constant")
    close(found, maps / (2 + 0.7 * mean) ** 0.6)


def test_local_response_normalisation_within_channels(answers):
    settings = "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 norm_region: WITHIN_CHANNEL }"
    data, found = answers(layer("LRN", settings))
    mean = scipy.ndimage.uniform_filter(data**2, (1, 1, 3, 3), mode="constant")
    close(found, data / (1 + 0.7 * mean) ** 0.6)


@pytest.mark.parametrize(("old", "double"), [(False, False), (True, False), (False, True)])
def test_inner_product(answers, old, double):
    weights, bias = numbers(5, 3 * 9 * 8), numbers(5, seed=2)
    settings = "inner_product_param { num_output: 5 }"
    data, found = answers(layer("InnerProduct", settings), {"it": [weights, bias]}, old=old, double=double)
    close(found, data.reshape(2, -1) @ weights.T + bias)
    settings = "inner_product_param { num_output: 5 transpose: true bias_term: false }"
    _, found = answers(layer("InnerProduct", settings), {"it": [weights.T]}, old=old, double=double)
    close(found, data.reshape(2, -1) @ weights.T)


@pytest.mark.parametrize(
    ("kind", "parameters", "expected"),
    [
        ("ReLU", "", lambda x: x.clip(0)),
        ("ReLU", "relu_param { negative_slope: 0.25 }", lambda x: np.where(x > 0, x, 0.25 * x)),
        ("Dropout", "dropout_param { dropout_ratio: 0.9 }", lambda x: x),
        ("Softmax", "", lambda x: scipy.special.softmax(x, 1)),
        ("Sigmoid", "", scipy.special.expit),
        ("TanH", "", np.tanh),
        ("Flatten", "", lambda x: x.reshape(2, -1)),
    ],
)
def test_layers_without_weights(answers, kind, parameters, expected):
    data, found = answers(layer(kind, parameters))
    close(found, expected(data))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", lambda a, b: a + b),
        ("eltwise_param { operation: SUM coeff: 2 coeff: -0.5 }", lambda a, b: 2 * a - 0.5 * b),
        ("eltwise_param { operation: PROD }", lambda a, b: a * b),
        ("eltwise_param { operation: MAX }", np.maximum),
    ],
)
def test_eltwise(answers, parameters, expected):
    layers = layer("Sigmoid", name="b") + layer("Eltwise", parameters, bottom='bottom: "data" bottom: "b"')
    data, found = answers(layers)
    close(found, expected(data, scipy.special.expit(data)))


@pytest.mark.parametrize("parameters", ["", "concat_param { axis: 1 }", "concat_param { concat_dim: 1 }"])
def test_split_and_concat(answers, parameters):
    layers = 'layer { name: "s" type: "Split" bottom: "data" top: "x" top: "y" }\n'
    layers += layer("TanH", name="z", bottom='bottom: "y"')
    layers += layer("Concat", parameters, bottom='bottom: "z" bottom: "x"')
    data, found = answers(layers)
    close(found, np.concatenate([np.tanh(data), data], 1))


@pytest.mark.parametrize("factor", [4.0, 0.0])
def test_batch_norm_and_scale(answers, factor):
    means, variances = numbers(3), numbers(3, seed=2) ** 2
    gamma, beta = numbers(3, seed=3), numbers(3, seed=4)
    layers = layer("BatchNorm", "batch_norm_param { use_global_stats: true eps: 0.01 }", "a")
    layers += layer("Scale", "scale_param { bias_term: true }", "b", 'bottom: "a"')
    data, found = answers(layers, {"a": [means, variances, [factor]], "b": [gamma, beta]})
    inverse = 1 / factor if factor else 0
    column = (slice(None), None, None)
    expected = (data - inverse * means[column]) / np.sqrt(inverse * variances[column] + 0.01)
    close(found, expected * gamma[column] + beta[column])


# --- what cannot be had ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (layer("Deconvolution"), "the type 'Deconvolution' is not known; known are BatchNorm, .*Pooling"),
        (layer("Convolution", "convolution_param { kernel_size: 3 }"), "num_output is 0"),
        (layer("Convolution", "convolution_param { num_output: 3 }"), "kernel_size has 0 numbers"),
        (
            layer("Convolution", "convolution_param { num_output: 4 kernel_size: 3 group: 2 }"),
            "3 channels and 4 filters",
        ),
        (layer("Convolution", "convolution_param { num_output: 4 kernel_size: 10 }"), "does not fit 3 x 9 x 8"),
        (layer("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"), "STOCHASTIC"),
        (layer("Pooling", "pooling_param { kernel_size: 2 pad: 2 }"), "pad 2 x 2 is not below the window 2 x 2"),
        (layer("Pooling", "pooling_param { kernel_size: 11 }"), "a map of 9 x 8 is smaller than the window"),
        (layer("LRN", "lrn_param { local_size: 4 }"), "local_size is 4, should be odd"),
        (layer("Softmax", "softmax_param { axis: 2 }"), "softmax_param.axis is 2; only 1"),
        (layer("BatchNorm", "batch_norm_param { use_global_stats: false }"), "use_global_stats: false"),
        (layer("ReLU", bottom='bottom: "dat"'), "no layer before it gives its bottom 'dat'"),
        (layer("ReLU", bottom='bottom: "data" bottom: "data"'), "has 2 bottoms, should have one"),
        (layer("ReLU", 'top: "more"'), "has 2 tops, should have 1"),
        (layer("ReLU") * 2, "two layers of the test phase are called 'it'"),
    ],
)
def test_layers_that_cannot_be_had_are_named_with_what_is_right(answers, text, message):
    with pytest.raises(NetworkError, match=rf"net\.prototxt: layer 'it'.*{message}|net\.prototxt: {message}"):
        answers(text)
