"""Labelled pictures in folders, one a class: train/ and test/ (or val/) with classes in them, or classes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from filterscope import job
from filterscope.data.datasets.counting import SUFFIXES
from filterscope.data.datasets.folder import fault_of_path, list_pictures
from filterscope.data.geometry import Geometry
from filterscope.data.images import ImageError, read_image
from filterscope.data.rejection import Rejections
from filterscope.data.samples.labelled_samples import (
    TEST,
    TRAIN,
    LabelledSamples,
    SamplesError,
    held_out,
    joined,
    stratified,
)
from filterscope.folders import FolderError, is_visible, subfolders

_KINDS = r"(?:(?P<train>train(?:ing|val)?)|(?P<test>test(?:ing)?)|(?P<val>val(?:id(?:ation)?)?|dev|eval(?:uation)?))"
# How folders of splits are called, with capitals or without: Train, testing, val_set, training-images, val2017.
_SPLIT = re.compile(
    _KINDS + r"(?:[ _-]?(?:dataset|set|split|data|images|pictures))?(?:[ _-]?\d{4})?",
    re.IGNORECASE,
)
# Such a word anywhere in a name, between what is no letter or where small letters meet a capital: seg_train, testA.
_HUMP = r"(?-i:(?<=[a-z])(?=[A-Z]))"
_WORD = re.compile(rf"(?:(?<![^\W\d_])|{_HUMP}){_KINDS}(?:(?![^\W\d_])|{_HUMP})", re.IGNORECASE)
_TESTS = ("test", "val")  # what becomes the test split, the first that there is
_NAMED = 5  # folders that a message spells out
_LISTED = "val_annotations.txt"  # Tiny ImageNet: name and class of every validation picture, and a box


def read_class_folders(
    folder: str | Path,
    size: int | None,
    test: float,
    limits: Mapping[str, int | None],
    seed: int,
    rejections: Rejections,
) -> LabelledSamples:
    """The pictures, uint8 [N, 3, size, size], or of their own size where all have the same and `size` is None.

    With a folder train/ (or Training/, train_set/ ...) the test split is the first of test/, val/ and the like that
    has train's classes (Tiny ImageNet's list of validation pictures is understood); without one of either, a share
    `test` of every class. A class is a folder; its pictures may lie deeper. What is left aside is logged. limits: at
    most so many pictures of a split, drawn by class before any is decoded. rejections: takes those that cannot be
    read. Raises SamplesError for empty class folders, strange classes, mixed sizes and layouts that can be read in two
    ways, RejectionError where more pictures cannot be read than may be left out.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SamplesError(f"{folder}: there is no such folder")
    try:
        files = _listed(folder, test, seed)
    except FolderError as error:
        raise SamplesError(str(error)) from error
    classes = sorted({name for _, name in files[TRAIN]})
    parts, origins, looked_at = {}, {}, 0
    for place, (split, pairs) in enumerate(files.items()):
        strange = sorted({name for _, name in pairs} - set(classes))
        if strange:
            raise SamplesError(f"{folder}: the {split} pictures have the class {strange[0]!r}, the train pictures not")
        labels = np.array([classes.index(name) for _, name in pairs], np.int64)
        limit = limits.get(split)
        if limit is not None and limit < len(pairs):
            rows = stratified(labels, limit, np.random.default_rng([seed, place]))
            pairs, labels = [pairs[row] for row in rows], labels[rows]
        paths = [path.relative_to(folder).as_posix() for path, _ in pairs]
        values, rows = _read_pictures(folder, paths, size, rejections)
        looked_at += len(paths)
        parts[split] = (values, labels[rows])
        origins[split] = [paths[row] for row in rows]
    rejections.check(image=looked_at)
    for split, (values, _) in parts.items():
        if not len(values):
            raise SamplesError(f"{folder}: no picture of the {split} split can be read")
    unread = sorted(set(range(len(classes))) - set(parts[TRAIN][1].tolist()))
    if unread:
        raise SamplesError(f"{folder}: no picture of the class {classes[unread[0]]!r} to train on can be read")
    return joined(parts, classes, origins)


