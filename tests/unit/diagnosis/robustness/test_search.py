"""The binary search (Debugger, 3.4): what it visits, when it stops, what it chooses, going on after a kill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope.diagnosis.robustness.search import Journal, Outcome, averaged, mean_outcome, search
from filterscope.diagnosis.scaled.trained import NoNetworkError

C0 = 30720  # bits of CIFAR-10 (Debugger, table 1)


def visits(measure, start=C0, **changed):
    return [row["target"] / start for row in search(measure, start, **changed)]


def test_the_search_visits_all_half_and_then_between():
    """C0, a half, then three quarters or a quarter; the whole walk when smaller is always or never better."""
    smaller = visits(lambda bits: Outcome(bits, -bits, 0.9))
    assert smaller == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]
    larger = visits(lambda bits: Outcome(bits, bits, 0.9))
    assert larger == [1, 1 / 2, 3 / 4, 7 / 8, 15 / 16, 31 / 32]


def test_lost_accuracy_is_not_better():
    assert visits(lambda bits: Outcome(bits, -bits, 0.9 if bits == C0 else 0.8))[:3] == [1, 1 / 2, 3 / 4]
    assert visits(lambda bits: Outcome(bits, -bits, 0.9 if bits == C0 else 0.89))[:3] == [1, 1 / 2, 1 / 4]
    assert visits(lambda bits: Outcome(bits, -bits, 0.9 if bits == C0 else 0.8), tolerance=0.1)[:3] == [1, 1 / 2, 1 / 4]


def test_the_last_better_one_is_chosen():
    steps = search(lambda bits: Outcome(bits, -abs(bits - 0.3 * C0), 0.9), C0)
    assert [row["target"] / C0 for row in steps][:4] == [1, 1 / 2, 1 / 4, 1 / 8]
    assert [row["better"] for row in steps][:4] == [True, True, True, False]
    assert sum(row["chosen"] for row in steps) == 1
    chosen = next(row for row in steps if row["chosen"])
    assert chosen["rho"] == max(row["rho"] for row in steps if row["better"])


def test_a_search_that_sees_no_difference_says_so():
    steps = search(lambda bits: Outcome(bits, 2.0, 0.9), C0)
    (chosen,) = [row for row in steps if row["chosen"]]
    assert (chosen["target"], chosen["note"]) == (C0, "the search could not tell: rho is the same at all capacities")
    assert not any(row["note"] for row in steps[1:])
    assert not any(row["note"] for row in search(lambda bits: Outcome(bits, -bits, 0.9), C0))
    assert not search(lambda bits: Outcome(bits, 2.0, 0.9), 1)[0]["note"], "one visit compares nothing"


def test_a_capacity_below_the_smallest_network_is_recorded_and_not_better():
    def measure(bits):
        if bits < C0 / 3:
            raise NoNetworkError(f"{bits} bits is below the smallest plain network")
        return Outcome(bits, -bits, 0.9)

    steps = search(measure, C0)
    assert [row["target"] / C0 for row in steps][:4] == [1, 1 / 2, 1 / 4, 3 / 8]
    assert "below the smallest" in steps[2]["note"]
    assert steps[2]["rho"] is None
    with pytest.raises(NoNetworkError, match="below the smallest"):
        search(measure, 100)


@given(st.integers(1, 10**6), st.integers(0, 2**32))
def test_the_search_ends_and_repeats_no_target(start, seed):
    chance = np.random.default_rng(seed)
    steps = search(lambda bits: Outcome(bits, float(chance.random()), 0.9), start)
    targets = [row["target"] for row in steps]
    assert len(set(targets)) == len(targets) <= 6
    assert all(row["low"] <= row["target"] <= start for row in steps if not row["better"])
    with pytest.raises(ValueError, match="start is 0"):
        search(lambda bits: Outcome(bits, 1, 1), 0)


def test_a_journal_gives_back_what_was_measured_for_the_same_search_only(tmp_path):
    journal = Journal(tmp_path / "j", "data", 1)
    journal.keep(100, 0, Outcome(101, 3.5, 0.9))
    journal.keep(100, 1, Outcome(101, 2.5, 0.7))
    again = Journal(tmp_path / "j", "data", 1).measured
    assert again == journal.measured
    assert mean_outcome(list(again.values())) == Outcome(101, 3.0, pytest.approx(0.8))
    assert Journal(tmp_path / "j", "data", 2).measured == {}
    journal.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", '{"digest": ', "[]", '{"digest": 1}', '{"digest": "x", "found": 3}'])
def test_a_journal_that_is_damaged_is_begun_anew(tmp_path, caplog, content):
    """As a disk that has lost its power leaves one; it used to stop every further attempt."""
    (tmp_path / "j").write_text(content)
    assert Journal(tmp_path / "j").measured == {}
    assert "j cannot be read" in caplog.text


def test_no_network_is_measured_twice(tmp_path):
    journal, asked = Journal(tmp_path / "j"), []

    def measure(target, number):
        asked.append((target, number))
        return Outcome(target, number, 0.5)

    mean = averaged(measure, 2, {(8, 0): Outcome(8, 4, 0.9)}, journal)
    assert mean(8) == mean(8) == Outcome(8, 2.5, pytest.approx(0.7))
    assert asked == [(8, 1)]
