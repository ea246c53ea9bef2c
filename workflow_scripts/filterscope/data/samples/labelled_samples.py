"""Labelled samples: vectors or pictures with a class each, split into train and test.

What the diagnosis and temperature rooms work on, whatever it was read from. The modules beside this one read it:
`planes` (generated), `idx`, `cifar`, `arrays`, `class_folders`, `torchvision_sets`, `object_crops`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from filterscope import job, tables

TRAIN, TEST = "train", "test"
SPLITS = (TRAIN, TEST)
_NAMED = 5  # classes that a message spells out
_LARGEST_INTEGER = 2**53  # up to which double precision holds every whole number
_IDS = "give ids and other numbers as text, as in y.astype(str)"


class SamplesError(ValueError):
    """Labelled samples cannot be used: says what is wrong and what would be right."""


@dataclass(frozen=True, eq=False)
class LabelledSamples:
    """N labelled samples.

    values: uint8 or float32 [N, d] (vectors) or [N, C, H, W] (pictures). labels: int64 [N], 0 to K - 1.
    classes: their names, in order of label. split: "train" or "test" for each sample. origins: text [N], where each
    was read from, in the user's own counting (x[24], cat/7.jpg); None for samples that were made, not read.

    Raises SamplesError for other types and shapes, different lengths, NaN or infinite values, a split of another
    name, fewer than two classes, labels without a class, and classes without a sample.
    """

    values: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    split: np.ndarray
    origins: np.ndarray | None = None

    def __post_init__(self):
        if self.values.dtype not in (np.uint8, np.float32) or self.values.ndim not in (2, 4) or not self.values.size:
            found = f"{self.values.dtype} {list(self.values.shape)}"
            raise SamplesError(f"values are {found}, should be uint8 or float32, [N, d] or [N, C, H, W], not empty")
        if not len(self.values) == len(self.labels) == len(self.split):
            found = f"{len(self.values)} samples, {len(self.labels)} labels and {len(self.split)} splits"
            raise SamplesError(f"{found}: every sample needs one of each")
        if self.labels.dtype != np.int64 or self.labels.ndim != 1:
            raise SamplesError(f"labels are {self.labels.dtype} {list(self.labels.shape)}, should be int64 [N]")
        if self.origins is not None and len(self.origins) != len(self.labels):
            raise SamplesError(f"there are {len(self.labels)} samples and {len(self.origins)} origins")
        _require_finite(self.values, self.origins)
        unknown = sorted(set(np.unique(self.split).tolist()) - set(SPLITS))
        if unknown:
            raise SamplesError(f"split is {unknown[0]!r} for some samples, should be train or test")
        _require_classes(self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (d,) or (C, H, W)."""
        return self.values.shape[1:]

    def part(self, split: str) -> LabelledSamples:
        """The samples of one split. Raises SamplesError where the split has none, or not two classes."""
        if split not in SPLITS:
            raise SamplesError(f"split is {split!r}, should be train or test")
        return self._at(np.flatnonzero(self.split == split), f"the {split} split")

    def flat(self) -> np.ndarray:
        """Every sample as a vector, float32 [N, d]; pixels stay in 0 to 255."""
        return self.values.reshape(len(self), -1).astype(np.float32)

    def images(self) -> np.ndarray:
        """Every sample as a picture, float32 [N, C, H, W]: bytes become 0 to 1, real numbers stay as they are.

        Raises SamplesError for vectors.
        """
        if self.values.ndim != 4:
            raise SamplesError(f"samples are vectors of {self.shape[0]} values; this needs pictures [C, H, W]")
        values = self.values.astype(np.float32)
        return values / np.float32(255) if self.values.dtype == np.uint8 else values

    def limited(self, limits: Mapping[str, int | None], seed: int) -> LabelledSamples:
        """At most so many samples of each split, classes in their proportions, each at least once; order is kept.

        limits: samples by split; None, or a split that is not named, takes all.
        Raises SamplesError for a limit below the number of the split's classes.
        """
        keep = np.ones(len(self), bool)
        for split, limit in limits.items():
            own = np.flatnonzero(self.split == split)
            if limit is None or limit >= len(own):
                continue
            generator = np.random.default_rng([seed, SPLITS.index(split)])
            keep[own] = False
            keep[own[stratified(self.labels[own], limit, generator)]] = True
        return self._at(np.flatnonzero(keep), "what the limit leaves")

    def _at(self, rows: np.ndarray, what: str) -> LabelledSamples:
        if not len(rows):
            raise SamplesError(f"{what} has no samples")
        # A part may lack a class that the whole has; it keeps the whole's numbering.
        part = object.__new__(LabelledSamples)
        for name, value in (("values", self.values[rows]), ("labels", self.labels[rows]), ("split", self.split[rows])):
            object.__setattr__(part, name, value)
        object.__setattr__(part, "classes", self.classes)
        object.__setattr__(part, "origins", None if self.origins is None else self.origins[rows])
        if len(np.unique(part.labels)) < 2:
            raise SamplesError(f"{what} has only the class {self.classes[part.labels[0]]!r}; two are needed")
        return part