def _read_pictures(
    folder: Path, paths: Sequence[str], size: int | None, rejections: Rejections
) -> tuple[np.ndarray, list[int]]:
    """Pictures as uint8 [N, 3, H, W], the shorter side resized to `size` px and the centre cropped, and which of the
    paths they are from: those that cannot be read go to the rejections.

    Raises SamplesError for mixed sizes where `size` is None.
    """
    geometry = None if size is None else Geometry(size, size)
    values, rows = None, []
    for row, path in enumerate(job.progress(paths, len(paths), "reading pictures")):
        fault = fault_of_path(path)
        try:
            picture = None if fault else read_image(folder / path, apply_exif=True)
        except ImageError as error:
            fault = error.cause
        if fault:
            rejections.add("image", path, fault)
            continue
        picture = picture.numpy() if geometry is None else geometry.picture(picture).numpy()
        if values is None:
            values = np.empty((len(paths), *picture.shape), np.uint8)
        if picture.shape != values.shape[1:]:
            sizes = " and ".join(f"{each[2]} x {each[1]} px" for each in (values.shape[1:], picture.shape))
            raise SamplesError(f"{paths[rows[0]]} and {path} are {sizes}: pictures of mixed size need a `size`")
        values[len(rows)] = picture
        rows.append(row)
    return (np.empty((0, 3, 0, 0), np.uint8) if values is None else values[: len(rows)]), rows


def _listed(folder: Path, test: float, seed: int) -> dict[str, list[tuple[Path, str]]]:
    """Files and classes of each split."""
    train, tests = _splits(folder)
    if train is None:
        return _divided(_classes(folder), test, seed)
    pairs = _classes(train)
    found = _test_pictures(tests, {name for _, name in pairs})
    if found is not None:
        return {TRAIN: pairs, TEST: found}
    if test:
        job.LOGGER.warning("%s has no pictures to test by: %g of every class of %s will do", folder, test, train.name)
    return _divided(pairs, test, seed)


def _divided(pairs: list[tuple[Path, str]], test: float, seed: int) -> dict[str, list[tuple[Path, str]]]:
    names, labels = np.unique([name for _, name in pairs], return_inverse=True)
    if len(names) == 1:
        raise SamplesError(f"there is only one class, {str(names[0])!r}; every class needs a folder of its pictures")
    apart = held_out(labels, test, seed, names.tolist())
    parts = {TRAIN: [pair for pair, out in zip(pairs, apart, strict=True) if not out]}
    return {**parts, TEST: [pair for pair, out in zip(pairs, apart, strict=True) if out]} if test else parts


def _kind(folder: Path) -> str | None:
    """train, test or val, where a folder is called like a split."""
    found = _SPLIT.fullmatch(folder.name)
    return found.lastgroup if found else None


def _like_splits(inside: Sequence[Path]) -> list[Path]:
    """Folders whose names tell splits apart and nothing else, as seg_train and seg_test do, whatever their spelling.

    Names with a word for a split, of at least two kinds, that are the same without it, or are all that there is, or
    one of which is a split's own name: bullet_train and test_tube among others are classes.
    """
    words = {each: found for each in inside if (found := _WORD.search(each.name) or _SPLIT.fullmatch(each.name))}
    rests = {
        each: "" if _kind(each) else re.sub(r"[\W\d_]", "", each.name[: found.start()] + each.name[found.end() :])
        for each, found in words.items()
    }
    alone = len(words) == len(inside)
    for each, found in words.items():
        alike = [
            other for other, rest in rests.items() if alone or not rest or rest.casefold() == rests[each].casefold()
        ]
        if {words[other].lastgroup for other in alike} - {found.lastgroup}:
            return sorted({each, *alike})
    return []


