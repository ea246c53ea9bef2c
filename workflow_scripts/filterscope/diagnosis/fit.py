"""The verdict: what a data set needs beside what a network holds (Debugger, 3 and 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from filterscope.diagnosis.complexity.expected_capacity import ExpectedCapacity
from filterscope.diagnosis.labelled import DiagnosisError
from filterscope.diagnosis.scaled.families import Match, match_capacity

TOO_SMALL, MATCHED, OVERSIZED, NOTHING = "too small", "matched", "oversized", "nothing to learn"
# Share of what random labels need from which the heuristic sees no order in the data (ours).
NO_ORDER = 0.95


@dataclass(frozen=True)
class NetworkFit:
    """needed and capacity: bits. ratio: capacity over need, None where nothing is needed. match: the width of a family
    of networks that holds what is needed, None where there is none, for the reason in match_note."""

    needed: int
    capacity: int
    verdict: str
    match: Match | None
    match_note: str
    caveats: tuple[str, ...]

    @property
    def ratio(self) -> float | None:
        return self.capacity / self.needed if self.needed else None


def fit(
    need: ExpectedCapacity,
    shuffled: float,
    capacity: int,
    shape: Sequence[int],
    tolerance: float = 2.0,
    family: str = "plain",
) -> NetworkFit:
    """Whether a network of this capacity, bits, fits data of this need.

    shuffled: unrounded bits that the same data need with labels in random order. shape: of a sample, to build the
    matching network for. tolerance: factor either way up to which the network is called matched.
    Raises DiagnosisError for a tolerance of 1 or less.
    """
    if tolerance <= 1:
        raise DiagnosisError(f"tolerance is {tolerance}, a factor that should be above 1")
    if not need.bits:
        return NetworkFit(0, capacity, NOTHING, None, "nothing is needed", caveats(need, shuffled, capacity))
    ratio = capacity / need.bits
    verdict = TOO_SMALL if ratio < 1 / tolerance else OVERSIZED if ratio > tolerance else MATCHED
    match, note = None, ""
    if len(shape) != 3:
        note = "samples are no pictures"
    else:
        try:
            match = match_capacity(family, need.bits, tuple(shape), need.classes)
        except DiagnosisError as error:
            note = str(error)
    return NetworkFit(need.bits, capacity, verdict, match, note, caveats(need, shuffled, capacity))


def caveats(need: ExpectedCapacity, shuffled: float, capacity: int) -> tuple[str, ...]:
    """What a reader must know before believing the verdict, a sentence each."""
    found = []
    if need.unbalanced:
        found.append(
            f"The smallest class has {need.smallest_class:.1%} of the samples: the heuristic fails on unbalanced data; "
            "resample first."
        )
    if need.classes > 2:
        found.append(f"The heuristic was made for two classes; these are {need.classes}.")
    if shuffled > 0 and need.unrounded >= NO_ORDER * shuffled:
        found.append(
            f"Labels in random order need {shuffled:,.0f} bits, these {need.unrounded:,.0f}: the sums of the values "
            "tell next to nothing about the classes, so the need tells how many samples there are, not how hard they "
            "are."
        )
    if need.bits > need.memorising > 0:
        found.append(
            f"{need.memorising:,.0f} bits fix any labelling of {need.samples:,} samples: the need is above what "
            "memorising them would take."
        )
    if capacity >= need.memorising > 0:
        found.append("The network could hold any labelling of the samples: nothing forces it to generalise.")
    if need.ties:
        found.append(f"{need.ties:,} samples share their sum with one of another class; they were sorted by label.")
    return tuple(found)


def in_words(found: NetworkFit, network: str, samples: str) -> str:
    """The verdict as a sentence."""
    if found.ratio is None:
        return f"{samples} has nothing to learn: all labels are the same along the sorted samples."
    by = f"{found.ratio:.2g} times" if found.ratio < 10 else f"{found.ratio:,.0f} times"
    held = f"it holds {found.capacity:,} bits, {by} the {found.needed:,} needed"
    sentence = f"{network} is {found.verdict} for {samples}: {held}."
    if found.match is not None:
        match = found.match
        sentence += f" A {match.family} network of width {match.width:.3g} would match ({match.capacity:,} bits)."
    return sentence


def need_of(rows: pd.DataFrame) -> tuple[ExpectedCapacity, float]:
    """What all samples need, from the table `expected_capacities`, and the median with shuffled labels, bits."""
    whole = rows[rows["count"] == rows["count"].max()]
    own = whole[whole["row"] == "own"].iloc[0]
    need = ExpectedCapacity(
        samples=int(own["count"]),
        dimensions=int(own["dimensions"]),
        classes=int(own["classes"]),
        changes=int(own["changes"]),
        ties=int(own["ties"]),
        smallest_class=float(own["smallest_class"]),
    )
    return need, float(whole.loc[whole["row"] == "shuffled", "unrounded"].median())


def fit_row(
    need: ExpectedCapacity,
    shuffled: float,
    capacity: int,
    shape: Sequence[int],
    tolerance: float,
    family: str,
    network: str,
    samples: str,
) -> dict:
    """A row of the table `fit`."""
    found = fit(need, shuffled, capacity, shape, tolerance, family)
    return {
        "network": network,
        "samples": samples,
        "verdict": found.verdict,
        "capacity": found.capacity,
        "needed": found.needed,
        "ratio": found.ratio,
        "needed_shuffled": shuffled,
        "upper_bound": need.upper_bound,
        "memorising": need.memorising,
        "family": family,
        "width": found.match and found.match.width,
        "width_capacity": found.match and found.match.capacity,
        "width_note": found.match_note,
        "sentence": in_words(found, network, samples),
        "caveats": " ".join(found.caveats),
    }
