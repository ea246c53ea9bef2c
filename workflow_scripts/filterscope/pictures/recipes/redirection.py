"""Gradients for filters that are silent: through a ReLU that lets nothing else pass.

At a grey start many filters lie below zero everywhere, and a ReLU passes no gradient on that could change it.
Redirected, it passes those on that would raise what it holds back; for a picture that has a gradient nothing changes
(after the gradient overrides of Olah, Mordvintsev and Schubert's library, 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RELUS = (functional.relu, torch.relu, torch.Tensor.relu)  # modules call the first


class _Redirected(torch.autograd.Function):
    """A ReLU; backward, pictures to which it would pass nothing get what would raise its input."""

    @staticmethod
    def forward(ctx, values: Tensor, top: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.top = top
        return values.clamp(0, top)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        (values,) = ctx.saved_tensors
        passed = gradient * ((values > 0) & (values < ctx.top))
        silent = (passed.flatten(1) == 0).all(1)
        raising = torch.where(values <= 0, gradient.clamp(min=0), 0.0)
        return torch.where(silent.view(-1, *[1] * (gradient.ndim - 1)), raising, passed), None


class Redirecting(TorchFunctionMode):
    """While it is entered, ReLUs are redirected: gradients are those of an objective that is to rise."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        top = _top(function, args, kwargs or {})
        if top is None:
            return function(*args, **(kwargs or {}))
        return _Redirected.apply(args[0] if args else kwargs["input"], top)


def _top(function, args, kwargs) -> float | None:
    """Upper end of a ReLU; None for what is none."""
    if function in RELUS:
        return float("inf")
    if function is functional.relu6:
        return 6.0
    if function is functional.hardtanh:  # what the module ReLU6 calls
        limits = dict(zip(("input", "min_val", "max_val"), args, strict=False)) | kwargs
        return float(limits["max_val"]) if limits.get("min_val") == 0 and "max_val" in limits else None
    return None
