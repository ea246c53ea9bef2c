"""Binary search for the capacity at which a network is most robust (Debugger, 3.4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filterscope.diagnosis.scaled.trained import NoNetworkError
from filterscope.job import LOGGER
from filterscope.tables import replacing

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


class Journal:
    """What a search has measured so far, on disk, so that a killed one goes on; valid for one digest of its grounds.

    It lies beside the result but is no declared output: Snakemake deletes those before a job starts.
    """

    def __init__(self, path: str | Path, *parts):
        self.path = Path(path)
        self.digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        self.measured: dict[tuple[int, int], Outcome] = {}
        if self.path.exists():
            saved = json.loads(self.path.read_text())
            if saved["digest"] == self.digest:
                self.measured = {(target, number): Outcome(*values) for target, number, *values in saved["measured"]}
                LOGGER.info("going on with %d networks that were measured before", len(self.measured))
            else:
                LOGGER.info("%s belongs to other data or settings: the search starts anew", self.path.name)

    def add(self, target: int, number: int, outcome: Outcome) -> None:
        """Keep what one network gave."""
        self.measured[target, number] = outcome
        rows = [[*key, each.capacity, each.rho, each.accuracy] for key, each in self.measured.items()]
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps({"digest": self.digest, "measured": rows}))

    def remove(self) -> None:
        """The search is finished."""
        self.path.unlink(missing_ok=True)


def averaged(
    measure: Callable[[int, int], Outcome], seeds: int, lent: Mapping[tuple[int, int], Outcome], journal: Journal
) -> Callable[[int], Outcome]:
    """Measures a target as the mean over its networks 0 to seeds - 1, of which none is measured twice.

    measure: of a target and a network's number. lent: what is known already, by target and number.
    """

    def mean(target: int) -> Outcome:
        for key in ((target, number) for number in range(seeds)):
            if key not in lent and key not in journal.measured:
                journal.add(*key, measure(*key))
        return mean_outcome([lent.get(key) or journal.measured[key] for key in ((target, n) for n in range(seeds))])

    return mean
