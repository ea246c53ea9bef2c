"""Labelled samples from the user's own arrays: an npz file with x and y, and x_test and y_test if there are any."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from filterscope.data import strangers
from filterscope.data.samples.labelled_samples import (
    TEST,
    TRAIN,
    LabelledSamples,
    SamplesError,
    joined,
    numbered,
    split_off,
)

_CHANNELS = (1, 3)
_LARGEST = 255
_WHOLE, _DOUBLE = 2**24, 2**53  # up to which single and double precision hold every whole number
_STEPS = 1000  # of single precision, that a column must span for rounding not to matter
_LOST = 0.25  # of a column's different values, that may become equal: by chance it takes millions of values
_NOISE = 2.0**-40  # relative difference of two values that are the same but for how they were computed


def read_arrays(path: str | Path, test: float, seed: int) -> LabelledSamples:
    """x: [N, d], [N, H, W], [N, C, H, W] or [N, H, W, C] of bytes, whole or real numbers; y: [N], text or 0, 1, 2 ...

    Whole numbers are kept as they are or refused; real numbers are rounded to single precision where that is small
    against the spread of their column. test: share of x that becomes the test split where there is no x_test.
    Raises SamplesError naming the file, the array and the place in it.
    """
    path = Path(path)
    arrays = _loaded(path)
    try:
        names = [name for name in ("x", "x_test") if name in arrays]
        values = dict(zip(names, _values({name: arrays[name] for name in names}), strict=True))
        origins = {name: [f"{name}[{row}]" for row in range(len(values[name]))] for name in names}
        labels, classes = numbered(arrays["y"])
        if len(values["x"]) != len(labels):
            raise SamplesError(f"x has {len(values['x'])} samples, y has {len(labels)} labels")
        if "x_test" not in arrays:
            return split_off(values["x"], labels, classes, test, seed, origins["x"])
        _require_same_kind(arrays["y"], arrays["y_test"])
        test_labels, _ = numbered(arrays["y_test"], classes)
        if len(values["x_test"]) != len(test_labels):
            raise SamplesError(f"x_test has {len(values['x_test'])} samples, y_test has {len(test_labels)} labels")
        parts = {TRAIN: (values["x"], labels), TEST: (values["x_test"], test_labels)}
        return joined(parts, classes, {TRAIN: origins["x"], TEST: origins["x_test"]})
    except SamplesError as error:
        raise SamplesError(f"{path}: {error}") from error


def _loaded(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
    except FileNotFoundError:
        raise
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        with path.open("rb") as file:
            stranger = strangers.recognised(file.read(strangers.START))
        if stranger:
            raise SamplesError(f"{path}: {stranger}; should be an npz file, np.savez(file, x=x, y=y)") from error
        hint = " (arrays of Python objects are refused: give text or numbers)" if "pickle" in str(error) else ""
        raise SamplesError(f"{path}: no readable npz file: {error}{hint}") from error
    wanted = {"x", "y"} | ({"x_test", "y_test"} if {"x_test", "y_test"} & set(arrays) else set())
    missing = sorted(wanted - set(arrays))
    if missing:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise SamplesError(f"{path}: {', '.join(missing)} missing; it holds {found}, should be x, y, x_test, y_test")
    return arrays


def _require_same_kind(labels: np.ndarray, test_labels: np.ndarray) -> None:
    """Numbers would be taken for places in the alphabet of the names, which nobody promised."""
    kinds = ["text" if each.dtype.kind in "US" else "numbers" for each in (labels, test_labels)]
    if kinds[0] != kinds[1]:
        found = f"y holds {kinds[0]} ({labels.dtype}), y_test holds {kinds[1]} ({test_labels.dtype})"
        raise SamplesError(f"{found}; should be the same kind of labels in both")


def _values(arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """All as uint8 or all as float32, [N, d] or [N, C, H, W]: what one of them cannot be, none is."""
    shaped = {name: _channels_first(values, name) for name, values in arrays.items()}
    if all(map(_are_bytes, shaped.values())):
        return [values.astype(np.uint8, copy=False) for values in shaped.values()]
    whole = all(values.dtype.kind in "iu" and values.dtype != np.uint8 for values in shaped.values())
    if any(map(_are_bytes, shaped.values())) and not whole:  # 0 to 255 beside 0 to 1, most likely
        found = ", ".join(f"{name} holds {values.dtype}" for name, values in shaped.items())
        raise SamplesError(f"{found}; should be the same")
    return [_single(values, name) for name, values in shaped.items()]


def _channels_first(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise SamplesError(f"{name} is {values.dtype}, should be numbers")
    if values.ndim == 3:
        return values[:, None]
    if values.ndim == 4:
        first, last = values.shape[1] in _CHANNELS, values.shape[3] in _CHANNELS
        if first == last:
            found = f"{name} is {list(values.shape)}"
            raise SamplesError(f"{found}: either its second or its last axis should be channels, 1 or 3")
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2)) if last else values
    if values.ndim != 2:
        raise SamplesError(f"{name} is {list(values.shape)}, should be [N, d], [N, H, W] or with channels")
    return values


def _are_bytes(values: np.ndarray) -> bool:
    """Bytes, or pixels in a wider type."""
    if values.dtype == np.uint8:
        return True
    pixels = values.ndim == 4 and values.dtype.kind in "iu" and values.size
    return bool(pixels) and 0 <= values.min() <= values.max() <= _LARGEST


def _single(values: np.ndarray, name: str) -> np.ndarray:
    """float32. Raises SamplesError naming the first value that single precision cannot stand for."""
    with np.errstate(over="ignore"):
        converted = values.astype(np.float32)
    if values.dtype.kind in "iu":
        _require_exact(values, converted, name)
    elif values.dtype.itemsize > converted.itemsize:
        lost = np.isfinite(values) & ~np.isfinite(converted)
        if lost.any():
            place, value = _first(lost, values)
            raise SamplesError(f"{name}{place} is {value}, beyond the range of single precision")
        _require_spread(values, name)
    return converted


def _require_exact(values: np.ndarray, converted: np.ndarray, name: str) -> None:
    """Whole numbers are ids, counts or codes: two that are different must stay so."""
    if values.size and max(-int(values.min()), int(values.max())) <= _WHOLE:
        return
    # Compared in double precision, which from 2^53 on rounds the original as well: nothing from there is taken.
    changed = (converted.astype(np.float64) != values.astype(np.float64)) | (np.abs(converted) >= _DOUBLE)
    if changed.any():
        place, value = _first(changed, values)
        raise SamplesError(
            f"{name}{place} is {value}, but single precision holds whole numbers up to 2^24 without gaps "
            f"({_WHOLE:,}): subtract an offset or divide; if rounding does not matter, save x as real numbers"
        )


def _require_spread(values: np.ndarray, name: str) -> None:
    """A column that hardly varies beside its size, as times since 1970, would keep few of its different values.

    What is lost is counted, as a single 0 makes the span of such a column wide.
    """
    if not values.size:
        return
    columns = values.reshape(len(values), -1)
    least, most = columns.min(0), columns.max(0)  # of columns with NaN both are NaN, which `LabelledSamples` refuses
    steps = np.spacing(np.maximum(np.abs(least), np.abs(most)).astype(np.float32))
    for column in np.flatnonzero(most > least).tolist():
        own, step = np.unique(columns[:, column]), steps[column]
        left = len(np.unique(own.astype(np.float32)))
        apart = np.diff(own) > _NOISE * np.abs(own[1:])
        lost = 1 + np.count_nonzero(apart) - left
        if left < len(own) and (own[-1] - own[0] < _STEPS * step or lost > _LOST * len(own)):
            place = list(map(int, np.unravel_index(column, values.shape[1:])))
            raise SamplesError(
                f"column {place} of {name} goes from {own[0]} to {own[-1]}; single precision has steps of {step:g} "
                f"there, and of {len(own)} different values {left} would be left: subtract an offset"
            )


def _first(where: np.ndarray, values: np.ndarray) -> tuple[list[int], object]:
    place = tuple(map(int, np.argwhere(where)[0]))
    return list(place), values[place]