def _require_finite(values: np.ndarray, origins: np.ndarray | None) -> None:
    if values.dtype == np.uint8:
        return
    for row, sample in enumerate(values):
        finite = np.isfinite(sample)
        if not finite.all():
            name = f"sample {row}" if origins is None else origins[row]
            place = [int(axis) for axis in np.argwhere(~finite)[0]]
            raise SamplesError(f"{name} has NaN or infinite values, the first at {place}")


def _require_classes(labels: np.ndarray, classes: Sequence[str]) -> None:
    if len(set(classes)) != len(classes):
        raise SamplesError(f"classes are {', '.join(classes)}: a name comes twice")
    if len(classes) < 2:
        raise SamplesError(f"there is only one class, {', '.join(classes)!r}; two are needed")
    if labels.min() < 0 or labels.max() >= len(classes):
        found = f"labels go from {labels.min()} to {labels.max()}"
        raise SamplesError(f"{found}, should be from 0 to {len(classes) - 1}")
    empty = np.flatnonzero(np.bincount(labels, minlength=len(classes)) == 0)
    if len(empty):
        named = ", ".join(f"{label} ({classes[label]})" for label in empty[:_NAMED])
        raise SamplesError(f"no sample has label {named}; labels must be 0, 1, 2 ... without a gap")


