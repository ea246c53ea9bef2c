"""What a pass may change in a network besides its weights, kept and put back: buffers, modes, values, memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, UntypedStorage, nn

# What every module has, and what is kept of what a module has of its own: values that a pass may change.
_COMMON = frozenset(vars(nn.Module()))
_PLAIN = (bool, int, float, complex, str, type(None), Tensor, list, dict)


@contextlib.contextmanager
def unchanged_state(network: nn.Module, inputs: Iterable[Tensor] = ()) -> Iterator[None]:
    """Buffers (running statistics), train/eval modes and values that modules keep are afterwards what they were.

    inputs: of a pass in the block; modules may keep them, and what becomes of them is no matter of this.
    """
    modes = [(module, module.training) for module in network.modules()]
    buffers, attributes = saved_buffers(network), saved_attributes(network)
    memory = saved_memory(network, inputs)
    try:
        yield
    finally:
        put_buffers_back(buffers)
        put_attributes_back(attributes)
        put_memory_back(memory)
        for module, mode in modes:
            module.training = mode


def saved_buffers(network: nn.Module) -> list[tuple[nn.Module, str, Tensor | None, Tensor | None]]:
    """Module, name, buffer and a copy of each: a forward pass may write into a buffer or put another in its place."""
    return [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in network.modules()
        for name, buffer in module._buffers.items()
    ]


@torch.no_grad()
def put_buffers_back(saved: list[tuple[nn.Module, str, Tensor | None, Tensor | None]]) -> None:
    for module, name, buffer, value in saved:
        if buffer is not None:
            buffer.copy_(value)
        if module._buffers[name] is not buffer:
            module._buffers[name] = buffer


def _own_attributes(module: nn.Module) -> dict:
    return {name: value for name, value in vars(module).items() if name not in _COMMON and isinstance(value, _PLAIN)}


def saved_attributes(network: nn.Module) -> list[tuple[nn.Module, dict, dict]]:
    """Every module with its counters, flags, caches and the like, and copies of its lists and dicts."""
    saved = []
    for module in network.modules():
        own = _own_attributes(module)
        copies = {name: value.copy() for name, value in own.items() if isinstance(value, (list, dict))}
        saved.append((module, own, copies))
    return saved


def put_attributes_back(saved: list[tuple[nn.Module, dict, dict]]) -> None:
    for module, own, copies in saved:
        for name in _own_attributes(module).keys() - own.keys():
            del vars(module)[name]
        vars(module).update(own)
        for name, copy in copies.items():
            kept = own[name]
            kept.clear()
            kept.extend(copy) if isinstance(kept, list) else kept.update(copy)


def saved_memory(network: nn.Module, inputs: Iterable[Tensor]) -> list[tuple[UntypedStorage, UntypedStorage]]:
    """The memory of tensors that modules keep as plain attributes, which a pass may write into, and a copy of it.

    Once where several share it, and not that of parameters, which a step is to change, of buffers, which have a copy,
    and of inputs. Tensors with gradients are results of a pass, or trained.
    """
    known = {_place(each) for each in (*network.parameters(), *network.buffers(), *inputs)}
    found: dict[tuple, UntypedStorage] = {}
    for module in network.modules():
        for value in _own_attributes(module).values():
            if isinstance(value, Tensor) and not value.requires_grad and (place := _place(value)):
                found[place] = value.untyped_storage()
    return [(memory, memory.clone()) for place, memory in found.items() if place not in known]


def _place(tensor: Tensor) -> tuple | None:
    """Where a tensor's memory is; None where it has none of its own (sparse, empty, meta, made of other tensors)."""
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout is not torch.strided or tensor.is_meta:
        return None
    memory = tensor.untyped_storage()
    return (str(tensor.device), memory.data_ptr()) if memory.nbytes() else None


def put_memory_back(saved: list[tuple[UntypedStorage, UntypedStorage]]) -> None:
    """Autograd does not count it as a write, so a graph that holds such a tensor stays whole."""
    for memory, copy in saved:
        memory.copy_(copy)
