"""Cumulative spectral gradient (CSG): how much the classes of a data set overlap (Debugger, 3.1.2).

Samples of every class look at the classes of their nearest neighbours. Classes with similar neighbourhoods are linked
in a graph, and the gaps between the eigenvalues of its Laplacian tell how far they are from being apart: 0 for
separate classes, K - 1 for K classes that cannot be told apart.

A neighbourhood counts by the inverse of its volume, which is a product over all dimensions: among many dimensions one
sample then decides for its class (`effective_samples` tells), and in the authors' code the product overflows. So the
data are embedded in few dimensions first, or the window is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from filterscope.diagnosis.complexity.neighbours import blocks, nearest
from filterscope.diagnosis.labelled import DiagnosisError, checked


@dataclass(frozen=True)
class SeparabilitySettings:
    """neighbours: k. per_class: M, samples whose neighbours are looked at. window: whether neighbourhoods weigh by the
    inverse of their volume, which is at least smallest_volume. The defaults are those of the authors' code."""

    neighbours: int = 3
    per_class: int = 250
    window: bool = True
    smallest_volume: float = 1e-4

    def __post_init__(self):
        if self.neighbours < 1 or self.per_class < 1 or not 0 < self.smallest_volume < math.inf:
            raise DiagnosisError(f"{self}: neighbours, per_class and smallest_volume should be positive")


@dataclass(frozen=True)
class Spectrum:
    """Of the classes' similarity matrix: eigenvalues [K] of its Laplacian, gradients [K - 1] and their sum."""

    eigenvalues: np.ndarray
    gradients: np.ndarray
    csg: float


@dataclass(frozen=True)
class Separability:
    """overlaps S [K, K]: what the neighbours of class i's samples are, rows sum to 1. similarity W [K, K], symmetric.
    effective_samples: of the class with fewest, how many samples its row would be a plain mean of."""

    overlaps: np.ndarray
    similarity: np.ndarray
    spectrum: Spectrum
    effective_samples: float

    @property
    def csg(self) -> float:
        return self.spectrum.csg


@dataclass(frozen=True)
class Neighbourhoods:
    """The drawn samples' classes int64 [Q], the labels int64 [Q, k] of their neighbours, and the logarithms [Q] of
    their volumes."""

    drawn: np.ndarray
    labels: np.ndarray
    log_volumes: np.ndarray
    classes: int

    def resampled(self, generator: np.random.Generator) -> Neighbourhoods:
        """As many samples of every class, drawn with replacement from these: how the draw makes the value vary."""
        rows = [np.flatnonzero(self.drawn == name) for name in range(self.classes)]
        chosen = np.concatenate([generator.choice(own, len(own)) for own in rows])
        return replace(self, drawn=self.drawn[chosen], labels=self.labels[chosen], log_volumes=self.log_volumes[chosen])


def separability(
    points: np.ndarray,
    labels: np.ndarray,
    settings: SeparabilitySettings,
    generator: np.random.Generator,
    device: str = "cpu",
) -> Separability:
    """CSG of points [N, d] with labels int64 [N], 0 to K - 1, and what it was computed from.

    Raises DiagnosisError as `neighbourhoods` does.
    """
    return of_neighbourhoods(neighbourhoods(points, labels, settings, generator, device), settings)


def neighbourhoods(
    points: np.ndarray,
    labels: np.ndarray,
    settings: SeparabilitySettings,
    generator: np.random.Generator,
    device: str = "cpu",
) -> Neighbourhoods:
    """Draw up to M samples of every class without replacement and look at their neighbours among all samples.

    Raises DiagnosisError for one class, a class with at most k samples, a label without samples, lengths that differ
    and values that are not finite.
    """
    points, labels, classes = checked(points, labels)
    counts = np.bincount(labels)
    small = int(np.argmin(counts))
    if counts[small] <= settings.neighbours:
        found = f"class {small} has {counts[small]} samples"
        raise DiagnosisError(f"{found}, and {settings.neighbours} neighbours are looked at: it needs more samples")
    queries = np.concatenate(
        [generator.permutation(np.flatnonzero(labels == name))[: settings.per_class] for name in range(classes)]
    )
    near = nearest(points, queries, settings.neighbours, device)
    return Neighbourhoods(labels[queries], labels[near], _log_volumes(points, queries, near, settings), classes)


