"""Activation functions whose patterns can be told, and the thresholds between their pieces.

The pattern of a ReLU is where it is positive. Of other piecewise linear functions, it tells in which piece every
value is; of smooth ones that bend at zero, the sign of what goes in. All are told by the input, which an in-place
function overwrites.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import torch
from torch.nn import functional

# Thresholds by a function's positional and keyword arguments.
Thresholds = Callable[[tuple, dict], tuple[float, ...]]


def _argument(args: tuple, named: dict, place: int, name: str, default: float) -> float:
    return float(args[place] if len(args) > place else named.get(name, default))


def _fixed(*values: float) -> Thresholds:
    return lambda args, named: values


def _hardtanh(args: tuple, named: dict) -> tuple[float, ...]:
    return _argument(args, named, 1, "min_val", -1.0), _argument(args, named, 2, "max_val", 1.0)


def _threshold(args: tuple, named: dict) -> tuple[float, ...]:
    return (_argument(args, named, 1, "threshold", 0.0),)


def _shrink(args: tuple, named: dict) -> tuple[float, ...]:
    width = _argument(args, named, 1, "lambd", 0.5)
    return -width, width


# By the name of the function in torch.nn.functional.
ACTIVATIONS: dict[str, Thresholds] = {
    "relu": _fixed(0.0),
    "leaky_relu": _fixed(0.0),
    "prelu": _fixed(0.0),
    "rrelu": _fixed(0.0),
    "relu6": _fixed(0.0, 6.0),
    "hardtanh": _hardtanh,
    "hardswish": _fixed(-3.0, 3.0),
    "hardsigmoid": _fixed(-3.0, 3.0),
    "hardshrink": _shrink,
    "softshrink": _shrink,
    "threshold": _threshold,
    "elu": _fixed(0.0),
    "celu": _fixed(0.0),
    "selu": _fixed(0.0),
    "gelu": _fixed(0.0),
    "silu": _fixed(0.0),
    "mish": _fixed(0.0),
}


def _spellings(name: str) -> Iterable[Callable]:
    """The functions and methods of this name, in place or not: F.relu, torch.relu_, Tensor.relu ..."""
    for owner in (functional, torch, torch.Tensor, torch._C._nn):
        for spelled in (name, f"{name}_"):
            if hasattr(owner, spelled):
                yield getattr(owner, spelled)


# What torch calls: function or method -> name.
NAMES: dict[Callable, str] = {function: name for name in ACTIVATIONS for function in _spellings(name)}


def seen(function: Callable, args: tuple, named: dict) -> tuple[str, tuple[float, ...]] | None:
    """Name and thresholds of a call, None where it is no activation. nn.ReLU6 calls hardtanh from 0 to 6."""
    name = NAMES.get(function)
    if name is None:
        return None
    thresholds = ACTIVATIONS[name](args, named)
    return ("relu6" if name == "hardtanh" and thresholds == (0.0, 6.0) else name), thresholds


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Names of activations. Raises ValueError for one that is not known, or for none."""
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise ValueError(f"activations is empty, should name some of {', '.join(ACTIVATIONS)}")
    for name in names:
        if name not in ACTIVATIONS:
            near = difflib.get_close_matches(str(name), ACTIVATIONS, n=3, cutoff=0.5) or list(ACTIVATIONS)
            raise ValueError(f"activations has {name!r}, should be of {', '.join(near)}")
    return names
