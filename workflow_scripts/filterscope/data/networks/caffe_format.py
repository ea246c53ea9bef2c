"""Caffe's files: the text of a prototxt and the blobs of a caffemodel, read through protobuf.

Of Caffe's messages only the fields are declared that the layers here understand. The numbers are those of the
public format: new layers (`layer`, number 100 of the net) and those of 2014 (`layers`, number 2, called V1).
"""

from __future__ import annotations

import difflib
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory, text_format

from filterscope.data.networks.settings import NetworkError

PACKAGE = "filterscope.caffe"

# Fields of a message: its number, name, type (* repeated) and default.
MESSAGES = {
    "BlobShape": "1 dim int64*",
    # Caffe packs the numbers of a blob, so on the wire they are one string of bytes: as such they take neither the
    # time nor the memory of sixty million Python numbers.
    "BlobProto": "1 num int32, 2 channels int32, 3 height int32, 4 width int32, 7 shape BlobShape, "
    "5 data bytes, 8 double_data bytes",
    "NetState": "1 phase Phase TEST, 2 level int32 0, 3 stage string*",
    "NetStateRule": "1 phase Phase, 2 min_level int32, 3 max_level int32, 4 stage string*, 5 not_stage string*",
    "NetParameter": "1 name string, 2 layers V1LayerParameter*, 3 input string*, 4 input_dim int32*, 6 state NetState, "
    "8 input_shape BlobShape*, 100 layer LayerParameter*",
    "LayerParameter": "1 name string, 2 type string, 3 bottom string*, 4 top string*, 7 blobs BlobProto*, "
    "8 include NetStateRule*, 9 exclude NetStateRule*, 100 transform_param TransformationParameter, "
    "104 concat_param ConcatParameter, 106 convolution_param ConvolutionParameter, 108 dropout_param DropoutParameter, "
    "110 eltwise_param EltwiseParameter, 117 inner_product_param InnerProductParameter, 118 lrn_param LRNParameter, "
    "121 pooling_param PoolingParameter, 123 relu_param ReLUParameter, 125 softmax_param SoftmaxParameter, "
    "135 flatten_param FlattenParameter, 139 batch_norm_param BatchNormParameter, 142 scale_param ScaleParameter, "
    "143 input_param InputParameter",
    "V1LayerParameter": "4 name string, 5 type V1LayerType, 2 bottom string*, 3 top string*, 6 blobs BlobProto*, "
    "32 include NetStateRule*, 33 exclude NetStateRule*, 36 transform_param TransformationParameter, "
    "9 concat_param ConcatParameter, 10 convolution_param ConvolutionParameter, 12 dropout_param DropoutParameter, "
    "24 eltwise_param EltwiseParameter, 17 inner_product_param InnerProductParameter, 18 lrn_param LRNParameter, "
    "19 pooling_param PoolingParameter, 30 relu_param ReLUParameter, 39 softmax_param SoftmaxParameter",
    "TransformationParameter": "1 scale float 1, 2 mirror bool, 3 crop_size uint32 0, 4 mean_file string, "
    "5 mean_value float*",
    "InputParameter": "1 shape BlobShape*",
    "ConvolutionParameter": "1 num_output uint32, 2 bias_term bool true, 3 pad uint32*, 4 kernel_size uint32*, "
    "5 group uint32 1, 6 stride uint32*, 9 pad_h uint32, 10 pad_w uint32, 11 kernel_h uint32, 12 kernel_w uint32, "
    "13 stride_h uint32, 14 stride_w uint32, 16 axis int32 1, 18 dilation uint32*",
    "PoolingParameter": "1 pool PoolMethod MAX, 2 kernel_size uint32, 3 stride uint32, 4 pad uint32, "
    "5 kernel_h uint32, 6 kernel_w uint32, 7 stride_h uint32, 8 stride_w uint32, 9 pad_h uint32, 10 pad_w uint32, "
    "12 global_pooling bool false, 13 round_mode RoundMode CEIL",
    "LRNParameter": "1 local_size uint32 5, 2 alpha float 1, 3 beta float 0.75, "
    "4 norm_region NormRegion ACROSS_CHANNELS, 5 k float 1",
    "InnerProductParameter": "1 num_output uint32, 2 bias_term bool true, 5 axis int32 1, 6 transpose bool false",
    "ReLUParameter": "1 negative_slope float 0",
    "DropoutParameter": "1 dropout_ratio float 0.5",
    "ConcatParameter": "1 concat_dim uint32 1, 2 axis int32 1",
    "SoftmaxParameter": "2 axis int32 1",
    "FlattenParameter": "1 axis int32 1, 2 end_axis int32 -1",
    "EltwiseParameter": "1 operation EltwiseOp SUM, 2 coeff float*",
    "BatchNormParameter": "1 use_global_stats bool true, 3 eps float 1e-5",
    "ScaleParameter": "1 axis int32 1, 2 num_axes int32 1, 4 bias_term bool false",
}
ENUMS = {
    "Phase": {"TRAIN": 0, "TEST": 1},
    "PoolMethod": {"MAX": 0, "AVE": 1, "STOCHASTIC": 2},
    "RoundMode": {"CEIL": 0, "FLOOR": 1},
    "NormRegion": {"ACROSS_CHANNELS": 0, "WITHIN_CHANNEL": 1},
    "EltwiseOp": {"PROD": 0, "SUM": 1, "MAX": 2},
}
# The types of V1 layers: number, name there, name today.
V1_TYPES = """
    0 NONE None, 1 ACCURACY Accuracy, 2 BNLL BNLL, 3 CONCAT Concat, 4 CONVOLUTION Convolution, 5 DATA Data,
    6 DROPOUT Dropout, 7 EUCLIDEAN_LOSS EuclideanLoss, 8 FLATTEN Flatten, 9 HDF5_DATA HDF5Data,
    10 HDF5_OUTPUT HDF5Output, 11 IM2COL Im2col, 12 IMAGE_DATA ImageData, 13 INFOGAIN_LOSS InfogainLoss,
    14 INNER_PRODUCT InnerProduct, 15 LRN LRN, 16 MULTINOMIAL_LOGISTIC_LOSS MultinomialLogisticLoss,
    17 POOLING Pooling, 18 RELU ReLU, 19 SIGMOID Sigmoid, 20 SOFTMAX Softmax, 21 SOFTMAX_LOSS SoftmaxWithLoss,
    22 SPLIT Split, 23 TANH TanH, 24 WINDOW_DATA WindowData, 25 ELTWISE Eltwise, 26 POWER Power,
    27 SIGMOID_CROSS_ENTROPY_LOSS SigmoidCrossEntropyLoss, 28 HINGE_LOSS HingeLoss, 29 MEMORY_DATA MemoryData,
    30 ARGMAX ArgMax, 31 THRESHOLD Threshold, 32 DUMMY_DATA DummyData, 33 SLICE Slice, 34 MVN MVN, 35 ABSVAL AbsVal,
    36 SILENCE Silence, 37 CONTRASTIVE_LOSS ContrastiveLoss, 38 EXP Exp, 39 DECONVOLUTION Deconvolution"""
