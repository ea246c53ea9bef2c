"""Layers of a network: which there are, and what one of them answers to pictures.

torchvision's blocks use one ReLU module several times in a forward pass, so a layer's output is told by the
module's dotted path and the index of its use, the call (docs/methods.md, Layers and calls).
"""

from __future__ import annotations

import contextlib
import difflib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from filterscope.data.networks.layout_kinds import Layout
from filterscope.data.networks.layouts import Seen, layouts
from filterscope.data.networks.passes import (
    LayerError,
    Size,
    both_sides,
    described,
    evaluating,
    first_pass,
    hooked,
    takes_no_hooks,
    tensor_at,
)

__all__ = [
    *("LayerCall", "LayerError", "LeftOut", "Reader", "Readers", "Size", "Survey"),
    *("evaluating", "find_layer", "list_layers", "survey"),
]

NEAREST = 3  # names that an error suggests
UNWATCHED = "is a scripted module (TorchScript), which cannot be watched: return the module that it was scripted from"


@dataclass(frozen=True)
class LayerCall:
    """One use of a module in a forward pass: its filters and the size of their maps.

    layout: how its output becomes maps. two calls are equal where the rest is.
    """

    layer: str
    call: int
    kind: str
    filters: int
    height: int
    width: int
    layout: Layout | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class LeftOut:
    """One use of a module that cannot be read, and why."""

    layer: str
    call: int
    kind: str
    reason: str


@dataclass(frozen=True)
class Survey:
    """Every use of a module in a forward pass, in its order: what can be read, and what cannot."""

    layers: list[LayerCall]
    left_out: list[LeftOut]


def survey(network: nn.Module, input_size: Size = 224) -> Survey:
    """All layers of a network, for a picture of this size (px; a side, or height and width).

    Raises LayerError where the network cannot take such a picture.
    """
    found, left_out = [], []
    for each in layouts(network, input_size)[0]:
        said = (each.use.name, each.use.call, type(each.use.module).__name__)
        if each.layout is None:
            left_out.append(LeftOut(*said, each.reason))
        elif larger := _larger(each.layout, input_size):
            left_out.append(LeftOut(*said, f"it puts out {larger}"))
        else:
            size = (each.layout.filters, each.layout.height, each.layout.width)
            found.append(LayerCall(*said, *size, layout=each.layout))
    left_out += [
        LeftOut(name, 0, type(module).__name__, f"it {UNWATCHED}")
        for name, module in network.named_modules()
        if takes_no_hooks(module) and not takes_no_hooks(network.get_submodule(name.rpartition(".")[0]))
    ]
    return Survey(found, left_out)


def list_layers(network: nn.Module, input_size: Size = 224) -> list[LayerCall]:
    """Every use of a module whose output is maps of filters, in the order of the forward pass, as `survey` has them.

    Maps are [B, C], [B, C, H, W], [B, H, W, C] or tokens, [B, N, C] and [B, C, N], alone or in a tuple or mapping.
    """
    return survey(network, input_size).layers


def _larger(layout: Layout, size: Size) -> str | None:
    """What is said of maps with more cells in a direction than the picture has px; None for others."""
    height, width = both_sides(size)
    if layout.height <= height and layout.width <= width:
        return None
    return f"maps of {layout.width} x {layout.height} cells, more than the {width} x {height} px of the picture"


class _Reached(BaseException):
    """The wanted output is there. No Exception, so that nothing in a network's forward catches it."""

    def __init__(self, output):
        super().__init__()
        self.output = output


class _Watched:
    """What passes of pictures tell of some modules: their uses, and which modules noise uses, if that is asked."""

    def __init__(self, network: nn.Module, modules: Sequence[nn.Module], noise: bool, size: Size):
        names = {name for name, module in network.named_modules() if any(module is each for each in modules)}
        self.seen, self.writes = layouts(network, size, names)
        self.noise = [use.module for use in first_pass(network, size, noise=True).uses] if noise else []


