"""Labelled samples from the user's own arrays: an npz file with x and y, and x_test and y_test if there are any."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from filterscope.data.samples import TEST, TRAIN, Samples, SamplesError, joined, numbered, split_off

_CHANNELS = (1, 3)
_LARGEST = 255


def read_arrays(path: str | Path, test: float, seed: int) -> Samples:
    """x: [N, d], [N, H, W], [N, C, H, W] or [N, H, W, C] of bytes, whole or real numbers; y: [N], text or 0, 1, 2 ...

    test: share of x that becomes the test split where there is no x_test. Raises SamplesError naming the file.
    """
    path = Path(path)
    arrays = _loaded(path)
    try:
        values = _values(arrays["x"], "x")
        labels, classes = numbered(arrays["y"])
        if len(values) != len(labels):
            raise SamplesError(f"x has {len(values)} samples, y has {len(labels)} labels")
        if "x_test" not in arrays:
            return split_off(values, labels, classes, test, seed)
        test_values = _values(arrays["x_test"], "x_test")
        test_labels, _ = numbered(arrays["y_test"], classes)
        if len(test_values) != len(test_labels):
            raise SamplesError(f"x_test has {len(test_values)} samples, y_test has {len(test_labels)} labels")
        if values.dtype != test_values.dtype:
            raise SamplesError(f"x holds {values.dtype}, x_test holds {test_values.dtype}; should be the same")
        return joined({TRAIN: (values, labels), TEST: (test_values, test_labels)}, classes)
    except SamplesError as error:
        raise SamplesError(f"{path}: {error}") from error


def _loaded(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
    except FileNotFoundError:
        raise
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        hint = " (arrays of Python objects are refused: give text or numbers)" if "pickle" in str(error) else ""
        raise SamplesError(f"{path}: no readable npz file: {error}{hint}") from error
    wanted = {"x", "y"} | ({"x_test", "y_test"} if {"x_test", "y_test"} & set(arrays) else set())
    missing = sorted(wanted - set(arrays))
    if missing:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise SamplesError(f"{path}: {', '.join(missing)} missing; it holds {found}, should be x, y, x_test, y_test")
    return arrays


def _values(values: np.ndarray, name: str) -> np.ndarray:
    """uint8 or float32, [N, d] or [N, C, H, W]."""
    if values.dtype.kind not in "biuf":
        raise SamplesError(f"{name} is {values.dtype}, should be numbers")
    if values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4:
        first, last = values.shape[1] in _CHANNELS, values.shape[3] in _CHANNELS
        if first == last:
            found = f"{name} is {list(values.shape)}"
            raise SamplesError(f"{found}: either its second or its last axis should be channels, 1 or 3")
        values = np.ascontiguousarray(values.transpose(0, 3, 1, 2)) if last else values
    elif values.ndim != 2:
        raise SamplesError(f"{name} is {list(values.shape)}, should be [N, d], [N, H, W] or with channels")
    if values.dtype == np.uint8:
        return values
    if values.ndim == 4 and values.dtype.kind in "iu" and values.size and 0 <= values.min() <= values.max() <= _LARGEST:
        return values.astype(np.uint8)  # pixels in a wider type
    with np.errstate(over="ignore"):
        converted = values.astype(np.float32)
    lost = np.isfinite(values) & ~np.isfinite(converted) if values.dtype.kind == "f" else np.zeros(1, bool)
    if lost.any():
        raise SamplesError(f"{name} has values beyond the range of single precision")
    return converted
