"""Caffe's networks: a prototxt becomes a torch module, a caffemodel its weights (MFV, 4.3.1).

The module takes pictures as all networks here do, normalised RGB. It undoes that, changes to what Caffe's networks
were trained on (blue first, 0 to 255, the mean of every channel taken off), and runs the layers of the test phase.
Every layer is a module of its Caffe name, so that a probe names `conv5` or `inception_3a/1x1`.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from filterscope.data.networks import caffe_layers
from filterscope.data.networks.caffe_format import read_caffemodel, read_prototxt
from filterscope.data.networks.caffe_modules import Shape, times
from filterscope.data.networks.settings import NetworkError

LOGGER = logging.getLogger("filterscope")

# Blue, green, red: what nearly all published Caffe networks were trained with (MFV, 4.3.1).
IMAGENET_MEAN = (104.0, 117.0, 123.0)
# Layers that bring pictures in; those that measure a training or swallow what is left over.
SOURCES = ("Input", "Data", "ImageData", "HDF5Data", "MemoryData", "WindowData", "DummyData")
LEFT_OUT = ("Accuracy", "Silence", "HDF5Output")


@dataclass(frozen=True)
class CaffeInput:
    """What a Caffe network is given, and what its pictures were before.

    mean: of blue, green and red, 0 to 255, taken off; then everything times scale. rgb_mean, rgb_std: how the
    pictures that come were normalised, red first, unit range.
    """

    mean: tuple[float, float, float] = IMAGENET_MEAN
    scale: float = 1.0
    rgb_mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rgb_std: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Pixels(nn.Module):
    """Normalised RGB [B, 3, H, W] becomes Caffe's input: BGR, 0 to 255, less the mean, times the scale."""

    def __init__(self, inputs: CaffeInput):
        super().__init__()
        std, mean = torch.tensor([inputs.rgb_std, inputs.rgb_mean], dtype=torch.float64).flip(1)
        factor, offset = 255 * std, 255 * mean - torch.tensor(inputs.mean, dtype=torch.float64)
        # Of the config, not learnt, so not among the weights.
        self.register_buffer("factor", (inputs.scale * factor).float().view(3, 1, 1), persistent=False)
        self.register_buffer("offset", (inputs.scale * offset).float().view(3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flip(1) * self.factor + self.offset


@dataclass(frozen=True)
class Step:
    """One layer at work: its module's name, the blobs that it gets and gives, and those not needed after it."""

    name: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    done: tuple[str, ...] = ()


class CaffeNetwork(nn.Module):
    """The layers of a prototxt, run in its order; gives what the last of them gives, as [B, C] or [B, C, H, W].

    Nothing is computed in place, also where a layer's top is its bottom: what a hook of an earlier layer has seen
    stays as it was. Build it with `build`.
    """

    def __init__(self, modules: dict[str, nn.Module], steps: Sequence[Step]):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self._steps = tuple(_with_last_uses(steps))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        blobs = {"": images}
        for step in self._steps:
            try:
                given = self.get_submodule(step.name)(*(blobs[name] for name in step.bottoms))
            except NetworkError as error:
                raise NetworkError(f"layer {step.name!r}: {error}") from None
            blobs |= zip(step.tops, given if isinstance(given, list) else [given], strict=True)
            for name in step.done:
                del blobs[name]
        return blobs[self._steps[-1].tops[0]]


def _with_last_uses(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, each with the blobs that nothing after it gets."""
    for i, step in enumerate(steps):
        later = {name for each in steps[i + 1 :] for name in each.bottoms}
        kept = {*later, *step.tops} if i == len(steps) - 1 else later
        touched = dict.fromkeys([*step.bottoms, *step.tops])
        yield Step(step.name, step.bottoms, step.tops, tuple(name for name in touched if name not in kept))


# --- from a prototxt ------------------------------------------------------------------------------------


def build(path_to_prototxt: str | Path, inputs: CaffeInput = CaffeInput(), size: int | None = None) -> CaffeNetwork:
    """The network of a prototxt, with weights drawn by torch.

    size: px, side of the pictures that will come; None takes the side that the prototxt says.
    Raises NetworkError naming the file, and the layer that is not known, is wrong, or does not fit such pictures.
    """
    path = Path(path_to_prototxt)
    network, _ = _build(path, inputs, size)
    _check_transformation(path, inputs)
    said = input_size(path)
    if size and said not in (None, (size, size)):
        with torch.device("meta"):
            _check_size(_build(path, inputs, None)[0], path, said, size)
    return network


def input_size(path_to_prototxt: str | Path) -> tuple[int, int] | None:
    """Height and width of the pictures that a prototxt says it takes, px; None where it does not say."""
    path = Path(path_to_prototxt)
    return _input(read_prototxt(path), path)[1]


def read_weights(
    path_to_prototxt: str | Path, path_to_caffemodel: str | Path, size: int | None = None
) -> dict[str, torch.Tensor]:
    """The state_dict of a prototxt's network from a caffemodel, float32.

    size: as for `build`. Blobs are found by the names of their layers. Raises NetworkError naming the layer whose
    blobs are missing or of another shape, with what was found and what the prototxt asks for.
    """
    with torch.device("meta"):  # only the shapes matter
        network, layers = _build(Path(path_to_prototxt), CaffeInput(), size)
    blobs = read_caffemodel(path_to_caffemodel)
    tensors = {}
    for name, layer in layers.items():
        module, found = network.get_submodule(name), blobs.get(layer.name)
        if found is None and not module.state_dict():
            continue
        if found is None:
            near = difflib.get_close_matches(layer.name, blobs, n=3, cutoff=0.4) or list(blobs)[:3]
            raise NetworkError(
                f"{path_to_caffemodel}: has no blobs of the layer {layer.name!r}; the nearest are {', '.join(near)}"
            )
        try:
            own = caffe_layers.state(layer, module, found)
        except NetworkError as error:
            raise NetworkError(f"{path_to_caffemodel}: layer {layer.name!r}: {error} ({path_to_prototxt})") from error
        tensors |= {f"{name}.{key}": value for key, value in own.items()}
    left = sorted(blobs.keys() - {layer.name for layer in layers.values()})
    if left:
        LOGGER.info("%s: blobs of layers that are not in the prototxt: %s", path_to_caffemodel, ", ".join(left))
    return tensors


def _build(path: Path, inputs: CaffeInput, size: int | None) -> tuple[CaffeNetwork, dict]:
    """The network, and the layer of the prototxt that each of its modules is made from."""
    net = read_prototxt(path)
    source, found = _input(net, path)
    said = found or ((size, size) if size else None)
    if said is None:
        raise NetworkError(f"{path}: does not say how large its pictures are; name their side")
    modules: dict[str, nn.Module] = {}
    layers: dict = {}
    steps = [Step(_module_name(source, modules), ("",), (source,))]
    modules[steps[0].name] = Pixels(inputs)
    shapes: dict[str, Shape] = {source: (1, 3, *said)}
    absent: dict[str, str] = {}  # labels and what comes of them, and why they are not there
    for layer in net.layer:
        if layer.type in SOURCES:
            absent |= dict.fromkeys(set(layer.top) - {source}, layer.name)
            continue
        if layer.type in LEFT_OUT or "Loss" in layer.type or any(bottom in absent for bottom in layer.bottom):
            absent |= dict.fromkeys(set(layer.top) - shapes.keys(), layer.name)
            LOGGER.info("%s: %s layer %r is for training, left out", path, layer.type, layer.name)
            continue
        unknown = [bottom for bottom in layer.bottom if bottom not in shapes]
        if unknown:
            raise NetworkError(f"{path}: layer {layer.name!r}: no layer before it gives its bottom {unknown[0]!r}")
        if layer.name in {each.name for each in layers.values()}:
            raise NetworkError(f"{path}: two layers of the test phase are called {layer.name!r}")
        try:
            given = [shapes[bottom] for bottom in layer.bottom]
            tops = _shapes_after(layer, given)
            if len(tops) != len(layer.top):
                raise NetworkError(f"has {len(layer.top)} tops, should have {len(tops)}")
        except NetworkError as error:
            raise NetworkError(f"{path}: layer {layer.name!r}: {error}") from error
        name = _module_name(layer.name, modules)
        modules[name], layers[name] = caffe_layers.make(layer, given), layer
        steps.append(Step(name, tuple(layer.bottom), tuple(layer.top)))
        shapes |= zip(layer.top, tops, strict=True)
    if not layers:
        raise NetworkError(f"{path}: has no layers of the test phase, should be the prototxt of a network")
    return CaffeNetwork(modules, steps), layers


def _shapes_after(layer, shapes: Sequence[Shape]) -> list[Shape]:
    """Shapes of what a layer gives, found without computing it."""
    with torch.device("meta"):
        module = caffe_layers.make(layer, shapes)
        try:
            given = module(*map(torch.empty, shapes))
        except NetworkError:
            raise
        except (RuntimeError, ValueError, IndexError) as error:
            raise NetworkError(f"does not fit {' and '.join(times(shape[1:]) for shape in shapes)}: {error}") from error
    return [tuple(each.shape) for each in (given if isinstance(given, list) else [given])]


def _check_size(network: CaffeNetwork, path: Path, said: tuple[int, int], size: int) -> None:
    """Refuse pictures of another size than the prototxt says where the layers do not fit them."""
    try:
        network(torch.empty(1, 3, size, size))
    except (RuntimeError, NetworkError) as error:
        raise NetworkError(
            f"{path}: takes pictures of {times(said)} px; pictures of {size} x {size} px do not fit: {error}. "
            f"Set input.crop to {said[0]}"
        ) from error


def _module_name(name: str, taken: dict[str, nn.Module]) -> str:
    """A Caffe name as a torch module may have it: without dots, and no word that torch uses itself."""
    own = name.replace(".", "_") or "_"
    while own in taken or hasattr(nn.Module(), own):
        own += "_"
    return own


# --- the input of a prototxt ----------------------------------------------------------------------------


def _input(net, path: Path) -> tuple[str, tuple[int, int] | None]:
    """Name of the blob of the pictures, and their height and width where the prototxt says them."""
    found = _declared_inputs(net, path) + _input_layers(net)
    if len(found) != 1:
        names = f"{len(found)}: {', '.join(name for name, _ in found)}" if found else "none"
        raise NetworkError(f"{path}: should have one input, the pictures, has {names}")
    ((name, dims),) = found
    if dims is None:
        return name, None
    if len(dims) != 4 or dims[1] != 3 or min(dims[2:]) < 1:
        raise NetworkError(f"{path}: the input {name!r} is {times(dims)}, should be batch x 3 x height x width")
    return name, (dims[2], dims[3])


def _declared_inputs(net, path: Path) -> list[tuple[str, list[int] | None]]:
    """The inputs of prototxts that have no layer for them."""
    if net.input_shape:
        dims = [list(shape.dim) for shape in net.input_shape]
    else:
        dims = [list(net.input_dim[i : i + 4]) for i in range(0, len(net.input_dim), 4)]
    if len(dims) != len(net.input):
        raise NetworkError(f"{path}: has {len(net.input)} inputs and the shapes of {len(dims)}")
    return list(zip(net.input, dims, strict=True))


def _check_transformation(path: Path, inputs: CaffeInput) -> None:
    """Refuse a mean and a scale that are not those of the prototxt's data layer, where it says them.

    A file of a mean, which has one for every pixel, is not read, but logged.
    """
    files = {}
    for layer in read_prototxt(path).layer:
        said, place = layer.transform_param, f"{path}: layer {layer.name!r}"
        mean = list(said.mean_value) * (3 if len(said.mean_value) == 1 else 1)
        if mean and not np.allclose(mean, inputs.mean):
            raise NetworkError(f"{place} takes off {mean}, but mean is {list(inputs.mean)}")
        if said.HasField("scale") and not np.isclose(said.scale, inputs.scale):
            raise NetworkError(f"{place} multiplies by {said.scale:g}, but scale is {inputs.scale:g}")
        if said.mean_file:
            files[said.mean_file] = place
    for file, place in files.items():
        LOGGER.warning(
            "%s takes off the mean in %s, which is not read: %s is taken off instead; where that file's averages of "
            "blue, green and red are others, set mean to them",
            *(place, file, list(inputs.mean)),
        )


def _input_layers(net) -> list[tuple[str, list[int] | None]]:
    """The inputs that layers bring; of a data layer the first top, the others are labels."""
    found = []
    for layer in net.layer:
        if layer.type == "Input":
            shapes = [list(shape.dim) for shape in layer.input_param.shape]
            shapes = shapes * len(layer.top) if len(shapes) == 1 else shapes
            found += list(zip(layer.top, shapes or [None] * len(layer.top), strict=False))
        elif layer.type in SOURCES and layer.top:
            crop = layer.transform_param.crop_size
            found.append((layer.top[0], [1, 3, crop, crop] if crop else None))
    return found
