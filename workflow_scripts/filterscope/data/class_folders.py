"""Labelled pictures in folders, one a class: train/ and test/ (or val/) with classes in them, or classes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from filterscope import job
from filterscope.data.folder import SUFFIXES, list_pictures
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.samples import TEST, TRAIN, Samples, SamplesError, joined, stratified

_TESTS = ("test", "val", "valid", "validation")
_LISTED = "val_annotations.txt"  # Tiny ImageNet: name and class of every validation picture, and a box


def read_class_folders(
    folder: str | Path, size: int | None, test: float, limits: Mapping[str, int | None], seed: int
) -> Samples:
    """The pictures, uint8 [N, 3, size, size], or of their own size where all have the same and `size` is None.

    With a folder train/ the test split is the first of test/, val/ and the like that has train's classes (Tiny
    ImageNet's list of validation pictures is understood); without one, a share `test` of every class. A class is a
    folder; its pictures may lie deeper. limits: at most so many pictures of a split, drawn by class before any is
    decoded. Raises SamplesError for empty class folders, strange classes and mixed sizes, ImageError for pictures
    that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SamplesError(f"{folder}: there is no such folder")
    files = _listed(folder, test, seed)
    classes = sorted({name for _, name in files[TRAIN]})
    parts = {}
    for place, (split, pairs) in enumerate(files.items()):
        strange = sorted({name for _, name in pairs} - set(classes))
        if strange:
            raise SamplesError(f"{folder}: the {split} pictures have the class {strange[0]!r}, the train pictures not")
        labels = np.array([classes.index(name) for _, name in pairs], np.int64)
        limit = limits.get(split)
        if limit is not None and limit < len(pairs):
            rows = stratified(labels, limit, np.random.default_rng([seed, place]))
            pairs, labels = [pairs[row] for row in rows], labels[rows]
        parts[split] = (read_pictures([path for path, _ in pairs], size), labels)
    return joined(parts, classes)


def read_pictures(paths: Sequence[Path], size: int | None) -> np.ndarray:
    """Pictures as uint8 [N, 3, H, W], the shorter side resized to `size` px and the centre cropped.

    Raises ImageError for pictures that cannot be read, SamplesError for mixed sizes where `size` is None.
    """
    geometry = None if size is None else Geometry(size, size)
    values = None
    for row, path in enumerate(job.progress(paths, len(paths), "reading pictures")):
        picture = read_image(path, apply_exif=True)
        picture = picture.numpy() if geometry is None else geometry.picture(picture).numpy()
        if values is None:
            values = np.empty((len(paths), *picture.shape), np.uint8)
        if picture.shape != values.shape[1:]:
            sizes = " and ".join(f"{each[2]} x {each[1]} px" for each in (values.shape[1:], picture.shape))
            raise SamplesError(f"{paths[0]} and {path} are {sizes}: pictures of mixed size need a `size`")
        values[row] = picture
    return values


def _listed(folder: Path, test: float, seed: int) -> dict[str, list[tuple[Path, str]]]:
    """Files and classes of each split."""
    if not (folder / "train").is_dir():
        pairs = _classes(folder)
        if not test:
            return {TRAIN: pairs}
        labels = np.unique([name for _, name in pairs], return_inverse=True)[1]
        chosen = set(stratified(labels, round(test * len(pairs)), np.random.default_rng(seed)).tolist())
        return {
            TRAIN: [pair for row, pair in enumerate(pairs) if row not in chosen],
            TEST: [pairs[row] for row in sorted(chosen)],
        }
    train = _classes(folder / "train")
    names = {name for _, name in train}
    for place in (folder / name for name in _TESTS):
        if (place / _LISTED).is_file():
            return {TRAIN: train, TEST: _by_list(place)}
        if place.is_dir() and names & {each.name for each in _folders(place)}:
            return {TRAIN: train, TEST: _classes(place)}
    job.LOGGER.info("%s has no test pictures: none of %s with classes of train", folder, ", ".join(_TESTS))
    return {TRAIN: train}


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _classes(folder: Path) -> list[tuple[Path, str]]:
    found = []
    for each in _folders(folder):
        try:
            found += [(each / path, each.name) for path in list_pictures(each)]
        except ValueError as error:
            raise SamplesError(f"the class folder {each} is empty: no {', '.join(SUFFIXES)} in it") from error
    if not found:
        raise SamplesError(f"{folder}: no class folders in it; every class needs a folder of its pictures")
    return found


def _by_list(folder: Path) -> list[tuple[Path, str]]:
    pairs = []
    for number, line in enumerate((folder / _LISTED).read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split("\t")
        if len(parts) < 2:
            raise SamplesError(f"{folder / _LISTED}: line {number} should be a file, a tab and its class")
        pairs.append((folder / "images" / parts[0], parts[1]))
    return pairs