_V1 = [entry.split() for entry in V1_TYPES.split(",")]
_MODERN = {int(number): modern for number, _, modern in _V1}
ENUMS["V1LayerType"] = {old: int(number) for number, old, _ in _V1}

# Fields that change nothing in a network that is only looked at: initial weights, learning, engines.
IGNORED = {
    "bias_filler",
    "blob_share_mode",
    "blobs_lr",
    "debug_info",
    "engine",
    "filler",
    "force_backward",
    "force_color",
    "force_nd_im2col",
    "loss_weight",
    "moving_average_fraction",
    "param",
    "phase",
    "propagate_down",
    "scale_train",
    "stable_prod_grad",
    "weight_decay",
    "weight_filler",
}
REPEATED = ("bottom", "top", "blobs", "include", "exclude")  # fields of V1 layers
_LAYERS = ("LayerParameter", "V1LayerParameter")
# What the names of fields and the braces around them look like, once comments and strings are out of the way.
_TOKEN = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?P<name>[A-Za-z_]\w*)\s*(?=[:{<])|(?P<brace>[{}<>])"""
)


# --- messages -------------------------------------------------------------------------------------------


@cache
def _messages() -> dict[str, type[message.Message]]:
    """The classes of the messages, by name; in a pool of their own, beside any other Caffe."""
    file = descriptor_pb2.FileDescriptorProto(name="filterscope_caffe.proto", package=PACKAGE, syntax="proto2")
    for name, values in ENUMS.items():
        # Values lie in the scope of the enum's surroundings, and two enums have MAX: each enum in a message of its own.
        enum = file.message_type.add(name=f"{name}Scope").enum_type.add(name=name)
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, entries in MESSAGES.items():
        declared = file.message_type.add(name=name)
        for entry in entries.split(", "):
            _declare(declared, *entry.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


def _declare(declared, number: str, name: str, kind: str, default: str | None = None) -> None:
    field = declared.field.add(name=name, number=int(number))
    field.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
    kind = kind.rstrip("*")
    if kind in MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    elif kind in ENUMS:
        field.type, field.type_name = field.TYPE_ENUM, f".{PACKAGE}.{kind}Scope.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    if default is not None:
        field.default_value = default


# --- prototxt -------------------------------------------------------------------------------------------


def read_prototxt(path: str | Path) -> message.Message:
    """The network that a prototxt describes, as Caffe sees it when it tests.

    Returns a NetParameter whose `layer` holds the layers of the test phase, V1 layers brought into today's form.
    Raises NetworkError naming file and line of what is no prototxt, or of a field that is not known.
    """
    path = Path(path)
    if not path.is_file():
        raise NetworkError(f"{path}: there is no such prototxt")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NetworkError(
            f"{path}: is no text, should be a prototxt (was it mixed up with the caffemodel?)"
        ) from error
    net = _messages()["NetParameter"]()
    try:
        text_format.Parse(text, net, allow_unknown_field=True)
    except text_format.ParseError as error:
        found = str(error).rpartition(f"{error.GetLine()}:{error.GetColumn()} : ")[2]
        raise NetworkError(f"{path}, line {error.GetLine()}: {found.replace(f'{PACKAGE}.', '')}") from error
    _check_fields(text, net.DESCRIPTOR, path)
    if net.layer and net.layers:
        raise NetworkError(f"{path}: has both layer {{}} and layers {{}}; Caffe reads one of them only")
    layers = [_modern(layer) for layer in net.layers] or list(net.layer)
    kept = [layer for layer in layers if _present(layer, net.state)]
    result = _messages()["NetParameter"]()
    result.CopyFrom(net)
    del result.layers[:], result.layer[:]
    result.layer.extend(kept)
    return result


def _check_fields(text: str, descriptor, path: Path) -> None:
    """Fields that are not declared may be skipped only where they cannot matter; a misspelt one matters."""
    stack, inner = [descriptor], None
    for token in _TOKEN.finditer(text):
        if token["name"]:
            owner, name = stack[-1], token["name"]
            field = owner.fields_by_name.get(name) if owner else None
            of_other_layers = owner and owner.name in _LAYERS and name.endswith("_param")
            if owner and field is None and name not in IGNORED and not of_other_layers:
                line = text.count("\n", 0, token.start()) + 1
                known = sorted([*owner.fields_by_name, *IGNORED])
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(owner.fields_by_name)}"
                raise NetworkError(f"{path}, line {line}: {name} is no field of {owner.name} that is known; {hint}")
            inner = field.message_type if field else None
        elif token["brace"] in ("{", "<"):
            stack.append(inner)
        elif token["brace"]:
            inner = stack.pop()


def _modern(old: message.Message) -> message.Message:
    """A V1 layer in today's form."""
    layer = _messages()["LayerParameter"](type=_MODERN[old.type])
    for field, value in old.ListFields():
        if field.name in REPEATED:
            getattr(layer, field.name).extend(value)
        elif field.message_type:
            getattr(layer, field.name).CopyFrom(value)
        elif field.name != "type":
            setattr(layer, field.name, value)
    return layer


def _present(layer: message.Message, state: message.Message) -> bool:
    """Whether a layer is there in the test phase: by its rules, as Caffe filters them."""

    def meets(rule) -> bool:
        return (
            (not rule.HasField("phase") or rule.phase == ENUMS["Phase"]["TEST"])
            and (not rule.HasField("min_level") or state.level >= rule.min_level)
            and (not rule.HasField("max_level") or state.level <= rule.max_level)
            and set(rule.stage) <= set(state.stage)
            and not set(rule.not_stage) & set(state.stage)
        )

    return any(map(meets, layer.include)) if layer.include else not any(map(meets, layer.exclude))


# --- caffemodel -----------------------------------------------------------------------------------------


def read_caffemodel(path: str | Path) -> dict[str, list[np.ndarray]]:
    """The blobs of every layer that has any, by its name; float32, shaped as the file says.

    Blobs of old files have four axes, the first of them 1 where there are fewer. No code is run.
    Raises NetworkError when the file is absent, cut off or no caffemodel, or a blob does not have its shape's size.
    """
    path = Path(path)
    if not path.is_file():
        raise NetworkError(f"{path}: there is no such caffemodel")
    data = path.read_bytes()
    try:
        net = _messages()["NetParameter"].FromString(data)
    except message.DecodeError as error:
        raise NetworkError(
            f"{path}: no readable caffemodel: {len(data)} bytes that start with {data[:12]!r}; "
            "it may be cut off, fetch it again"
        ) from error
    layers = [*net.layer, *net.layers]
    if not layers:
        raise NetworkError(f"{path}: holds no layers, should be a caffemodel ({len(data)} bytes)")
    return {
        layer.name: [_array(blob, f"{path}: layer {layer.name!r}, blob {i}") for i, blob in enumerate(layer.blobs)]
        for layer in layers
        if layer.blobs
    }


def _array(blob: message.Message, place: str) -> np.ndarray:
    data, kind = (blob.data, "<f4") if blob.data else (blob.double_data, "<f8")
    size = len(data) / np.dtype(kind).itemsize
    shape = list(blob.shape.dim) if blob.HasField("shape") else [blob.num, blob.channels, blob.height, blob.width]
    if min(shape, default=1) < 0 or math.prod(shape) != size:
        raise NetworkError(
            f"{place} has {size:g} numbers, its shape {' x '.join(map(str, shape))} needs {math.prod(shape)}"
        )
    return np.frombuffer(data, kind).astype(np.float32).reshape(shape)
