"""Forward passes that are watched: what every module of a network puts out, for one size of picture or another."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn

Size = int | tuple[int, int]  # px: side of a picture, or its height and width
Path = tuple  # where in a module's output a tensor is: () where the output is one, (0,) the first of a tuple
DEEPEST = 2  # mappings and tuples within each other that are looked into
# What goes wrong in a stranger's forward pass.
FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AssertionError, AttributeError)


class LayerError(ValueError):
    """A layer or a call of it is not there or has no filters; says which are right."""


@dataclass(frozen=True)
class Use:
    """One use of a module in a forward pass and the tensors that it put out, by their places in its output."""

    name: str
    module: nn.Module
    call: int
    shapes: dict[Path, tuple[int, ...]]
    described: str

    @property
    def key(self) -> tuple[str, int]:
        return self.name, self.call


@dataclass(frozen=True)
class Pass:
    """The uses of all modules in a forward pass, in its order.

    size: height and width of the picture, px. writes: whether the network wrote into its input. error: what ended the
    pass early, None where nothing did.
    """

    uses: list[Use]
    size: tuple[int, int]
    writes: bool = False
    error: Exception | None = None


def both_sides(size: Size) -> tuple[int, int]:
    """Height and width, px."""
    return (size, size) if isinstance(size, int) else size


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
def hooked(modules: list[nn.Module], hook: Callable) -> Iterator[None]:
    """A forward hook on the modules for a while; what torch.jit.script made takes none."""
    with contextlib.ExitStack() as stack:
        for module in modules:
            if not takes_no_hooks(module):
                stack.callback(module.register_forward_hook(hook).remove)
        yield


def takes_no_hooks(module: nn.Module) -> bool:
    """Whether torch.jit.script made it; traced modules can be watched as any other."""
    scripted, traced = torch.jit.RecursiveScriptModule, torch.jit.TopLevelTracedModule
    return isinstance(module, scripted) and not isinstance(module, traced)


def tensors_in(output, depth: int = 0) -> Iterator[tuple[Path, torch.Tensor]]:
    """The tensors of an output with their places: itself, or those of a tuple, a list or a mapping."""
    if isinstance(output, torch.Tensor):
        yield (), output
    elif depth < DEEPEST and isinstance(output, Mapping | tuple | list):
        parts = output.items() if isinstance(output, Mapping) else enumerate(output)
        for key, part in parts:
            yield from (((key, *path), tensor) for path, tensor in tensors_in(part, depth + 1))


def tensor_at(output, path: Path):
    """What an output has at a place. Raises KeyError, IndexError or TypeError where there is none."""
    for key in path:
        output = output[key]
    return output


def described(output) -> str:
    """What an output is, for a message."""
    if isinstance(output, torch.Tensor):
        return f"a tensor {list(output.shape)}"
    return f"a {type(output).__name__}"


def pictures(network: nn.Module, size: tuple[int, int], count: int = 1, noise: bool = False) -> torch.Tensor:
    """Black pictures, or noise, of the network's device and precision; [count, 3, height, width]."""
    parameter = next(network.parameters(), torch.zeros(()))
    images = torch.zeros(count, 3, *size)
    if noise:
        images = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return images.to(parameter.device, parameter.dtype)


def watched(
    network: nn.Module, images: torch.Tensor, look: Callable | None = None, arguments: Mapping | None = None
) -> Pass:
    """One forward pass of these pictures, however far it comes.

    look: called with every use of a module and its output. arguments: further keywords of the network.
    """
    names = {module: name for name, module in network.named_modules() if name}
    uses: list[Use] = []
    calls = dict.fromkeys(names, 0)

    def note(module, _, output):
        shapes = {path: tuple(tensor.shape) for path, tensor in tensors_in(output)}
        uses.append(Use(names[module], module, calls[module], shapes, described(output)))
        calls[module] += 1
        if look is not None:
            look(uses[-1], output)

    error = None
    with torch.inference_mode(False):  # whose tensors do not count what is written into them
        images = images.clone()
        before = images._version
        try:
            with evaluating(network), torch.no_grad(), hooked(list(names), note):
                network(images, **(arguments or {}))
        except FAILURES as caught:
            error = caught
    return Pass(uses, tuple(images.shape[2:]), images._version != before, error)


def first_pass(network: nn.Module, size: Size, noise: bool = False) -> Pass:
    """The forward pass of a black picture, or of noise. Raises LayerError where the network fails."""
    size = both_sides(size)
    seen = watched(network, pictures(network, size, noise=noise))
    if seen.error is not None:
        raise LayerError(_failure(network, *size, seen.error)) from seen.error
    return seen


def _failure(network: nn.Module, height: int, width: int, error: Exception) -> str:
    """Why a network cannot take a picture, as far as its first convolution tells."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    start = f"the network fails on a picture of 3 channels, {width} x {height} px ({type(error).__name__}: {said})"
    found = [(name, each) for name, each in network.named_modules() if isinstance(each, nn.Conv2d)]
    if found and found[0][1].in_channels != 3:
        name, first = found[0]
        start = f"{start}: its first convolution, {name!r}, takes {first.in_channels} channels, and pictures have 3. "
        if first.in_channels == 1:
            return f"{start}Give input: mean and std one number each, as mean: [0.5], and it is shown grey pictures"
        return f"{start}Let the factory return a module that gives it what it needs made of the 3"
    return f"{start}; where it takes pictures of another size, set input: resize and crop"


def shadow(network: nn.Module) -> nn.Module | None:
    """A copy without memory for its weights, which computes shapes only; None where the network cannot be copied."""
    memo = {}
    for module in network.modules():
        own = (value for value in vars(module).values() if isinstance(value, torch.Tensor))
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False), *own):
            empty = torch.empty_like(tensor, device="meta", requires_grad=False)
            memo[id(tensor)] = nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty
    try:
        return copy.deepcopy(network, memo)
    except (*FAILURES, NotImplementedError):
        return None


def other_pass(network: nn.Module, size: tuple[int, int], real: bool = False) -> Pass:
    """A forward pass of two black pictures of another size, on shapes only where `real` is not wanted.

    Networks for one size that can be made ready for another (timm's set_input_size, transformers'
    interpolate_pos_encoding) are, in the copy. The pass may end early, with its error.
    """
    copied = network if real else shadow(network)
    if copied is None:
        return Pass([], size, error=RuntimeError("the network cannot be copied"))
    arguments = {}
    if "interpolate_pos_encoding" in inspect.signature(copied.forward).parameters:
        arguments = {"interpolate_pos_encoding": True}
    if real:
        return watched(copied, pictures(copied, size, 2), arguments=arguments)
    with torch.device("meta"):  # also for what the network makes on its way
        if hasattr(copied, "set_input_size"):
            with contextlib.suppress(*FAILURES):
                copied.set_input_size(img_size=size)
        images = torch.zeros(2, 3, *size, dtype=next(copied.parameters(), torch.zeros(())).dtype)
        return watched(copied, images, arguments=arguments)
