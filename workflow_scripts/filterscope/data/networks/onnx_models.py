"""Networks from ONNX files: rebuilt of torch modules by onnx2pytorch, the extra filterscope[onnx].

Apart from the other networks: onnx and its runtime take seconds to load, and are not always there. Nothing in such a
file is run as code. What cannot be rebuilt is refused by its name, and what is rebuilt must put out what the ONNX
runtime puts out (see `build`).
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from filterscope.data.networks.settings import NetworkError, NetworkSettings, missing_extra

STANDARD = ("", "ai.onnx")  # domains of the operators that every program for ONNX files knows
TOLERANCE = 1e-3  # share of the largest value by which the two programs may differ
COMPARED = 2  # pictures


def _onnx():
    try:
        import onnx
        import onnx2pytorch
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing_extra("onnx", error) from error
    return onnx, onnx2pytorch, onnxruntime


def read(path: str | Path):
    """The model of a file, with the weights that it keeps in files beside it. Raises NetworkError where it is none."""
    onnx, _, _ = _onnx()
    if not Path(path).is_file():
        raise NetworkError(f"{path}: there is no such ONNX file")
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except FileNotFoundError as error:
        raise NetworkError(f"{path}: its weights lie in another file, which is not there ({error})") from error
    except Exception as error:  # of protobuf, of the checker, or of what reads weights beside it
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise NetworkError(f"{path}: no ONNX network, cut off or damaged ({said})") from error
    return model


def input_sides(model) -> tuple[int | None, int | None]:
    """Height and width of the pictures that a model takes, px; None where they are open. Raises NetworkError."""
    held = {each.name for each in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in held]
    shapes = [[axis.dim_value or None for axis in each.type.tensor_type.shape.dim] for each in inputs]
    said = "; ".join(f"{each.name} {shape}" for each, shape in zip(inputs, shapes, strict=True))
    if len(inputs) != 1 or len(shapes[0]) != 4:
        right = "should be one input [pictures, 3, height, width]"
        raise NetworkError(f"the ONNX network takes {said or 'nothing'}; {right}")
    if shapes[0][1] not in (1, 3, None):
        hint = ": its channels come last; export it with channels first" if shapes[0][3] in (1, 3) else ""
        raise NetworkError(f"the ONNX network takes {said}{hint}; should be [pictures, 3, height, width]")
    return shapes[0][2], shapes[0][3]


def build(settings: NetworkSettings, side: int) -> nn.Module:
    """The network with the weights of its file. side: of the pictures, px.

    Layers are called by their operator and the name of what they put out, as Relu_relu_3. Raises NetworkError naming
    the operators that cannot be rebuilt; where the rebuilt network cannot take several pictures at a time; and where
    its outputs for noise are not those of the ONNX runtime, within TOLERANCE of the largest.
    """
    _, onnx2pytorch, _ = _onnx()
    model = read(settings.file)
    input_sides(model)
    original = model.SerializeToString() if model.ByteSize() < 2**31 else settings.file
    _resolve_constants(model)
    _refuse_operators(model, settings.file)
    with torch.device("cpu"), warnings.catch_warnings():  # also where only shapes are asked for: weights are numbers
        warnings.simplefilter("ignore")
        try:
            network = onnx2pytorch.ConvertModel(model)
        except Exception as error:  # what it cannot read it refuses in many ways
            raise NetworkError(f"{settings.file}: onnx2pytorch cannot rebuild it ({_said(error)})") from error
        del network.onnx_model.graph.initializer[:]  # they are the network's parameters and buffers now
        network = network.float().eval()
        _compare(network, original, settings, side)
    return network


def _said(error: Exception) -> str:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
    return f"{type(error).__name__}: {first}"


def _resolve_constants(model) -> None:
    """Put constants, and what passes weights on unchanged, as weights: exporters write both, and the converter would
    take them for something that is computed."""
    from onnx import numpy_helper

    graph = model.graph
    held = {each.name: each for each in graph.initializer}
    other_names: dict[str, str] = {}
    kept = []
    for node in graph.node:
        node.input[:] = [other_names.get(name, name) for name in node.input]
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            array = numpy_helper.to_array(node.attribute[0].t)
            graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
            held[node.output[0]] = graph.initializer[-1]
        elif node.op_type == "Identity" and node.input[0] in held:
            other_names[node.output[0]] = node.input[0]
        else:
            kept.append(copy.deepcopy(node))
            idle = [each for each in kept[-1].attribute if each.name == "training_mode" and each.i == 0]
            for each in idle:  # what is so anyway, which the converter does not know
                kept[-1].attribute.remove(each)
    del graph.node[:]
    graph.node.extend(kept)


def _refuse_operators(model, file: str) -> None:
    """Raises NetworkError with all operators that the converter does not know, or only guesses."""
    import onnx
    from onnx2pytorch.convert.operations import convert_operations

    strange = [f"{each.domain}.{each.op_type}" for each in model.graph.node if each.domain not in STANDARD]
    for node in {each.op_type: each for each in model.graph.node if each.domain in STANDARD}.values():
        alone = onnx.helper.make_graph([node], "one", [], [], model.graph.initializer)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="No explicit conversion", category=RuntimeWarning)
            try:
                list(convert_operations(alone, 0))
            except (NotImplementedError, RuntimeWarning) as error:
                if "onversion" in str(error):
                    strange.append(node.op_type)
            except Exception:  # of its attributes, which the whole conversion tells better
                continue
    if strange:
        names = ", ".join(dict.fromkeys(strange))
        raise NetworkError(
            f"{file}: has operators that onnx2pytorch does not rebuild: {names}. Take the checkpoint that the file was "
            "exported from, or export it without them"
        )


def _compare(network: nn.Module, original: bytes | str, settings: NetworkSettings, side: int) -> None:
    """Raises NetworkError where the network's outputs for noise are not the ONNX runtime's."""
    _, _, onnxruntime = _onnx()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(original, options, providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        noise = torch.randn(COMPARED, settings.input.channels, side, side, generator=torch.Generator().manual_seed(0))
        kind = np.float16 if given.type == "tensor(float16)" else np.float32
        # One by one: a file may be for one picture at a time, and the rebuilt network must do for several.
        expected = [session.run(None, {given.name: each[None].numpy().astype(kind)}) for each in noise]
    except Exception as error:
        raise NetworkError(
            f"{settings.file}: the ONNX runtime fails on a picture of {settings.input.channels} x {side} x {side} "
            f"({_said(error)}); where it takes pictures of another size, set input: resize and crop"
        ) from error
    try:
        with torch.no_grad():
            found = network(noise)
    except Exception as error:
        raise NetworkError(
            f"{settings.file}: the rebuilt network fails on {COMPARED} pictures at a time ({_said(error)}); where the "
            "file is for a fixed number, export it with a dynamic first axis"
        ) from error
    found = found if isinstance(found, tuple | list) else [found]
    for place, (own, name) in enumerate(zip(found, network.output_names, strict=True)):
        wanted = np.concatenate([each[place] for each in expected]).astype(np.float64)
        if tuple(own.shape) != wanted.shape:
            raise NetworkError(
                f"{settings.file}: of {COMPARED} pictures, output {name} is {list(own.shape)}, should be "
                f"{list(wanted.shape)}: the file is for a fixed number of pictures; export it with a dynamic first axis"
            )
        difference = np.abs(own.double().numpy() - wanted).max()
        if not difference <= TOLERANCE * max(np.abs(wanted).max(), 1e-6):
            raise NetworkError(
                f"{settings.file}: output {name} of the rebuilt network is up to {difference:.3g} from the ONNX "
                f"runtime's, whose largest value is {np.abs(wanted).max():.3g}: it is not the same network"
            )


def shuffle(network: nn.Module) -> None:
    """Draw the order of the values of every weight: their distribution stays, and nothing of what was learnt.

    Numbers that stand alone stay, as do whole numbers, which are shapes and places. Uses torch's global random state.
    """
    for values in network.state_dict().values():
        if values.is_floating_point() and values.numel() > 1:
            values.copy_(values.flatten()[torch.randperm(values.numel())].view_as(values))
