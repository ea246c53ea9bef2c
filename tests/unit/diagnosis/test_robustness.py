"""rho, intervals, trends, the honest sentence, and the seed's binary search (spec E7)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from filterscope.diagnosis import robustness
from filterscope.diagnosis.robustness import BelowSmallestError, Outcome, search

C0 = 30720  # bits of CIFAR-10 (seed 001, table 1)


def attacks_of(sizes_by_network, whole=100.0):
    """Rows of `attacks`: {(share, seed): {sample: size}}, all by one attack."""
    rows = [
        {
            "family": "plain",
            "share": share,
            "seed": seed,
            "attack": "greedy",
            "unit": "pixels",
            "sample": sample,
            "success": size < whole,
            "size": size,
            "queries": 10,
        }
        for (share, seed), sizes in sizes_by_network.items()
        for sample, size in sizes.items()
    ]
    return pd.DataFrame(rows)


def networks_of(accuracy_by_network):
    """Rows of `scaled_networks`."""
    rows = [
        {
            "family": "plain",
            "share": share,
            "seed": seed,
            "target": 10 * share,
            "capacity": 10 * share + 1,
            "accuracy": each,
        }
        for (share, seed), each in accuracy_by_network.items()
    ]
    return pd.DataFrame(rows)


def observed_of(rho_by_share, accuracy_by_share, attack="greedy", unit="pixels"):
    """What `of_networks` gives, for three seeds around each rho."""
    rows = [
        {
            "family": "plain",
            "share": share,
            "seed": seed,
            "attack": attack,
            "unit": unit,
            "target": share,
            "capacity": share,
            "accuracy": accuracy_by_share[share],
            "images": 50,
            "rho": rho + seed / 10,
            "failures": 0.0,
            "common_images": 0 if seed else 20,
            "common_rho": None if seed else rho,
            "queries": 9.0,
        }
        for share, rho in rho_by_share.items()
        for seed in range(3)
    ]
    return pd.DataFrame(rows)


def test_rho_is_the_median_with_failures_as_the_whole_picture():
    assert robustness.rho(np.array([1, 2, 3, 1024, 1024])) == 3
    assert robustness.rho(np.array([1, 2, 1024, 1024, 1024])) == 1024
    with pytest.raises(ValueError, match="no image was classified correctly"):
        robustness.rho(np.array([]))


def test_common_images_compare_like_with_like():
    """The small network gets only the easy image 0 right; there it is not more robust at all."""
    sizes = {(25, 0): {0: 9}, (100, 0): {0: 9, 1: 2, 2: 1}, (100, 1): {0: 7, 2: 100}}
    accuracy = {(25, 0): 0.3, (100, 0): 0.9, (100, 1): 0.6}
    found = robustness.of_networks(attacks_of(sizes), networks_of(accuracy)).set_index(["share", "seed"])
    assert found["rho"].tolist() == [9, 2, 53.5]
    assert found["common_rho"].tolist() == [9, 9, 7]
    assert found["common_images"].tolist() == [1, 1, 1]
    assert found["failures"].tolist() == [0, 0, 0.5]
    assert found["accuracy"].tolist() == [0.3, 0.9, 0.6]
    assert found["capacity"].tolist() == [251, 1001, 1001]


def test_intervals_are_over_networks_and_missing_values_stay_missing():
    table = robustness.of_capacities(observed_of({10: 5.0, 20: 7.0}, {10: 0.5, 20: 0.8}), 0.9)
    row = table.iloc[0]
    wanted = stats.t.interval(0.9, 2, loc=5.1, scale=stats.sem([5.0, 5.1, 5.2]))
    assert (row["rho"], row["rho_low"], row["rho_high"]) == pytest.approx((5.1, *wanted))
    assert row["seeds"] == 3
    assert (row["accuracy_low"], row["accuracy_high"]) == (0.5, 0.5)
    assert (row["common_rho"], row["common_rho_low"]) == (5.0, 5.0)


def test_the_trend_is_spearmans_and_chance_gives_no_small_p():
    chance = np.random.default_rng(0)
    x, y = chance.integers(0, 4, 12), chance.standard_normal(12)
    assert robustness.trend(x, y).correlation == pytest.approx(stats.spearmanr(x, y).statistic)
    p = [robustness.trend(x, chance.permutation(y), permutations=199).p for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p) < 0.1) <= 0.2
    assert robustness.trend(np.arange(8), -np.arange(8.0)).verdict == "smaller is more robust"
    assert robustness.trend(np.arange(8), np.arange(8.0)).verdict == "larger is more robust"
    assert robustness.trend(np.arange(8), np.ones(8)) == robustness.Trend(0.0, 1.0, 8)


FALLING, RISING, FLAT = {1: 9, 2: 7, 4: 5, 8: 3}, {1: 3, 2: 5, 4: 7, 8: 9}, {1: 5, 2: 3, 4: 5.5, 8: 3.5}
EQUAL = dict.fromkeys(FALLING, 0.9)


@pytest.mark.parametrize(
    ("greedy", "sparse", "accuracy", "said"),
    [
        (FALLING, FALLING, EQUAL, "for plain it holds"),
        (RISING, RISING, EQUAL, "for plain it is contradicted: the larger are more robust"),
        (FLAT, FLAT, EQUAL, "for plain it is not supported: no clear trend"),
        (FALLING, RISING, EQUAL, "for plain it depends on the attack"),
        (FALLING, FALLING, {1: 0.1, 2: 0.2, 4: 0.3, 8: 0.9}, "for plain it cannot be told"),
        ({**FALLING, 1: 1}, {**FALLING, 1: 1}, {**EQUAL, 1: 0.1}, "for plain it holds"),
    ],
)
def test_the_sentence_says_what_the_table_says(greedy, sparse, accuracy, said):
    observed = pd.concat([observed_of(greedy, accuracy), observed_of(sparse, accuracy, "sparse")])
    bounded = observed_of(RISING, accuracy, "bounded", "share of the pixel range")
    found = robustness.trends(pd.concat([observed, bounded]), tolerance=0.02)
    text = robustness.sentence("digits", found, robustness.of_capacities(observed))
    assert text.startswith("Is smaller more robust on digits? For plain it ")
    assert said in text[0].lower() + text[1:].replace("? For", "? for")
    assert text.count("?") == 1
    assert "bounded" not in text, "only attacks that measure pixels answer the seed's question"


# --- The seed's search ----------------------------------------------------------------------------------------------


def visits(measure, start=C0, **changed):
    return [row["target"] / start for row in search(measure, start, **changed)]


def test_the_search_visits_all_half_and_then_between():
    """Spec E7: C0, a half, then three quarters or a quarter; the whole walk when smaller is always or never better."""
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


def test_a_capacity_below_the_smallest_network_is_recorded_and_not_better():
    def measure(bits):
        if bits < C0 / 3:
            raise BelowSmallestError(f"{bits} bits is below the smallest plain network")
        return Outcome(bits, -bits, 0.9)

    steps = search(measure, C0)
    assert [row["target"] / C0 for row in steps][:4] == [1, 1 / 2, 1 / 4, 3 / 8]
    assert "below the smallest" in steps[2]["note"]
    assert steps[2]["rho"] is None
    with pytest.raises(BelowSmallestError, match="below the smallest"):
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
