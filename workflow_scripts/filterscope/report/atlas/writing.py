"""Files that hand tables to the page: JSON within scripts, safe whatever texts hold, the same for the same input."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

DIGITS = 4  # significant digits of real numbers
# What would end a script or its line if it stood in it as it is.
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_TYPES = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "u32": np.dtype("<u4")}
# How many codes columns of each kind have, smallest first; the last means that there is no value.
KINDS = {kind: int(np.iinfo(each).max) + 1 for kind, each in _TYPES.items()}


class _Exact(float):
    """A number that is written with all its digits."""


def as_json(value: object) -> str:
    """JSON that may stand in a script; numbers rounded, missing ones null.

    Raises TypeError for what JSON has no form for.
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def plain(value: object) -> object:
    """The value of Python's own types: numbers rounded to DIGITS, NaN and infinity None."""
    kind = type(value)
    if kind is float:  # the most frequent first: an atlas has millions of numbers
        return rounded(value)
    if kind in (int, str, bool) or value is None:
        return value
    if kind in (list, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, _Exact):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [plain(each) for each in value]
    if value != value:  # pandas' missing values
        return None
    raise TypeError(f"{type(value).__name__} has no place in the atlas's data")


def rounded(value: float) -> float | int | None:
    """The number with DIGITS significant digits; whole ones without a point; None where it is not finite."""
    if not math.isfinite(value):
        return None
    if value == int(value) and abs(value) < 1e15:
        return int(value)
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short == int(short) else short


def packed(values: Sequence | np.ndarray, kind: str, width: int = 1, linear: bool = False) -> dict | None:
    """A column as base64 of unsigned integers, little endian; None for one without any value.

    kind: u8, u16 or u32; its largest code means that there is no value. width: values per row. linear: real numbers,
    mapped onto the codes evenly between the least and the largest; else the values are codes themselves.
    Raises ValueError for a code beyond the kind.
    """
    numbers = np.asarray([math.nan if each is None else each for each in np.ravel(values)], np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return None
    missing = np.iinfo(_TYPES[kind]).max
    low, step = 0.0, 1.0
    if linear:
        low = float(numbers[known].min())
        step = (float(numbers[known].max()) - low) / (missing - 1) or 1.0
    codes = np.full(len(numbers), missing, np.int64)
    codes[known] = np.rint((numbers[known] - low) / step).astype(np.int64)
    if codes.min() < 0 or (codes[known] >= missing).any():
        raise ValueError(f"codes from {codes.min()} to {codes[known].max()} do not fit into {kind}")
    text = base64.b64encode(codes.astype(_TYPES[kind]).tobytes()).decode()
    column = {"type": kind, "base64": text, "from": _Exact(low), "step": _Exact(step)}
    return column | ({"width": width} if width > 1 else {})


class Texts:
    """Repeated texts of a file: each once, in order of first use, and a code for it."""

    def __init__(self):
        self._codes: dict[str, int] = {}

    def code(self, text: object) -> int | None:
        """The code of a text; None for a missing one."""
        if not isinstance(text, str):
            return None
        return self._codes.setdefault(text, len(self._codes))

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def all(self) -> list[str]:
        """The texts by code."""
        return list(self._codes)


def write_data(folder: Path, name: str, value: object, key: str | None = None) -> int:
    """Write data/NAME.js, which hands the value to the page by its key, else by its name; its size in bytes."""
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = f"filterscope.receive({as_json(key or name)},{as_json(value)});\n".encode("utf-8", "replace")
    path.write_bytes(data)
    return len(data)
