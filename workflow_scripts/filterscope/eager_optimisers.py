"""PyTorch's optimisers without its compiler, which the first of a process loads for 1.5 CPU seconds and never uses.

`torch.optim` shields its methods from torch.compile: each asks `torch._dynamo`, and so imports it, even where nothing
is compiled. The classes here are subclasses of PyTorch's whose methods are what those shields hold. PyTorch itself
stays as it is: a network of torch.compile, or an optimiser of a user's own code, loads the compiler and works as ever.
"""

from __future__ import annotations

import functools
import inspect

import torch
from torch.optim import Optimizer

# Where a PyTorch shields them no more, unwrapping gives them as they are.
_SHIELDED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


@functools.cache
def eager(kind: type[Optimizer]) -> type[Optimizer]:
    """A kind of optimiser that computes the same, bit for bit, and leaves the compiler alone.

    It takes no `differentiable=True`, whose steps keep gradients. Not to be compiled itself: torch.compile would find
    no shields.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in _SHIELDED}
    if inspect.unwrap(kind.step) is not kind.step:
        methods["step"] = _without_gradients(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "__module__": __name__, "__doc__": kind.__doc__})


def _without_gradients(step):
    """A bare step in the mode that its shield would set; a closure enables gradients by itself."""

    @functools.wraps(step)
    def stepped(self, *arguments, **named):
        if self.defaults.get("differentiable"):
            raise ValueError(f"{type(self).__name__}: differentiable=True needs the optimiser of torch.optim")
        with torch.no_grad():
            return step(self, *arguments, **named)

    return stepped


SGD = eager(torch.optim.SGD)
Adam = eager(torch.optim.Adam)
AdamW = eager(torch.optim.AdamW)