def _splits(folder: Path) -> tuple[Path | None, list[Path]]:
    """The folder of training pictures and those that may have test pictures; None where classes lie in `folder` itself.

    Raises SamplesError for what can be read in both ways, or in none.
    """
    inside = subfolders(folder)
    train, tests = ([each for each in inside if _kind(each) in kinds] for kinds in (("train",), _TESTS))
    others = [each for each in inside if _kind(each) is None]
    tests.sort(key=lambda each: (_TESTS.index(_kind(each)), each.name))
    if len(train) > 1:
        raise SamplesError(f"{folder}: {_spelt(train)} are all called like a training split; should be one")
    alike = _like_splits(inside)
    strange = [each for each in alike if each in others]
    if train and subfolders(train[0]):
        classes = {each.name for each in subfolders(train[0])}
        tested = [each for each in strange if _WORD.search(each.name).lastgroup in _TESTS]
        missed = [each for each in tested if classes & {inner.name for inner in subfolders(each)}]
        if missed and not tests:
            named = f"{folder}: {_spelt(missed)} has classes of {train[0].name}"
            raise SamplesError(f"{named}; should be called test or val")
        if others:
            job.LOGGER.warning("%s: left aside beside %s: %s", folder, train[0].name, _spelt(others))
        return train[0], tests
    if strange:
        raise SamplesError(
            f"{folder}: {_spelt(alike)} look like splits; those should be called train, and test or val, and "
            f"have a folder of every class each; rename them, even if they are classes"
        )
    if tests and not others:
        wanted = f"in {train[0].name} every class needs a folder of its pictures" if train else "train/ is missing"
        raise SamplesError(f"{folder}: {_spelt(train + tests)} are called like splits, but {wanted}")
    if tests:
        raise SamplesError(
            f"{folder}: {_spelt(tests)} is called like a split, but lies beside the classes {_spelt(others)}; put "
            f"those into train/, or rename it if it is a class"
        )
    if train and others:
        job.LOGGER.warning("%s: %s is read as a class, as %s", folder, train[0].name, _spelt(others))
    return None, []


def _test_pictures(tests: list[Path], classes: set[str]) -> list[tuple[Path, str]] | None:
    """Files and classes of the first of these folders that has classes of the training split; None where none has."""
    found, strange = None, []
    for place in tests:
        names = [each.name for each in subfolders(place)]
        listed = (place / _LISTED).is_file()
        if not listed and not classes & set(names):
            if len(names) > 1 or {name.casefold() for name in names} & {name.casefold() for name in classes}:
                strange.append((place, names))
            job.LOGGER.warning("%s: left aside, it has no class of the training split", place)
        elif found is not None:
            job.LOGGER.warning("%s: left aside, another folder is the test split", place)
        else:
            found = _by_list(place) if listed else _classes(place)
            job.LOGGER.info("%s is the test split", place)
    if found is None and strange:
        place, names = strange[0]
        raise SamplesError(
            f"{place}: has the classes {_spelt(names)}, the training split has {_spelt(sorted(classes))}; "
            f"should be the same names"
        )
    return found


def _spelt(folders: Sequence[Path | str]) -> str:
    names = [Path(each).name for each in folders[:_NAMED]]
    return ", ".join(names) + (f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else "")


def _classes(folder: Path) -> list[tuple[Path, str]]:
    found, inside = [], subfolders(folder)
    if len(inside) == 1 and len(subfolders(inside[0])) > 1:
        raise SamplesError(f"{folder}: only one folder in it, {inside[0].name}; the classes are below: name that one")
    for each in inside:
        if _like_splits(subfolders(each)):
            raise SamplesError(f"{each}: a class with splits in it; should be the other way round: train/{each.name}")
        try:
            found += [(each / path, each.name) for path in list_pictures(each)]
        except FolderError:
            raise
        except ValueError as error:
            raise SamplesError(f"the class folder {each} is empty: no {', '.join(SUFFIXES)} in it") from error
    if not found:
        raise SamplesError(f"{folder}: no class folders in it; every class needs a folder of its pictures")
    beside = [each for each in folder.iterdir() if is_visible(each.name) and not each.is_dir()]
    loose = [each for each in beside if each.suffix.lower() in SUFFIXES]
    if loose:
        first = _spelt(sorted(loose))
        job.LOGGER.warning("%s: %d pictures beside the class folders are left aside (%s)", folder, len(loose), first)
    return found


def _by_list(folder: Path) -> list[tuple[Path, str]]:
    pairs = []
    for number, line in enumerate((folder / _LISTED).read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split("\t")
        if len(parts) < 2:
            raise SamplesError(f"{folder / _LISTED}: line {number} should be a file, a tab and its class")
        pairs.append((folder / "images" / parts[0], parts[1]))
    return pairs
