"""Binary search for the capacity at which a network is most robust (Debugger, 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filterscope import resumption
from filterscope.diagnosis.scaled.trained import NoNetworkError

SAME = "the search could not tell: rho is the same at all capacities"


@dataclass(frozen=True)
class Outcome:
    """What was measured at one target capacity."""

    capacity: float
    rho: float
    accuracy: float


def search(measure: Callable[[int], Outcome], start: int, tolerance: float = 0.02, resolution: int = 16) -> list[dict]:
    """Search for the most robust capacity (Debugger, 3.4): the data's, half of it, then between.

    measure: of a target in bits; may raise NoNetworkError, which counts as no better. A middle is better where rho
    is larger and the accuracy at most `tolerance` below the best so far; then the search goes on below it, else above.
    It ends when the interval is below start / resolution. Returns the visits in order: step, target, low and high (the
    interval after it), better, chosen (the last one that was better), note, capacity, rho, accuracy (None where no
    network is so small). The chosen one's note says so where rho is the same at all capacities.
    """
    if start < 1 or resolution < 1:
        raise ValueError(f"start is {start} bits and resolution {resolution}, both should be at least 1")
    low, high, steps = 0, start, []

    def visit(target: int) -> Outcome | None:
        try:
            found, note = measure(target), ""
        except NoNetworkError as error:
            found, note = None, str(error)
        row = {"step": len(steps), "target": target, "better": False, "note": note}
        named = {"capacity": None, "rho": None, "accuracy": None} if found is None else vars(found)
        steps.append(row | named)
        return found

    best = visit(start)
    if best is None:
        raise NoNetworkError(steps[0]["note"])
    top = best.accuracy
    steps[0] |= {"low": low, "high": high, "better": True}
    while high - low >= max(start / resolution, 2):  # no whole number lies between neighbours
        middle = round((low + high) / 2)
        found = visit(middle)
        better = found is not None and found.rho > best.rho and found.accuracy >= top - tolerance
        if found is not None:
            top = max(top, found.accuracy)
        low, high, best = (low, middle, found) if better else (middle, high, best)
        steps[-1] |= {"low": low, "high": high, "better": better}
    last = max(index for index, row in enumerate(steps) if row["better"])
    known = [row["rho"] for row in steps if row["rho"] is not None]
    if len(known) > 1 and len(set(known)) == 1:
        steps[last]["note"] = SAME
    return [row | {"chosen": index == last} for index, row in enumerate(steps)]


def mean_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The mean over seeds."""
    return Outcome(*(float(np.mean([getattr(each, name) for each in outcomes])) for name in vars(outcomes[0])))


class Journal(resumption.Journal):
    """What a search has measured so far, on disk, so that a killed one goes on."""

    def __init__(self, path: str | Path, *parts):
        super().__init__(path, *parts, things="networks")

    @property
    def measured(self) -> dict[tuple[int, int], Outcome]:
        """By target and number of the network."""
        return {tuple(map(int, name.split())): Outcome(*values) for name, values in self.found.items()}

    def keep(self, target: int, number: int, outcome: Outcome) -> None:
        """Keep what one network gave."""
        self.add(f"{target} {number}", [outcome.capacity, outcome.rho, outcome.accuracy])


def averaged(
    measure: Callable[[int, int], Outcome], seeds: int, lent: Mapping[tuple[int, int], Outcome], journal: Journal
) -> Callable[[int], Outcome]:
    """Measures a target as the mean over its networks 0 to seeds - 1, of which none is measured twice.

    measure: of a target and a network's number. lent: what is known already, by target and number.
    """

    def mean(target: int) -> Outcome:
        for key in ((target, number) for number in range(seeds)):
            if key not in lent and key not in journal.measured:
                journal.keep(*key, measure(*key))
        return mean_outcome([lent.get(key) or journal.measured[key] for key in ((target, n) for n in range(seeds))])

    return mean