def shuffled_null(
    points: np.ndarray,
    labels: np.ndarray,
    settings: SeparabilitySettings,
    generator: np.random.Generator,
    shuffles: int,
    device: str = "cpu",
) -> list[Separability]:
    """The same for labels in random order, `shuffles` times: what the measure says where there is nothing to learn.

    Neighbours do not depend on labels: those of one draw serve all shuffles, in which each class has as many of the
    drawn samples as it would have of its own.
    """
    points, labels, classes = checked(points, labels)
    drawn = np.repeat(np.arange(classes), np.minimum(np.bincount(labels), settings.per_class))
    queries = generator.permutation(len(labels))[: len(drawn)]
    near = nearest(points, queries, settings.neighbours, device)
    volumes = _log_volumes(points, queries, near, settings)
    found = []
    for _ in range(shuffles):
        shuffled = Neighbourhoods(generator.permutation(drawn), generator.permutation(labels)[near], volumes, classes)
        found.append(of_neighbourhoods(shuffled, settings))
    return found


def _log_volumes(
    points: np.ndarray, queries: np.ndarray, near: np.ndarray, settings: SeparabilitySettings
) -> np.ndarray:
    """Logarithm of the box about each queried point that reaches to its farthest neighbour along every dimension."""
    if not settings.window:
        return np.zeros(len(queries))
    volumes = []
    for rows in blocks(len(queries), near.shape[1] * points.shape[1]):
        reach = np.abs(points[near[rows]] - points[queries[rows], None].astype(np.float64)).max(1)
        flat = ~reach.all(1)  # in some dimension, so without volume
        volumes.append(np.where(flat, -np.inf, np.log(np.where(reach > 0, 2 * reach, 1)).sum(1)))
    return np.maximum(np.concatenate(volumes), math.log(settings.smallest_volume))


def of_neighbourhoods(seen: Neighbourhoods, settings: SeparabilitySettings) -> Separability:
    """Overlaps of the classes, their similarity and its spectrum."""
    fractions = np.zeros((len(seen.drawn), seen.classes))
    for column in seen.labels.T:
        fractions[np.arange(len(fractions)), column] += 1 / seen.labels.shape[1]
    overlaps, effective = np.zeros((seen.classes, seen.classes)), []
    for name in range(seen.classes):
        own = np.flatnonzero(seen.drawn == name)
        logs = seen.log_volumes[own]
        weights = np.exp(logs.min() - logs)  # volumes of many dimensions overflow, their ratios do not
        overlaps[name] = weights @ fractions[own] / weights.sum()
        effective.append(weights.sum() ** 2 / np.square(weights).sum())
    similarity = similarity_of(overlaps)
    return Separability(overlaps, similarity, spectrum_of(similarity), float(min(effective)))


def similarity_of(overlaps: np.ndarray) -> np.ndarray:
    """One minus the Bray-Curtis distance of every two rows of S [K, K], whose rows sum to 1: what they share."""
    similarity = np.minimum(overlaps[:, None], overlaps[None]).sum(2)
    np.fill_diagonal(similarity, 1.0)
    return similarity


def spectrum_of(similarity: np.ndarray) -> Spectrum:
    """Eigenvalues of the Laplacian of W [K, K], the gaps between them, each divided by the eigenvalues from its place
    on, and the sum of their running maximum.

    Raises DiagnosisError for a matrix that is not square, symmetric and finite, or smaller than 2.
    """
    w = np.asarray(similarity, np.float64)
    if w.ndim != 2 or w.shape[0] != w.shape[1] or len(w) < 2 or not np.isfinite(w).all() or not np.allclose(w, w.T):
        raise DiagnosisError(f"similarities {list(w.shape)} should be a finite symmetric matrix of two classes or more")
    laplacian = np.diag(w.sum(1) - np.diag(w)) - w + np.diag(np.diag(w))
    eigenvalues = np.maximum(np.linalg.eigvalsh(laplacian), 0.0)  # rounding makes some a little negative
    gradients = np.diff(eigenvalues) / np.arange(len(w), 1, -1)
    return Spectrum(eigenvalues, gradients, float(np.maximum.accumulate(gradients).sum()))