def numbered(labels: Sequence | np.ndarray, classes: Sequence[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as int64 [N] from 0, and the names of the classes in their order.

    Text is numbered in alphabetical order, or as in `classes`; whole numbers must be 0, 1, 2 ... without a gap.
    Raises SamplesError for other kinds of labels.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not len(labels):
        raise SamplesError(f"labels have the shape {list(labels.shape)}, should be [N], one a sample")
    if labels.dtype.kind in "US":
        labels = labels.astype(str)
        names = list(classes) if classes is not None else sorted(set(labels.tolist()))
        places = {name: place for place, name in enumerate(names)}
        strange = sorted(set(labels.tolist()) - set(places))
        if strange:
            raise SamplesError(f"label {strange[0]!r} is no class; classes are {', '.join(names)}")
        return np.array([places[label] for label in labels.tolist()], np.int64), tuple(names)
    if labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == np.floor(labels)).all():
        if np.abs(labels).max() > _LARGEST_INTEGER:
            raise SamplesError(f"labels go up to {labels.max():g}, where {labels.dtype} skips whole numbers: {_IDS}")
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iub":
        raise SamplesError(f"labels are {labels.dtype}, should be text or whole numbers from 0")
    # Compared before anything is made that is as long as the largest label: ids can be in the thousands of millions.
    largest, least = int(labels.max()), int(labels.min())
    known = len(labels) if classes is None else len(classes)
    if largest >= known or least < 0:
        different = len(np.unique(labels))
        found = f"labels go from {least} to {largest}, {different} different ones among {len(labels)} samples"
        raise SamplesError(f"{found}; should be 0, 1, 2 ... without a gap, at most {known - 1}: {_IDS}")
    names = classes if classes is not None else [str(label) for label in range(max(largest + 1, 1))]
    return labels.astype(np.int64), tuple(names)


def joined(
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    classes: Sequence[str],
    origins: Mapping[str, Sequence[str]] | None = None,
) -> LabelledSamples:
    """Samples of splits that were read apart: values and int64 labels by split, train first.

    origins: where each was read from, by split; without them a split and the position in it.
    Raises SamplesError for splits of different shape, and a class that the test split has and the train split lacks.
    The opposite is legitimate and logged.
    """
    shapes = {split: values.shape[1:] for split, (values, _) in parts.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{split} {list(shape)}" for split, shape in shapes.items())
        raise SamplesError(f"samples have different shapes: {found}")
    for split, (values, labels) in parts.items():
        if len(values) != len(labels):
            raise SamplesError(f"{split} has {len(values)} samples and {len(labels)} labels")
    order = [split for split in SPLITS if split in parts]
    if origins is None:
        origins = {split: [f"{split}[{row}]" for row in range(len(parts[split][1]))] for split in order}
    samples = LabelledSamples(
        np.concatenate([parts[split][0] for split in order]),
        np.concatenate([parts[split][1] for split in order]),
        tuple(classes),
        np.concatenate([np.full(len(parts[split][1]), split) for split in order]),
        np.concatenate([np.array(origins[split], object) for split in order]),
    )
    _compare_splits(samples)
    return samples


def _compare_splits(samples: LabelledSamples) -> None:
    """Every class must be learnt; one that is not tested is told."""
    present = {split: set(np.unique(samples.labels[samples.split == split]).tolist()) for split in SPLITS}
    if not present[TRAIN] or not present[TEST]:
        return
    strange, untested = (
        _spelt([samples.classes[label] for label in sorted(present[one] - present[other])])
        for one, other in ((TEST, TRAIN), (TRAIN, TEST))
    )
    if strange:
        raise SamplesError(f"the test split has the class {strange}, of which the train split has no sample")
    if untested:
        job.LOGGER.warning("the test split has no sample of the class %s", untested)


def _spelt(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more


def split_off(
    values: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    share: float,
    seed: int,
    origins: Sequence[str] | None = None,
) -> LabelledSamples:
    """Samples of which a share, from 0 below 1, becomes the test split: drawn by class, order kept within the splits.

    origins: where each was read from; without them its position.
    Raises SamplesError where the two splits cannot both have every class.
    """
    if len(values) != len(labels):
        raise SamplesError(f"there are {len(values)} samples and {len(labels)} labels")
    _require_classes(labels, classes)
    is_test = held_out(labels, share, seed, classes)
    origins = np.array([f"[{row}]" for row in range(len(labels))] if origins is None else origins, object)
    chosen = {TRAIN: ~is_test, TEST: is_test} if share else {TRAIN: ~is_test}
    parts = {split: (values[rows], labels[rows]) for split, rows in chosen.items()}
    return joined(parts, classes, {split: origins[rows] for split, rows in chosen.items()})


def held_out(labels: np.ndarray, share: float, seed: int, classes: Sequence[str]) -> np.ndarray:
    """Which samples, bool [N], are kept apart from the others: a share, drawn by class; both sides have every class.

    Raises SamplesError for a share that is not from 0 to below 1, or leaves a side without a class, which it names.
    """
    if not 0 <= share < 1:
        raise SamplesError(f"the share of test samples is {share}, should be from 0 to below 1")
    apart = np.zeros(len(labels), bool)
    if share:
        present, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2:
            lone = _spelt([str(classes[label]) for label in present[counts < 2]])
            raise SamplesError(
                f"class {lone} has a single sample, which cannot be on both sides of a split: "
                f"add samples, leave the class out, or hold nothing apart (a share of 0)"
            )
        apart[stratified(labels, round(share * len(labels)), np.random.default_rng(seed), left=1)] = True
    return apart


def stratified(labels: np.ndarray, size: int, generator: np.random.Generator, left: int = 0) -> np.ndarray:
    """Positions of `size` samples, sorted, with the classes in the proportions of `labels`, each at least once.

    left: samples that must remain of every class. Raises SamplesError for fewer samples than classes, or more than
    may be taken.
    """
    names, counts = np.unique(labels, return_counts=True)
    most = counts - left
    if not len(names) <= size <= most.sum():
        rest = " and one left" if left else ""
        raise SamplesError(f"{size} of {len(labels)} samples of {len(names)} classes: every class needs one{rest}")
    wanted = counts * (size / len(labels))
    shares = np.clip(np.floor(wanted).astype(np.int64), 1, most)
    while shares.sum() < size:  # largest remainder first
        shares[np.argmax(np.where(shares < most, wanted - shares, -np.inf))] += 1
    while shares.sum() > size:  # small classes were raised to one
        shares[np.argmin(np.where(shares > 1, wanted - shares, np.inf))] -= 1
    chosen = [
        generator.choice(np.flatnonzero(labels == name), share, replace=False)
        for name, share in zip(names, shares, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def write_samples(samples: LabelledSamples, path: str | Path) -> None:
    """Write the `samples` table, with the shape of a sample and the classes in its metadata."""
    count, width = len(samples), int(np.prod(samples.shape))
    values = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(samples.values).reshape(-1)), width)
    table = pa.table(
        {
            "sample": np.arange(count),
            "split": samples.split.tolist(),
            "label": samples.labels,
            "class": pa.DictionaryArray.from_arrays(samples.labels, list(samples.classes)).cast(pa.string()),
            "origin": pa.nulls(count, pa.string()) if samples.origins is None else samples.origins.tolist(),
            "values": values,
        }
    )
    metadata = {"shape": json.dumps(samples.shape), "classes": json.dumps(samples.classes)}
    tables.write(table.replace_schema_metadata(metadata), "samples", path)


def read_samples(path: str | Path) -> LabelledSamples:
    """Read what `write_samples` wrote. Raises TableError or SamplesError."""
    table = tables.read(path, "samples")
    shape, classes = (json.loads(table.schema.metadata[key.encode()]) for key in ("shape", "classes"))
    values = table["values"].combine_chunks().flatten().to_numpy().reshape(len(table), *shape)
    return LabelledSamples(
        values,
        table["label"].to_numpy(),
        tuple(classes),
        np.asarray(table["split"].to_pylist()),
        None if table["origin"].null_count else np.array(table["origin"].to_pylist(), object),
    )
