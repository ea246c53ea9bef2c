"""Where labelled samples come from, by name: one interface to all that can be read without other tables.

A reader is imported when it is asked for: a job that generates a hundred points need not wait for torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from filterscope.data.rejection import Rejections
from filterscope.data.samples import arrays, cifar, idx, planes
from filterscope.data.samples.labelled_samples import LabelledSamples, SamplesError, split_off

_BRIGHTEST = 16  # of scikit-learn's digits


def digits(test: float, seed: int) -> LabelledSamples:
    """scikit-learn's 1,797 digits, uint8 [N, 1, 8, 8]; their 17 steps of grey are spread over 0 to 255."""
    from sklearn.datasets import load_digits

    packaged = load_digits()
    values = np.round(packaged.images * (255 / _BRIGHTEST)).astype(np.uint8)[:, None]
    return split_off(values, packaged.target.astype(np.int64), idx.DIGITS, test, seed)


def _generated(
    name: str, path, seed: int, limits, *, points: int, test_points: int, noise: float | None
) -> LabelledSamples:
    return planes.generated(name, points, test_points, noise, seed)


def _digits(path, seed: int, limits, *, test: float) -> LabelledSamples:
    return digits(test, seed)


def _idx(classes: tuple[str, ...], path, seed: int, limits) -> LabelledSamples:
    return idx.read_idx_folder(path, classes)


def _cifar10(path, seed: int, limits) -> LabelledSamples:
    return cifar.read_cifar10(path)


def _arrays(path, seed: int, limits, *, test: float) -> LabelledSamples:
    return arrays.read_arrays(path, test, seed)


def _folder(path, seed: int, limits, *, size: int | None, test: float, rejections: Rejections) -> LabelledSamples:
    from filterscope.data.samples import class_folders

    return class_folders.read_class_folders(path, size, test, limits, seed, rejections)


def _torchvision(
    path, seed: int, limits, *, dataset: str, size: int | None, arguments: dict, test: float
) -> LabelledSamples:
    from filterscope.data.samples import torchvision_sets

    return torchvision_sets.read_torchvision(dataset, path, size, arguments, test, seed)


SOURCES: dict[str, Callable[..., LabelledSamples]] = {
    **{name: partial(_generated, name) for name in planes.SHAPES},
    "digits": _digits,
    "mnist": partial(_idx, idx.DIGITS),
    "fashion_mnist": partial(_idx, idx.FASHION),
    "cifar10": _cifar10,
    "arrays": _arrays,
    "folder": _folder,
    "torchvision": _torchvision,
}


def read(
    source: str,
    path: str | Path | None,
    limits: Mapping[str, int | None],
    seed: int,
    rejections: Rejections | None = None,
    **settings,
) -> LabelledSamples:
    """Samples of one of SOURCES.

    path: file or folder that it reads, None for what is generated or packaged. limits: at most so many samples of
    a split. rejections: takes pictures of class folders that cannot be read; None stops at one. settings: what the
    source takes besides. Raises SamplesError.
    """
    if source not in SOURCES:
        raise SamplesError(f"source is {source!r}, should be one of {', '.join(SOURCES)}")
    if source == "folder":
        settings["rejections"] = Rejections(0) if rejections is None else rejections
    return SOURCES[source](path, seed, limits, **settings).limited(limits, seed)
