"""Expected capacity: how many bits a network needs for a data set, by Friedland's heuristic (Debugger, 3.1.1).

Samples are sorted by the sum of their values, and the places where the label changes are counted: a network that
could only tell sums apart would need a threshold at each. The signed sum is what the published table was made with; for
values that are nowhere negative its text, which says L1 norm, means the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from filterscope.diagnosis.labelled import DiagnosisError, flat, require_finite, whole

NORMS = ("sum", "l1")
TIES = ("label", "input")
# Share of a balanced class's samples below which the smallest class makes the heuristic unreliable: 20 % of the
# samples of two classes (Debugger, 4, says "very unbalanced"; the number is ours).
UNBALANCED = 0.4
ROWS = 4096  # summed at a time


@dataclass(frozen=True)
class ExpectedCapacity:
    """What a data set needs, in bits, and what that was counted from."""

    samples: int
    dimensions: int
    classes: int
    changes: int  # of the label along the sorted samples
    ties: int  # samples that share their sum with one of another label: their order is a convention
    smallest_class: float  # share of the samples

    @property
    def unrounded(self) -> float:
        """log2(changes + 1) * dimensions: what searches compare, because rounding hides small progress."""
        return math.log2(self.changes + 1) * self.dimensions

    @property
    def bits(self) -> int:
        """The heuristic's value: thresholds in whole bits, times the dimensions."""
        # The bit length of c is ceil(log2(c + 1)) without rounding errors.
        return int(self.changes).bit_length() * self.dimensions

    @property
    def upper_bound(self) -> int:
        """Bits of a network with a neuron of its own for every change, as the heuristic's authors compute it."""
        return self.changes * (self.dimensions + 1) + self.changes

    @property
    def memorising(self) -> float:
        """Bits that fix any labelling of the samples: one for each of two classes' samples (Debugger, 3.1)."""
        return self.samples * math.log2(self.classes) if self.classes > 1 else 0.0

    @property
    def unbalanced(self) -> bool:
        """Whether the smallest class is so small that the heuristic fails (Debugger, 4)."""
        return self.classes > 1 and self.smallest_class * self.classes < UNBALANCED


def row_sums(parts: np.ndarray | Iterable[np.ndarray], norm: str = "sum", digits: int | None = None) -> np.ndarray:
    """Sum of the values of every sample, float64 [N].

    parts: values [N, ...], or pieces of them one after the other, so that they need not fit into memory. norm: "sum"
    (signed) or "l1" (of magnitudes). digits: after the point that sums are cut to, as the authors' code can.
    Raises DiagnosisError for an unknown norm and for values that are not finite, naming the sample.
    """
    if norm not in NORMS:
        raise DiagnosisError(f"norm is {norm!r}, should be one of {', '.join(NORMS)}")
    sums, seen = [], 0
    for part in [parts] if isinstance(parts, np.ndarray) else parts:
        values = flat(part)
        for start in range(0, len(values), ROWS):
            rows = values[start : start + ROWS]
            require_finite(rows, seen + start)
            sums.append((np.abs(rows) if norm == "l1" else rows).sum(1, dtype=np.float64))
        seen += len(values)
    if not sums:
        raise DiagnosisError("there are no samples to sum")
    total = np.concatenate(sums)
    return total if digits is None else np.trunc(total * 10.0**digits) / 10.0**digits


def expected_capacity(
    values: np.ndarray | Iterable[np.ndarray],
    labels: np.ndarray,
    norm: str = "sum",
    ties: str = "label",
    digits: int | None = None,
) -> ExpectedCapacity:
    """Count the changes of the label along samples sorted by their sums.

    values: [N, ...], or pieces of them. labels: whole numbers [N]. ties: how samples with equal sums are ordered, by
    "label", so that the order of the samples does not matter, or as in the "input", as the authors' code does.
    A single class needs 0 bits. Constant values give as many changes as there are further classes, and all samples
    as ties. Raises DiagnosisError for data and labels of different length, NaN, infinity and unknown choices.
    """
    dimensions: list[int] = []

    def noted(parts):
        for part in parts:
            dimensions.append(flat(part).shape[1])
            yield part

    sums = row_sums(noted([values] if isinstance(values, np.ndarray) else values), norm, digits)
    if len(set(dimensions)) > 1:
        raise DiagnosisError(f"pieces of the values have {sorted(set(dimensions))} dimensions, should be the same")
    return of_sums(sums, labels, dimensions[0], ties)


def of_sums(sums: np.ndarray, labels: np.ndarray, dimensions: int, ties: str = "label") -> ExpectedCapacity:
    """The same from the sums float64 [N], which do not change when labels are shuffled or samples drawn."""
    if ties not in TIES:
        raise DiagnosisError(f"ties is {ties!r}, should be one of {', '.join(TIES)}")
    labels = whole(labels)
    if len(sums) != len(labels):
        raise DiagnosisError(f"there are {len(sums)} samples and {len(labels)} labels: every sample needs one")
    order = np.lexsort((labels, sums)) if ties == "label" else np.argsort(sums, kind="stable")
    ordered = labels[order]
    counts = np.unique(labels, return_counts=True)[1]
    return ExpectedCapacity(
        samples=len(labels),
        dimensions=dimensions,
        classes=len(counts),
        changes=int(np.count_nonzero(ordered[1:] != ordered[:-1])),
        ties=_tied(sums[order], ordered),
        smallest_class=float(counts.min() / len(labels)),
    )


def _tied(sums: np.ndarray, labels: np.ndarray) -> int:
    """Samples, sorted by sum, that share theirs with a sample of another label."""
    group = np.cumsum(np.concatenate([[True], sums[1:] != sums[:-1]])) - 1
    low, high = np.full(group[-1] + 1, np.iinfo(np.int64).max), np.full(group[-1] + 1, np.iinfo(np.int64).min)
    np.minimum.at(low, group, labels)
    np.maximum.at(high, group, labels)
    return int(np.count_nonzero((low != high)[group]))
