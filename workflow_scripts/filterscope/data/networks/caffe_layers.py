"""Torch modules and their weights from the layers of a prototxt and the blobs of a caffemodel.

`make` builds a module from a layer of a prototxt and the shapes [B, C, H, W] or [B, C] of what it gets;
`state` turns the layer's blobs into the module's tensors. A layer that cannot be had exactly is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from filterscope.data.networks.caffe_modules import (
    LRN,
    BatchNorm,
    Concat,
    Eltwise,
    GlobalPooling,
    InnerProduct,
    Pooling,
    Scale,
    Shape,
    Split,
    times,
)
from filterscope.data.networks.settings import NetworkError

# --- modules from layers --------------------------------------------------------------------------------


def _pair(settings, name: str, default: int | None) -> tuple[int, int]:
    """Height and width of a setting that has one number for both, one for each, or fields with _h and _w."""
    stem = name.removesuffix("_size")
    if settings.HasField(f"{stem}_h") or settings.HasField(f"{stem}_w"):
        return getattr(settings, f"{stem}_h"), getattr(settings, f"{stem}_w")
    found = getattr(settings, name)
    if isinstance(found, int):
        found = [found] if settings.HasField(name) else []
    found = list(found) or ([] if default is None else [default])
    if not 1 <= len(found) <= 2:
        raise NetworkError(f"{name} has {len(found)} numbers, should have one or two")
    return found[0], found[-1]


def _right(condition: bool, message: str) -> None:
    if not condition:
        raise NetworkError(message)


def _channel_axis(axis: int, shape: Shape, name: str) -> None:
    _right(axis == 1 or axis == 1 - len(shape), f"{name} is {axis}; only 1, the channels, is known")


def _convolution(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings, channels = layer.convolution_param, shapes[0][1]
    _channel_axis(settings.axis, shapes[0], "convolution_param.axis")
    kernel, stride, pad = _pair(settings, "kernel_size", None), _pair(settings, "stride", 1), _pair(settings, "pad", 0)
    _right(1 <= len(settings.dilation) <= 2 or not settings.dilation, "dilation has more than two numbers")
    dilation = (settings.dilation[0], settings.dilation[-1]) if settings.dilation else (1, 1)
    groups, filters = settings.group, settings.num_output
    _right(filters > 0, f"convolution_param.num_output is {filters}, should be above 0")
    _right(min(*kernel, *stride, *dilation) > 0, "kernel_size, stride and dilation must be above 0")
    _right(
        groups > 0 and channels % groups == filters % groups == 0,
        f"{channels} channels and {filters} filters cannot be parted into {groups} groups",
    )
    return nn.Conv2d(channels, filters, kernel, stride, pad, dilation, groups, settings.bias_term)


def _pooling(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.pooling_param
    _right(settings.pool < 2, "pool: STOCHASTIC is known for training only")
    if settings.global_pooling:
        return GlobalPooling(settings.pool == 1)
    kernel, stride, pad = _pair(settings, "kernel_size", None), _pair(settings, "stride", 1), _pair(settings, "pad", 0)
    _right(min(*kernel, *stride) > 0, "kernel_size and stride must be above 0")
    _right(pad[0] < kernel[0] and pad[1] < kernel[1], f"pad {times(pad)} is not below the window {times(kernel)}")
    return Pooling(settings.pool == 1, kernel, stride, pad, ceil=settings.round_mode == 0)


def _lrn(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.lrn_param
    _right(settings.local_size % 2 == 1, f"lrn_param.local_size is {settings.local_size}, should be odd")
    return LRN(settings.local_size, settings.alpha, settings.beta, settings.k, within=settings.norm_region == 1)


def _inner_product(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.inner_product_param
    _channel_axis(settings.axis, shapes[0], "inner_product_param.axis")
    _right(settings.num_output > 0, f"inner_product_param.num_output is {settings.num_output}, should be above 0")
    return InnerProduct(math.prod(shapes[0][1:]), settings.num_output, settings.bias_term)


def _relu(layer, shapes: Sequence[Shape]) -> nn.Module:
    slope = layer.relu_param.negative_slope
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def _concat(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.concat_param
    axis = settings.concat_dim if settings.HasField("concat_dim") else settings.axis
    _channel_axis(axis, shapes[0], "concat_param.axis")
    places = {shape[2:] for shape in shapes}
    _right(len(places) == 1, f"gets maps of different sizes: {', '.join(map(times, sorted(places)))}")
    return Concat()


def _softmax(layer, shapes: Sequence[Shape]) -> nn.Module:
    _channel_axis(layer.softmax_param.axis, shapes[0], "softmax_param.axis")
    return nn.Softmax(1)


def _eltwise(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.eltwise_param
    coefficients = list(settings.coeff) or [1.0] * len(shapes)
    _right(len(coefficients) == len(shapes), f"coeff has {len(coefficients)} numbers for {len(shapes)} bottoms")
    return Eltwise(settings.operation, coefficients)


def _flatten(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.flatten_param
    _right((settings.axis, settings.end_axis) == (1, -1), "flatten_param is known for axis 1 to -1 only")
    return nn.Flatten()


def _batch_norm(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.batch_norm_param
    _right(settings.use_global_stats, "use_global_stats: false would let pictures of a batch change each other")
    return BatchNorm(shapes[0][1], settings.eps)


def _scale(layer, shapes: Sequence[Shape]) -> nn.Module:
    settings = layer.scale_param
    _right(len(shapes) == 1, f"a scale with {len(shapes)} bottoms is not known, only one with learnt factors")
    _channel_axis(settings.axis, shapes[0], "scale_param.axis")
    _right(settings.num_axes == 1, f"scale_param.num_axes is {settings.num_axes}, only 1 is known")
    return Scale(shapes[0][1], settings.bias_term)


MAKERS: dict[str, Callable[..., nn.Module]] = {
    "Convolution": _convolution,
    "Pooling": _pooling,
    "LRN": _lrn,
    "InnerProduct": _inner_product,
    "ReLU": _relu,
    "Dropout": lambda layer, shapes: nn.Dropout(layer.dropout_param.dropout_ratio),
    "Concat": _concat,
    "Softmax": _softmax,
    "Eltwise": _eltwise,
    "Flatten": _flatten,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "Split": lambda layer, shapes: Split(len(layer.top)),
    "Sigmoid": lambda layer, shapes: nn.Sigmoid(),
    "TanH": lambda layer, shapes: nn.Tanh(),
}


def make(layer, shapes: Sequence[Shape]) -> nn.Module:
    """The module of a layer that gets tensors of these shapes.

    Raises NetworkError for a type that is not known, and for settings that are wrong or cannot be had exactly.
    """
    if layer.type not in MAKERS:
        raise NetworkError(f"the type {layer.type!r} is not known; known are {', '.join(sorted(MAKERS))}")
    several = layer.type in ("Concat", "Eltwise", "Scale")
    if not shapes or (len(shapes) > 1 and not several):
        raise NetworkError(f"has {len(shapes)} bottoms, should have one{' or more' if several else ''}")
    return MAKERS[layer.type](layer, shapes)


# --- blobs ----------------------------------------------------------------------------------------------


def state(layer, module: nn.Module, blobs: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
    """The tensors of a module from the blobs of its layer, which must fit it.

    Raises NetworkError with the shape that a blob has and the one that the prototxt asks for.
    """
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items() if value.ndim}
    transposed = isinstance(module, InnerProduct) and layer.inner_product_param.transpose
    if transposed:
        wanted["weight"] = wanted["weight"][::-1]
    if isinstance(module, BatchNorm):
        wanted["factor"] = (1,)
    if len(blobs) != len(wanted):
        asked = f"{len(wanted)} ({', '.join(wanted)})" if wanted else "none"
        raise NetworkError(f"has {len(blobs)} blobs, should have {asked}")
    tensors = {}
    for (name, shape), blob in zip(wanted.items(), blobs, strict=True):
        if _without_ones(blob.shape) != _without_ones(shape):
            raise NetworkError(f"{name} is {times(blob.shape)} in the caffemodel, the prototxt asks for {times(shape)}")
        tensors[name] = torch.from_numpy(blob.reshape(shape))
    if transposed:
        tensors["weight"] = tensors["weight"].T.contiguous()
    if isinstance(module, BatchNorm):  # means and variances are sums that the third blob divides
        factor = tensors.pop("factor").item()
        tensors = {name: value / factor if factor else torch.zeros_like(value) for name, value in tensors.items()}
    return tensors


def _without_ones(shape: Sequence[int]) -> Shape:
    """Old files fill shapes up to four axes with ones in front."""
    ones = next((i for i, size in enumerate(shape) if size != 1), len(shape))
    return tuple(shape[ones:])
