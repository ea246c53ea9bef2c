"""Whether a network's parameters were written: a step that did not happen has no temperature.

Optimisers write in place, which PyTorch counts. Two kinds do not fit: code that writes behind its back (`p.data`),
which the parameters' own bits give away, and fused optimisers under a gradient scaler, which are called, and counted,
but write nothing where a gradient is infinite.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes of an element


class Writes:
    """What a network's parameters are at a moment, and whether they were written since."""

    def __init__(self, network: nn.Module, bits: bool):
        """bits: look at the parameters' bits too, which takes a pass over the memory."""
        self._network, self._bits = network, bits
        self.start()

    def start(self) -> None:
        """This is the moment."""
        self._parameters = list(self._network.parameters())
        self._versions = [_version(each) for each in self._parameters]
        self._sums = [_sum(each) for each in self._parameters] if self._bits else []
        # Of every optimiser's step: whether a scaler told it of something infinite, on its device.
        self._skips: list[Tensor | bool] = []

    @property
    def counted(self) -> bool:
        """Whether PyTorch has counted a write, or another parameter is in the place of one."""
        now = list(self._network.parameters())
        if len(now) != len(self._parameters) or any(a is not b for a, b in zip(now, self._parameters, strict=True)):
            return True
        if self._skips and all(bool(each > 0) for each in self._skips):
            return self.changed
        return [_version(each) for each in now] != self._versions

    @property
    def changed(self) -> bool:
        """Whether a parameter has other bits, or came or went; False where bits are not looked at."""
        if not self._bits:
            return False
        now = list(self._network.parameters())
        if len(now) != len(self._sums):
            return True
        return any(bool(before != _sum(each)) for before, each in zip(self._sums, now, strict=True))

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """In the block, what a gradient scaler tells fused optimisers is noted."""
        handle = register_optimizer_step_post_hook(self._stepped)
        try:
            yield
        finally:
            handle.remove()

    def _stepped(self, optimiser: Optimizer, arguments, named) -> None:
        own = {id(each) for each in self._parameters}
        if not any(id(each) in own for group in optimiser.param_groups for each in group["params"]):
            return  # another network's
        infinite = getattr(optimiser, "found_inf", None)
        self._skips.append(infinite.detach().clone() if isinstance(infinite, Tensor) else False)


def check_parameters(network: nn.Module) -> None:
    """Raises ValueError where parameters are made by the first pass only (nn.LazyLinear and its like)."""
    lazy = [name for name, each in network.named_parameters() if is_lazy(each)]
    if lazy:
        raise ValueError(
            f"the network's {', '.join(lazy[:3])} {'has' if len(lazy) == 1 else 'have'} no shape yet (lazy modules): "
            "let a batch pass through it before it is watched"
        )


def _version(parameter: Tensor) -> int | None:
    return None if parameter.is_inference() else parameter._version


def _sum(parameter: Tensor) -> Tensor:
    """The sum of a parameter's bits as whole numbers, on its device."""
    values = parameter.detach()
    values = values.coalesce().values() if values.is_sparse else values
    values = torch.view_as_real(values) if values.is_complex() else values
    return values.reshape(-1).view(_INTEGERS[values.element_size()]).sum(dtype=torch.int64)
