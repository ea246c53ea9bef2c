"""Any classification set of torchvision.datasets, by its name there."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

from filterscope import job
from filterscope.data.geometry import Geometry
from filterscope.data.samples.labelled_samples import (
    TEST,
    TRAIN,
    LabelledSamples,
    SamplesError,
    joined,
    numbered,
    split_off,
)

# How sets call their splits, where they do not say train and test.
_SPLITS = {
    "ImageNet": ("train", "val"),
    "Imagenette": ("train", "val"),
    "OxfordIIITPet": ("trainval", "test"),
    "Places365": ("train-standard", "val"),
}


def read_torchvision(
    dataset: str,
    root: str | Path,
    size: int | None,
    arguments: Mapping,
    test: float,
    seed: int,
    download: bool = False,
) -> LabelledSamples:
    """Pictures uint8 [N, C, H, W] and classes of a set whose items are a picture and a whole number.

    root: where torchvision looks for the files, or puts them with `download`. size: px; may be None where all
    pictures have one size. arguments: further keywords of the set, as split: letters of EMNIST. test: share that
    becomes the test split of sets that have none. Raises SamplesError naming the set.
    """
    parts, classes = {}, None
    for split, opened in opened_splits(dataset, root, arguments, download).items():
        values, labels = _items(opened, dataset, size)
        parts[split] = (values, labels)
        classes = classes or [_first(name) for name in getattr(opened, "classes", None) or []]
    try:
        _, numbers = numbered(np.concatenate([labels for _, labels in parts.values()]))
        classes = classes if classes and len(classes) == len(numbers) else numbers  # its own names where they fit
        if TEST in parts:
            return joined(parts, classes)
        return split_off(*parts[TRAIN], classes, test, seed)
    except SamplesError as error:
        raise SamplesError(f"torchvision's {dataset}: {error}") from error


def opened_splits(dataset: str, root: str | Path, arguments: Mapping, download: bool) -> dict[str, object]:
    """The set's objects by split; one, under "train", where it has no splits."""
    kind = getattr(torchvision.datasets, dataset, None)
    if dataset not in torchvision.datasets.__all__ or not inspect.isclass(kind):
        known = ", ".join(name for name in torchvision.datasets.__all__ if name[0].isupper())
        raise SamplesError(f"torchvision.datasets has no {dataset!r}; it has {known}")
    keywords = dict(arguments)
    known = inspect.signature(kind).parameters
    strange = [name for name in keywords if name not in known]
    if strange:
        raise SamplesError(f"torchvision's {dataset} has no argument {strange[0]!r}; it has {', '.join(known)}")
    if "download" in known:
        keywords["download"] = download
    choices = {TRAIN: {}}
    if "train" in known and "train" not in keywords:
        choices = {TRAIN: {"train": True}, TEST: {"train": False}}
    elif "split" in known and "split" not in keywords:
        train, test = _SPLITS.get(dataset, (TRAIN, TEST))
        choices = {TRAIN: {"split": train}, TEST: {"split": test}}
    try:
        return {split: kind(str(root), **keywords, **choice) for split, choice in choices.items()}
    except (RuntimeError, ValueError, TypeError, FileNotFoundError) as error:
        raise SamplesError(f"torchvision's {dataset} cannot be opened in {root}: {error}") from error


def _items(opened, dataset: str, size: int | None) -> tuple[np.ndarray, np.ndarray]:
    geometry = None if size is None else Geometry(size, size)
    values, labels = [], []
    for row, (picture, label) in enumerate(job.progress(opened, len(opened), f"reading {dataset}")):
        if not isinstance(picture, Image.Image) or not isinstance(label, (int, np.integer)):
            found = f"{type(picture).__name__} and {type(label).__name__}"
            raise SamplesError(f"torchvision's {dataset}: item {row} is {found}, should be a picture and its class")
        pixels = _channels_first(picture)
        values.append(pixels.numpy() if geometry is None else geometry.picture(pixels).numpy())
        labels.append(int(label))
        if values[-1].shape != values[0].shape:
            found = f"items 0 and {row} are {list(values[0].shape)} and {list(values[-1].shape)}"
            raise SamplesError(f"torchvision's {dataset}: {found}; pictures of mixed size need a `size`")
    if not values:
        raise SamplesError(f"torchvision's {dataset} has no items")
    return np.stack(values), np.array(labels, np.int64)


def _channels_first(picture: Image.Image) -> torch.Tensor:
    """uint8 [1, H, W] of grey pictures, [3, H, W] of all others."""
    pixels = np.array(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"))
    return torch.from_numpy(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def _first(name: str | tuple[str, ...]) -> str:
    """ImageNet's classes have several names."""
    return name if isinstance(name, str) else name[0]
