"""Layers of a network: which there are, and what one of them answers to pictures.

torchvision's blocks use one ReLU module several times in a forward pass, so a layer's output is told by the
module's dotted path and the index of its use, the call (docs/methods.md, Layers and calls).
"""

from __future__ import annotations

import contextlib
import difflib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

NEAREST = 3  # names that an error suggests
# Layers that put out [B, C, H, W] and layers that put out [B, ..., C], whatever else the network does.
POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
CHANNELS_FIRST = (nn.Conv2d, nn.BatchNorm2d, *POOLS)
CHANNELS_LAST = (nn.Linear, nn.LayerNorm)

Size = int | tuple[int, int]  # px: side of a picture, or its height and width


class LayerError(ValueError):
    """A layer or a call of it is not there or has no filters; says which are right."""


@dataclass(frozen=True)
class LayerCall:
    """One use of a module in a forward pass: its filters and the size of their maps."""

    layer: str
    call: int
    kind: str
    filters: int
    height: int
    width: int


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode for a while; then every module has the mode that it had."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def _hooked(modules: list[nn.Module], hook: Callable) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_hook(hook).remove)
        yield


def _shape(output) -> tuple[int, ...] | None:
    return tuple(output.shape) if isinstance(output, torch.Tensor) else None


def _described(output) -> str:
    shape = _shape(output)
    return f"a {type(output).__name__}" if shape is None else f"a tensor {list(shape)}"


def _fits(shape: tuple[int, ...] | None, batch: int) -> bool:
    return shape is not None and len(shape) in (2, 4) and shape[0] == batch


@dataclass(frozen=True)
class _Output:
    """One use of a module: what it put out; the shape is None for what is no tensor."""

    module: nn.Module
    call: int
    shape: tuple[int, ...] | None
    described: str


@dataclass(frozen=True)
class _Pass:
    """What modules put out in a forward pass, in the order of their uses; whether the network wrote into its input."""

    outputs: list[_Output]
    writes: bool


def _passed(network: nn.Module, modules: list[nn.Module], height: int, width: int, noise: bool = False) -> _Pass:
    """One forward pass of a black picture, or of noise. Raises LayerError where the network fails."""
    parameter = next(network.parameters(), torch.zeros(()))
    with torch.inference_mode(False):  # whose tensors do not count what is written into them
        images = torch.zeros(1, 3, height, width)
        if noise:
            images = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
        images = images.to(parameter.device, parameter.dtype)
    outputs: list[_Output] = []
    calls = dict.fromkeys(modules, 0)

    def note(module, _, output):
        outputs.append(_Output(module, calls[module], _shape(output), _described(output)))
        calls[module] += 1

    before = images._version
    try:
        with evaluating(network), torch.inference_mode(False), torch.no_grad(), _hooked(modules, note):
            network(images)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AssertionError, AttributeError) as error:
        raise LayerError(_failure(network, height, width, error)) from error
    return _Pass(outputs, images._version != before)


def _failure(network: nn.Module, height: int, width: int, error: Exception) -> str:
    """Why a network cannot take a picture, as far as its first convolution tells."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    start = f"the network fails on a picture of 3 channels, {width} x {height} px ({type(error).__name__}: {said})"
    found = [(name, each) for name, each in network.named_modules() if isinstance(each, nn.Conv2d)]
    if found and found[0][1].in_channels != 3:
        name, first = found[0]
        grey = "images.mean(1, keepdim=True), grey, " if first.in_channels == 1 else "what it needs "
        return (
            f"{start}: its first convolution, {name!r}, takes {first.in_channels} channels, and pictures have 3. Let "
            f"the factory return a module that gives it {grey}made of the 3"
        )
    return f"{start}; where it takes pictures of another size, set input: resize and crop"


def _observe(
    network: nn.Module, modules: list[nn.Module], size: Size
) -> tuple[list[tuple[_Output, tuple | None]], bool]:
    """The outputs of the modules, each with the (filters, height, width) of its maps, None where it has none.

    The second value is whether the network writes into its input.

    Networks with plain layer norms (Swin, ConvNeXt) keep channels last in places: there a [B, x, y, z] output
    is a map of filters only where z is seen to be its width, as it grows with the picture's.
    """
    height, width = (size, size) if isinstance(size, int) else size
    seen = _passed(network, modules, height, width)
    wider: list[_Output] | None = None
    if any(type(module) is nn.LayerNorm for module in network.modules()):
        try:
            wider = _passed(network, modules, height, 2 * width).outputs
        except LayerError:
            wider = []  # the network takes one size of picture only, so where its channels are cannot be seen
    return [(output, _map(output, wider, index)) for index, output in enumerate(seen.outputs)], seen.writes


def _map(output: _Output, wider: list[_Output] | None, index: int) -> tuple[int, int, int] | None:
    shape, kind = output.shape, type(output.module)
    if not _fits(shape, 1):
        return None
    if len(shape) == 2:
        return shape[1], 1, 1
    if kind in CHANNELS_LAST:
        return None
    if wider is not None and kind not in CHANNELS_FIRST:
        other = wider[index].shape if index < len(wider) else None
        if other is None or (other != shape and other[-1] == shape[-1]):
            return None
    return shape[1:]


def list_layers(network: nn.Module, input_size: Size = 224) -> list[LayerCall]:
    """Every use of a module whose output is [B, C] or [B, C, H, W], in the order of the forward pass.

    Modules that put out tokens or tuples are left out.
    """
    names = {module: name for name, module in network.named_modules() if name}
    return [
        LayerCall(names[output.module], output.call, type(output.module).__name__, *filters)
        for output, filters in _observe(network, list(names), input_size)[0]
        if filters is not None
    ]


class _Reached(BaseException):
    """The wanted output is there. No Exception, so that nothing in a network's forward catches it."""

    def __init__(self, output: torch.Tensor):
        super().__init__()
        self.output = output


