"""What measures of a data set ask of it: samples and labels that belong together, finite, of two classes or more."""

from __future__ import annotations

import numpy as np

from filterscope.data.samples.labelled_samples import LabelledSamples


class DiagnosisError(ValueError):
    """Data or a network cannot be diagnosed: says what was found and what would be right."""


def checked(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Values [N, d], labels int64 [N] from 0 to K - 1, and K.

    values: real or whole numbers [N, ...], flattened by sample. labels: whole numbers [N].
    Raises DiagnosisError where they are of different length, empty, of another rank or kind, or not finite, for a
    single class, and for a label between 0 and the largest that no sample has.
    """
    values, labels = flat(values), whole(labels)
    if len(values) != len(labels):
        raise DiagnosisError(f"there are {len(values)} samples and {len(labels)} labels: every sample needs one")
    require_finite(values)
    if labels.min() < 0:
        raise DiagnosisError(f"labels go down to {labels.min()}, should be 0, 1, 2 ...")
    present = np.unique(labels)  # not as long as the largest label, which may be an id
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if len(gaps):
        raise DiagnosisError(f"no sample has label {gaps[0]}; labels must be 0, 1, 2 ... without a gap")
    if len(present) < 2:
        raise DiagnosisError("all samples have label 0; classes are compared, so there must be two")
    return values, labels, len(present)


def flat(values: np.ndarray) -> np.ndarray:
    """Numbers [N, d] from [N, ...]. Raises DiagnosisError for what is no such array or is empty."""
    values = np.asarray(values)
    if values.ndim < 2 or not values.size or values.dtype.kind not in "fiub":
        found = f"{values.dtype} {list(values.shape)}"
        raise DiagnosisError(f"values are {found}, should be numbers [samples, dimensions], not empty")
    return values.reshape(len(values), -1)


def whole(labels: np.ndarray) -> np.ndarray:
    """Labels as int64 [N]. Raises DiagnosisError for text, which `samples.numbered` maps, and for other shapes."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "iub":
        found = f"{labels.dtype} {list(labels.shape)}"
        raise DiagnosisError(
            f"labels are {found}, should be whole numbers [samples]; samples.numbered makes them of text"
        )
    if labels.dtype == np.uint64 and labels.max() > np.iinfo(np.int64).max:
        raise DiagnosisError(f"labels go up to {labels.max()}, should be 0, 1, 2 ... without a gap")
    return labels.astype(np.int64)


def require_finite(values: np.ndarray, first: int = 0) -> None:
    """Raises DiagnosisError naming the first sample of values [N, d] that is not finite; first: its number."""
    if values.dtype.kind == "f":
        finite = np.isfinite(values).all(1)
        if not finite.all():
            raise DiagnosisError(f"sample {first + int(np.argmin(finite))} has NaN or infinite values")


def pictures(samples: LabelledSamples) -> np.ndarray:
    """Samples as float32 [N, C, H, W] in 0 to 1. Raises ValueError for vectors, and pixels outside that."""
    images = samples.images()
    if images.min() < 0 or images.max() > 1:
        found = f"pixels go from {images.min():g} to {images.max():g}"
        raise ValueError(f"{found}, should be 0 to 1 (real numbers) or 0 to 255 (bytes): there is no box to stay in")
    return images
