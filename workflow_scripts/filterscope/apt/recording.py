"""Records the activation patterns of a forward pass of an unmodified network, and repeats that pass after a step.

Functions and modules alike are seen, because torch tells a TorchFunctionMode of every call: nn.ReLU, F.relu, in
place or not. Hooks only keep track of the module in which a call happens, so that a module that is used several
times, as in torchvision's blocks, has several calls (docs/methods.md, Patterns and temperatures).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from filterscope.apt import patterns
from filterscope.apt.network_state import (
    put_attributes_back,
    put_buffers_back,
    put_memory_back,
    saved_attributes,
    saved_buffers,
    saved_memory,
    unchanged_state,
)
from filterscope.apt.readings import ActivationCall, Counts, difference
from filterscope.apt.rectifiers import seen
from filterscope.apt.streams import Streams

# Where a function is used that belongs to the network itself; no submodule can have this name.
ROOT = "forward"
# Patterns that may differ between two passes of the same batch and weights: rounding, where a device adds up in another
# order. More is noise.
ROUNDING = 0.01


@dataclass
class Pass:
    """The patterns of one forward pass and, where there is an earlier one to compare with, what stayed the same."""

    activations: tuple[str, ...]
    channel_axis: int
    earlier: Pass | None = None
    last: bool = True  # the earlier pass is not needed again
    calls: list[ActivationCall] = field(default_factory=list)
    packed: list[Tensor] = field(default_factory=list)
    same: list[Tensor] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    poisoned: list[Tensor] = field(default_factory=list)
    silent: list[Tensor] = field(default_factory=list)  # units below every threshold everywhere
    units: list[int] = field(default_factory=list)
    others: dict[str, None] = field(default_factory=dict)  # activations seen that are not measured, in order

    def note(self, layer: str, call: int, name: str, values: Tensor, thresholds: tuple[float, ...]) -> None:
        """Look at what goes into an activation. Raises ValueError where the earlier pass has something else there."""
        place, here = len(self.calls), ActivationCall(layer, call, name)
        packed = patterns.pack(values, thresholds, self.channel_axis)
        silent = patterns.silent(values, thresholds, self.channel_axis)
        self.silent.append(silent.sum())
        self.units.append(len(silent))
        self.calls.append(here)
        self.positions.append(packed.shape[0] * packed.shape[2])
        self.poisoned.append(patterns.poisoned(values))
        if self.earlier is None:
            self.packed.append(packed)
            return
        if place >= len(self.earlier.calls) or self.earlier.calls[place] != here:
            raise ValueError(f"the two passes differ: {difference(tuple(self.earlier.calls), tuple(self.calls))}")
        before = self.earlier.packed[place]
        if self.last:
            self.earlier.packed[place] = None  # memory: one batch's patterns at most
        if before.shape != packed.shape:
            raise ValueError(
                f"the batch changed between the two passes: patterns of {here} are {list(before.shape)} before the "
                f"step and {list(packed.shape)} after it; the same batch has to pass twice"
            )
        self.same.append(patterns.unchanged(before, packed))

    def check(self) -> None:
        """Raises ValueError where nothing was measured."""
        if self.calls:
            return
        used = f"; it uses {', '.join(self.others)}, which `activations` may name" if self.others else ""
        raise ValueError(
            f"the network has no measurable activation: {', '.join(self.activations)} is not used in its forward "
            f"pass{used}; clamp and maximum are not seen, nor is what runs compiled or scripted"
        )

    def check_repeats(self, other: Pass) -> None:
        """Raises ValueError where another pass of the same batch and weights has other patterns, beyond rounding."""
        told = difference(tuple(self.calls), tuple(other.calls))
        shapes = [(one.shape, two.shape) for one, two in zip(self.packed, other.packed, strict=False)]
        if told or any(one != two for one, two in shapes):
            told = told or "maps have other sizes"
            raise ValueError(f"the network does not do the same twice with the same batch and weights: {told}")
        same = [patterns.unchanged(one, two) for one, two in zip(self.packed, other.packed, strict=True)]
        shares = {
            str(call): 1 - int(each) / count for call, each, count in zip(self.calls, same, self.positions, strict=True)
        }
        noisy = [f"{call} ({share:.1%} of its patterns)" for call, share in shares.items() if share > ROUNDING]
        if noisy:
            raise ValueError(
                f"the network does not do the same twice with the same batch and weights: {', '.join(noisy[:3])}; it "
                "draws random numbers from where they cannot be repeated, which would read as heat: draw from the "
                "global streams of torch, NumPy or random, or keep the generator as an attribute of a module"
            )

    def counts(self) -> Counts:
        """What stayed the same since the earlier pass. Raises ValueError where passes differ in their activations."""
        other = difference(tuple(self.earlier.calls), tuple(self.calls))
        if other:
            raise ValueError(f"the two passes differ: {other}")
        poisoned = [one | two for one, two in zip(self.earlier.poisoned, self.poisoned, strict=True)]
        device = self.same[0].device
        return Counts(
            tuple(self.calls),
            torch.stack([each.to(device) for each in self.same]),
            tuple(self.positions),
            torch.stack([each.to(device) for each in poisoned]),
            torch.stack([each.to(device) for each in self.silent]),
            tuple(self.units),
        )


class _Seen(TorchFunctionMode):
    """Notes the activations among everything that torch is asked to do."""

    def __init__(self, note: Callable[[str, tuple[float, ...], Tensor], None]):
        super().__init__()
        self._note = note

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        activation = seen(function, args, kwargs)
        if activation is not None:  # before the call: it may overwrite its input
            self._note(*activation, args[0] if args else kwargs["input"])
        return function(*args, **kwargs)


@contextlib.contextmanager
def recording(
    network: nn.Module, record: Pass, begun: Callable | None = None, ended: Callable | None = None
) -> Iterator[dict[str, None]]:
    """Within the block, the network's first forward pass is noted in `record`.

    begun: called as begun(arguments, named arguments) right before that pass; ended: right after it. What was compiled
    runs uncompiled in the block, for nothing within compiled code is seen. Every hook is gone after the block, whatever
    happens in it.

    Yields the names of modules of the network that were called on their own, outside of a pass of the network.
    """
    recorder = _Recorder(network, record, begun, ended)
    with contextlib.ExitStack() as stack:
        stack.callback(recorder.close)
        stack.enter_context(uncompiled())
        for module in recorder.names:
            if module is network or isinstance(module, torch.jit.ScriptModule):
                continue  # scripted ones take no hooks, and nothing within them is seen
            stack.callback(module.register_forward_pre_hook(recorder.enter).remove)
            stack.callback(module.register_forward_hook(recorder.leave, always_call=True).remove)
        stack.callback(network.register_forward_pre_hook(recorder.open, with_kwargs=True, prepend=True).remove)
        stack.callback(network.register_forward_hook(recorder.shut, always_call=True).remove)
        yield recorder.alone


def uncompiled() -> contextlib.AbstractContextManager:
    """In the block, what torch.compile has made runs as it was written."""
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and its import takes seconds
        return contextlib.nullcontext()
    return torch.compiler.set_stance("force_eager")


class _Recorder:
    """Keeps track of the module that a call happens in, during a pass of the network."""

    def __init__(self, network: nn.Module, record: Pass, begun: Callable | None, ended: Callable | None):
        self.names = {module: name or ROOT for name, module in network.named_modules()}
        self._network, self._record, self._begun, self._ended = network, record, begun, ended
        self.alone: dict[str, None] = {}
        self._within: list[str] = []
        self._uses: dict[str, int] = {}
        self._mode: _Seen | None = None
        self._done = self._before = False

    def open(self, network, arguments, named) -> None:
        if network is not self._network:
            raise ValueError(
                "the pass is one of a replica (DataParallel): watch the network within, and hand the batch to step()"
            )
        if self._mode is not None or self._done or self._before:
            return
        if self._begun is not None:
            self._before = True  # it may let the network pass itself
            try:
                self._begun(arguments, named)
            finally:
                self._before = False
        self._within, self._uses = [ROOT], {}
        self._mode = _Seen(self._note)
        self._mode.__enter__()

    def shut(self, network, arguments, output) -> None:
        if self._mode is not None:
            self._done = True
            self.close()
            if self._ended is not None:
                self._ended()

    def close(self) -> None:
        mode, self._mode = self._mode, None
        if mode is not None:
            mode.__exit__(None, None, None)

    def enter(self, module, arguments) -> None:
        if self._mode is not None:
            self._within.append(self.names[module])
        elif not (self._done or self._before) and module in self.names:
            self.alone.setdefault(self.names[module])

    def leave(self, module, arguments, output) -> None:
        if self._mode is not None:
            self._within.pop()

    def _note(self, name: str, thresholds: tuple[float, ...], values: Tensor) -> None:
        if name not in self._record.activations:
            self._record.others.setdefault(name)
            return
        layer = self._within[-1]
        call = self._uses.get(layer, 0)
        self._uses[layer] = call + 1
        self._record.note(layer, call, name, values, thresholds)


@dataclass
class Replay:
    """A forward pass that can be repeated: its arguments, random numbers, buffers, modes of the modules and autocast.

    What a repetition itself changes (running statistics of batch norm, random streams, a batch that the network's
    first operation works on in place) is put back after it.
    """

    network: nn.Module
    arguments: tuple
    named: dict
    record: Pass

    def __post_init__(self):
        self._devices = sorted({each.device for each in self._tensors() if each.device.type == "cuda"}, key=str)
        self._streams = Streams(self.network, (self.arguments, self.named), self._devices)
        self._drawn = self._streams.state()
        self._buffers = saved_buffers(self.network)
        self._attributes = saved_attributes(self.network)
        self._memory = saved_memory(self.network, self._inputs())
        self._copies = [each.detach().clone() for each in self._inputs()]
        self._versions = [_version(each) for each in self._inputs()]
        self._written: dict[int, Tensor] = {}  # what the network's own pass has made of its inputs, by their place
        self._modes = [(module, module.training) for module in self.network.modules()]
        kinds = {"cpu", *(device.type for device in self._devices)}
        self._casts = [(kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)) for kind in kinds]

    def _inputs(self) -> list[Tensor]:
        return list(_tensors((self.arguments, self.named)))

    def _tensors(self) -> Iterator[Tensor]:
        yield from self.network.parameters()
        yield from self.network.buffers()
        yield from self._inputs()

    def passed(self) -> None:
        """The first pass is over: what it has written into its inputs itself is no change of the batch."""
        for place, (each, version) in enumerate(zip(self._inputs(), self._versions, strict=True)):
            if _version(each) != version and place not in self._written:
                self._written[place] = each.detach().clone()

    def check(self) -> None:
        """Raises ValueError where the batch is neither what it was nor what the network itself makes of it."""
        for place, (copy, now) in enumerate(zip(self._copies, self._inputs(), strict=True)):
            if not any(torch.equal(each, now) for each in (copy, self._written.get(place, copy))):
                raise ValueError(
                    f"the batch changed between the two passes: input {place} was overwritten during the step; the "
                    "same batch has to pass twice"
                )

    def first(self) -> None:
        """Do the pass itself: the network, its running statistics and random streams stay as they are."""
        self._alone(self.record)

    def trial(self) -> Pass:
        """A pass before the one that counts, to compare that with."""
        record = Pass(self.record.activations, self.record.channel_axis)
        self._alone(record)
        return record

    def _alone(self, record: Pass) -> None:
        self._run(record)
        self.passed()
        inputs = self._inputs()
        for place in self._written:
            inputs[place].data.copy_(self._copies[place])
        self._versions = [_version(each) for each in inputs]

    def again(self, last: bool = True) -> Pass:
        """Repeat the pass and compare its patterns; unless it is the last time, they are kept.

        Raises ValueError where batch or activations have changed.
        """
        self.check()
        record = Pass(self.record.activations, self.record.channel_axis, self.record, last)
        self._run(record)
        return record

    def _run(self, record: Pass) -> None:
        with torch.no_grad(), self._streams.undisturbed(), unchanged_state(self.network, self._inputs()):
            self._streams.put(self._drawn)
            put_buffers_back(self._buffers)
            put_attributes_back(self._attributes)
            put_memory_back(self._memory)
            for module, mode in self._modes:
                module.training = mode
            with contextlib.ExitStack() as stack:
                for kind, dtype, enabled in self._casts:
                    stack.enter_context(torch.autocast(kind, dtype, enabled))
                stack.enter_context(recording(self.network, record))
                stack.enter_context(self._unwritten())
                self.network(*self.arguments, **self.named)

    @contextlib.contextmanager
    def _unwritten(self) -> Iterator[None]:
        """In the block, inputs that the network writes into hold what they held at first, in memory of their own."""
        inputs = self._inputs()
        kept = {place: inputs[place].data for place in self._written}
        try:
            for place in kept:
                inputs[place].data = self._copies[place].clone()
            yield
        finally:
            for place, values in kept.items():
                inputs[place].data = values


def _version(tensor: Tensor) -> int | None:
    """How often a tensor was written into; None for those of inference mode, which do not count it."""
    return None if tensor.is_inference() else tensor._version


def _tensors(nested) -> Iterator[Tensor]:
    """The tensors in tuples, lists and mappings."""
    if isinstance(nested, Tensor):
        yield nested
    elif isinstance(nested, Mapping):
        for each in nested.values():
            yield from _tensors(each)
    elif isinstance(nested, (tuple, list)):
        for each in nested:
            yield from _tensors(each)