class Reader:
    """Reads one call of a layer; the forward pass ends there.

    >>> with Reader(network, "layer4", input_size=224) as reader:
    ...     maps = reader(images)  # [B, d, h, w]

    call: which use of the module, from 0; negative ones count from the last (-1, the default), which needs a network
    whose uses of the module do not depend on the picture: they are counted for a black picture and for noise.
    A network that writes into its input is given a copy.
    filters, height, width: of the maps of a picture of input_size. Whether gradients flow is the caller's
    choice. Because the pass ends in the layer, an in-place operation after it never touches the maps.
    Raises LayerError when the layer or the call is not there, or its output is no map of filters.
    """

    def __init__(self, network: nn.Module, layer: str, call: int = -1, input_size: Size = 224):
        self._network, self.layer = network, layer
        self._module = find_layer(network, layer)
        observed, self._writes = _observe(network, [self._module], input_size)
        if not observed:
            raise LayerError(f"layer {layer!r} is never used in a forward pass, so it has no output to read")
        if not -len(observed) <= call < len(observed):
            raise LayerError(
                f"layer {layer!r} is used {len(observed)} times in a forward pass: call is {call}, should be "
                f"from 0 to {len(observed) - 1}, or -1 for the last"
            )
        wanted, filters = observed[call]
        if filters is None:
            raise LayerError(
                f"layer {layer!r} puts out {wanted.described}, which is no map of filters: it should put out "
                "[B, filters] or [B, filters, height, width], and be seen to have its filters there"
            )
        self.call = wanted.call
        if call < 0:
            self._refuse_changing(input_size, call, len(observed))
        self.filters, self.height, self.width = filters
        self._seen = 0
        self._stack: contextlib.ExitStack | None = None

    def _refuse_changing(self, size: Size, call: int, uses: int) -> None:
        """Raises LayerError where the picture decides how often the layer is used."""
        height, width = (size, size) if isinstance(size, int) else size
        others = len(_passed(self._network, [self._module], height, width, noise=True).outputs)
        if others != uses:
            raise LayerError(
                f"layer {self.layer!r} is used {uses} times for a black picture and {others} times for noise, so call "
                f"{call} is not the same for every picture: give the call from 0"
            )

    def __enter__(self) -> Reader:
        with contextlib.ExitStack() as stack:
            stack.enter_context(evaluating(self._network))
            stack.enter_context(_hooked([self._module], self._catch))
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
        """images: float [B, 3, H, W], normalised. Returns the output [B, d, h, w]; of vectors, h = w = 1."""
        if self._stack is None:
            raise RuntimeError("a Reader reads inside its with block only")
        self._seen = 0
        try:
            self._network(images.clone() if self._writes else images)
        except _Reached as reached:
            return self._maps(reached.output, len(images))
        raise self._missed()

    def _missed(self) -> LayerError:
        return LayerError(f"layer {self.layer!r} was used {self._seen} times here, not {self.call + 1}")

    def _maps(self, output, count: int) -> torch.Tensor:
        """What the layer put out for so many pictures, [B, d, h, w]."""
        if not _fits(_shape(output), count):
            raise LayerError(f"layer {self.layer!r} put out {_described(output)} for {count} pictures")
        return output[:, :, None, None] if output.ndim == 2 else output


class Readers:
    """Reads several layers of a network in one forward pass, which ends where the last of them is reached.

    >>> with Readers(network, [("layer3", -1), ("layer4", -1)], input_size=224) as readers:
    ...     third, fourth = readers(images)  # float32 [B, d, h, w] each

    layers: dotted paths and calls, each as a Reader takes it. Every map is a copy of its own, because what follows a
    layer may work in place. Raises LayerError also where two of the layers are the same use of the same module.
    """

    def __init__(self, network: nn.Module, layers: Sequence[tuple[str, int]], input_size: Size = 224):
        self._network = network
        self.readers = [Reader(network, layer, call, input_size) for layer, call in layers]
        uses = [(each._module, each.call) for each in self.readers]
        for place, use in enumerate(uses):
            if use in uses[:place]:
                twice = self.readers[uses.index(use)].layer, self.readers[place].layer
                raise LayerError(f"layers {twice[0]!r} and {twice[1]!r} are the same use of a module: name it once")
        self._writes = any(each._writes for each in self.readers)
        self._found: dict[int, torch.Tensor] = {}
        self._count = 0
        self._stack: contextlib.ExitStack | None = None

    def __enter__(self) -> Readers:
        with contextlib.ExitStack() as stack:
            stack.enter_context(evaluating(self._network))
            for place, each in enumerate(self.readers):
                stack.enter_context(_hooked([each._module], functools.partial(self._catch, place)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        stack, self._stack = self._stack, None
        stack.close()

    def _catch(self, place: int, module, _, output) -> None:
        reader = self.readers[place]
        reader._seen += 1
        if reader._seen == reader.call + 1:
            maps = reader._maps(output, self._count)
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
        raise next(each._missed() for place, each in enumerate(self.readers) if place not in self._found)


def find_layer(network: nn.Module, layer: str) -> nn.Module:
    """The module of this dotted path. Raises LayerError with the nearest ones."""
    modules = dict(network.named_modules(remove_duplicate=False))
    modules.pop("")
    if layer not in modules:
        near = difflib.get_close_matches(layer, modules, n=NEAREST, cutoff=0.4) or list(modules)[-NEAREST:]
        raise LayerError(f"the network has no layer {layer!r}; the nearest names are {', '.join(near)}")
    return modules[layer]