class Reader:
    """Reads one call of a layer; the forward pass ends there.

    >>> with Reader(network, "layer4", input_size=224) as reader:
    ...     maps = reader(images)  # [B, d, h, w]

    call: which use of the module, from 0; negative ones count from the last (-1, the default), which needs a network
    whose uses of the module do not depend on the picture: they are counted for a black picture and for noise.
    A network that writes into its input is given a copy.
    filters, height, width: of the maps of a picture of input_size. layout: how they lie in the output. Whether
    gradients flow is the caller's
    choice. Because the pass ends in the layer, an in-place operation after it never touches the maps.
    Raises LayerError when the layer or the call is not there, or its output is no map of filters.
    """

    def __init__(
        self,
        network: nn.Module,
        layer: str,
        call: int = -1,
        input_size: Size = 224,
        watched: _Watched | None = None,
    ):
        """watched: what was seen of this layer and others, where several are read."""
        self._network, self.layer = network, layer
        self._module = find_layer(network, layer)
        watched = watched or _Watched(network, [self._module], call < 0, input_size)
        self._writes = watched.writes
        seen = [each for each in watched.seen if each.use.module is self._module]
        if not seen:
            raise LayerError(_unused(network, layer, self._module, watched.noise))
        if not -len(seen) <= call < len(seen):
            raise LayerError(
                f"layer {layer!r} is used {len(seen)} times in a forward pass: call is {call}, should be "
                f"from 0 to {len(seen) - 1}, or -1 for the last"
            )
        wanted = seen[call]
        self.layout = self._checked(wanted, input_size)
        self.call = wanted.use.call
        if call < 0:
            self._refuse_changing(watched.noise, call, len(seen))
        self.filters, self.height, self.width = self.layout.filters, self.layout.height, self.layout.width
        self._seen = 0
        self._stack: contextlib.ExitStack | None = None

    def _checked(self, seen: Seen, size: Size) -> Layout:
        """Raises LayerError where an output is no map of filters, or one larger than the picture."""
        if seen.layout is None:
            raise LayerError(
                f"layer {self.layer!r} puts out {seen.use.described}, which is no map of filters: {seen.reason}. "
                "`filterscope layers` lists the layers that can be read"
            )
        if larger := _larger(seen.layout, size):
            raise LayerError(f"layer {self.layer!r} puts out {larger}: name an earlier layer")
        return seen.layout

    def _refuse_changing(self, noise: Sequence[nn.Module], call: int, uses: int) -> None:
        """Raises LayerError where the picture decides how often the layer is used; noise: modules that noise uses."""
        others = sum(module is self._module for module in noise)
        if others != uses:
            raise LayerError(
                f"layer {self.layer!r} is used {uses} times for a black picture and {others} times for noise, so call "
                f"{call} is not the same for every picture: give the call from 0"
            )

    def __enter__(self) -> Reader:
        with contextlib.ExitStack() as stack:
            stack.enter_context(evaluating(self._network))
            stack.enter_context(hooked([self._module], self._catch))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        stack, self._stack = self._stack, None
        stack.close()

    def _catch(self, module, _, output) -> None:
        self._seen += 1
        if self._seen > self.call:
            raise _Reached(output)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """images: float [B, 3, H, W], normalised. Returns maps [B, d, h, w]; of vectors, h = w = 1."""
        if self._stack is None:
            raise RuntimeError("a Reader reads inside its with block only")
        self._seen = 0
        try:
            self._network(images.clone() if self._writes else images)
        except _Reached as reached:
            return self.maps(reached.output, len(images))
        raise self.missed()

    def missed(self) -> LayerError:
        """What to raise where a forward pass ended before the call was reached."""
        return LayerError(f"layer {self.layer!r} was used {self._seen} times here, not {self.call + 1}")

    def maps(self, output, count: int) -> torch.Tensor:
        """The maps [B, d, h, w] in what the layer put out for so many pictures. Raises LayerError."""
        try:
            tensor = tensor_at(output, self.layout.path)
            if self.layout.pictures(tensor) != count:
                raise ValueError(f"the first axis of {list(tensor.shape)} is not the pictures")
            return self.layout.maps(tensor)
        except (TypeError, KeyError, IndexError, ValueError) as error:
            said = f"layer {self.layer!r} put out {described(output)} for {count} pictures: {error}"
            raise LayerError(said) from error


class Readers:
    """Reads several layers of a network in one forward pass, which ends where the last of them is reached.

    >>> with Readers(network, [("layer3", -1), ("layer4", -1)], input_size=224) as readers:
    ...     third, fourth = readers(images)  # float32 [B, d, h, w] each

    layers: dotted paths and calls, each as a Reader takes it. Every map is a copy of its own, because what follows a
    layer may work in place. Raises LayerError also where two of the layers are the same use of the same module.
    """

    def __init__(self, network: nn.Module, layers: Sequence[tuple[str, int]], input_size: Size = 224):
        self._network = network
        modules = [find_layer(network, layer) for layer, _ in layers]
        watched = _Watched(network, modules, any(call < 0 for _, call in layers), input_size)
        self.readers = [Reader(network, layer, call, input_size, watched) for layer, call in layers]
        uses = [(each._module, each.call) for each in self.readers]
        for place, use in enumerate(uses):
            if use in uses[:place]:
                one, other = self.readers[uses.index(use)].layer, self.readers[place].layer
                raise LayerError(f"layers {one!r} and {other!r} are the same use of a module: name it once")
        self._writes = any(each._writes for each in self.readers)
        self._found: dict[int, torch.Tensor] = {}
        self._count = 0
        self._stack: contextlib.ExitStack | None = None

    def __enter__(self) -> Readers:
        with contextlib.ExitStack() as stack:
            stack.enter_context(evaluating(self._network))
            for place, each in enumerate(self.readers):
                stack.enter_context(hooked([each._module], functools.partial(self._catch, place)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        stack, self._stack = self._stack, None
        stack.close()

    def _catch(self, place: int, module, _, output) -> None:
        reader = self.readers[place]
        reader._seen += 1
        if reader._seen == reader.call + 1:
            maps = reader.maps(output, self._count)
            found = maps.float().contiguous()
            self._found[place] = found.clone() if found.data_ptr() == maps.data_ptr() else found
            if len(self._found) == len(self.readers):
                raise _Reached(output)

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """images: float [B, 3, H, W], normalised. Returns the maps of each layer, float32 [B, d, h, w]."""
        if self._stack is None:
            raise RuntimeError("Readers read inside their with block only")
        self._found, self._count = {}, len(images)
        for each in self.readers:
            each._seen = 0
        try:
            self._network(images.clone() if self._writes else images)
        except _Reached:
            return [self._found.pop(place) for place in range(len(self.readers))]
        raise next(each.missed() for place, each in enumerate(self.readers) if place not in self._found)


def _unused(network: nn.Module, layer: str, module: nn.Module, noise: Sequence[nn.Module]) -> str:
    """Why a layer has no output in the forward pass of a black picture; noise: modules that noise uses."""
    parts = layer.split(".")
    for end in range(len(parts)):
        if isinstance(network.get_submodule(".".join(parts[:end])), torch.jit.ScriptModule):
            inside = f"{'.'.join(parts[:end])!r}" if end else "the network"
            whole = "" if takes_no_hooks(network.get_submodule(".".join(parts[:end]))) else ", or read the whole of it"
            return (
                f"layer {layer!r} is inside a scripted module (TorchScript), {inside}, whose layers cannot be read: "
                f"return the module that it was scripted or traced from{whole}"
            )
    if takes_no_hooks(module):
        return f"layer {layer!r} {UNWATCHED}"
    if any(module is each for each in noise):
        return (
            f"layer {layer!r} is used for noise and not for a black picture, so not every picture has an output of it "
            "to read: name a layer that all pictures go through"
        )
    held = any(name.startswith(f"{layer}.") for name, _ in network.named_modules())
    hint = f"; it may only hold other modules, as {layer}.0" if held else ""
    return f"layer {layer!r} is never used in a forward pass of a black picture, so it has no output to read{hint}"


def find_layer(network: nn.Module, layer: str) -> nn.Module:
    """The module of this dotted path. Raises LayerError with the nearest ones."""
    modules = dict(network.named_modules(remove_duplicate=False))
    modules.pop("")
    if not modules:
        kind = type(network).__name__
        raise LayerError(f"the network has no layer {layer!r}: it is one {kind} and holds no module that has a name")
    if layer not in modules:
        near = difflib.get_close_matches(layer, modules, n=NEAREST, cutoff=0.4) or list(modules)[-NEAREST:]
        raise LayerError(f"the network has no layer {layer!r}; the nearest names are {', '.join(near)}")
    return modules[layer]
