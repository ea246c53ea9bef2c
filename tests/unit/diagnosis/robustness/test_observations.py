"""rho, intervals, trends, and the honest sentence (Debugger, 3.4)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from filterscope.diagnosis.robustness import observations


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
    assert observations.rho(np.array([1, 2, 3, 1024, 1024])) == 3
    assert observations.rho(np.array([1, 2, 1024, 1024, 1024])) == 1024
    with pytest.raises(ValueError, match="no image was classified correctly"):
        observations.rho(np.array([]))


def test_common_images_compare_like_with_like():
    """The small network gets only the easy image 0 right; there it is not more robust at all."""
    sizes = {(25, 0): {0: 9}, (100, 0): {0: 9, 1: 2, 2: 1}, (100, 1): {0: 7, 2: 100}}
    accuracy = {(25, 0): 0.3, (100, 0): 0.9, (100, 1): 0.6}
    found = observations.of_networks(attacks_of(sizes), networks_of(accuracy)).set_index(["share", "seed"])
    assert found["rho"].tolist() == [9, 2, 53.5]
    assert found["common_rho"].tolist() == [9, 9, 7]
    assert found["common_images"].tolist() == [1, 1, 1]
    assert found["failures"].tolist() == [0, 0, 0.5]
    assert found["accuracy"].tolist() == [0.3, 0.9, 0.6]
    assert found["capacity"].tolist() == [251, 1001, 1001]


def test_intervals_are_over_networks_and_missing_values_stay_missing():
    table = observations.of_capacities(observed_of({10: 5.0, 20: 7.0}, {10: 0.5, 20: 0.8}), 0.9)
    row = table.iloc[0]
    wanted = stats.t.interval(0.9, 2, loc=5.1, scale=stats.sem([5.0, 5.1, 5.2]))
    assert (row["rho"], row["rho_low"], row["rho_high"]) == pytest.approx((5.1, *wanted))
    assert row["seeds"] == 3
    assert (row["accuracy_low"], row["accuracy_high"]) == (0.5, 0.5)
    assert (row["common_rho"], row["common_rho_low"]) == (5.0, 5.0)


def test_intervals_stay_within_what_is_measured():
    """Three networks of .98, 1 and 1 have no accuracy of 1.02, nor do 1, 2 and 4 pixels go below none."""
    observed = observed_of({10: 1.0}, {10: 0.98}).assign(accuracy=[0.98, 1, 1], rho=[1, 2, 4], common_rho=[1, 2, 4])
    row = observations.of_capacities(observed).iloc[0]
    assert (row["accuracy_high"], row["rho_low"], row["common_rho_low"]) == (1, 0, 0)
    assert 0 < row["accuracy_low"] < 0.98
    assert row["rho_high"] > 6
    shares = observed.assign(unit="share of the pixel range", rho=[0.5, 0.9, 1])
    assert observations.of_capacities(shares).iloc[0]["rho_high"] == 1


def test_the_trend_is_spearmans_and_chance_gives_no_small_p():
    chance = np.random.default_rng(0)
    x, y = chance.integers(0, 4, 12), chance.standard_normal(12)
    assert observations.trend(x, y).correlation == pytest.approx(stats.spearmanr(x, y).statistic)
    p = [observations.trend(x, chance.permutation(y), permutations=199).p for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p) < 0.1) <= 0.2
    assert observations.trend(np.arange(8), -np.arange(8.0)).verdict == "smaller is more robust"
    assert observations.trend(np.arange(8), np.arange(8.0)).verdict == "larger is more robust"
    two = observations.trend(np.repeat([1, 2], 3), np.arange(6))
    assert (two.least_p, two.verdict) == (0.1, "too few networks")
    assert observations.trend(np.repeat([1, 2], 3), np.arange(6), permutations=99999).p == pytest.approx(0.1, abs=0.005)
    same = observations.trend(np.arange(8), np.ones(8))
    assert same == observations.Trend(0.0, 1.0, 8, 2 / math.factorial(8), same=True)
    assert same.verdict == "the same for all networks: cannot be told"


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
    found = observations.trends(pd.concat([observed, bounded]), tolerance=0.02)
    text = observations.sentence("digits", found, observations.of_capacities(observed))
    assert text.startswith("Is smaller more robust on digits? For plain it ")
    assert said in text[0].lower() + text[1:].replace("? For", "? for")
    assert text.count("?") == 1
    assert text.count("bounded") == 1, "only attacks that measure pixels answer the question (Debugger, 3.4)"
    assert "; by the least bound of bounded, which counts no pixels, " in text


def test_the_sentence_says_where_common_pictures_tell_another_trend():
    """Networks that classify few pictures right keep the easy ones, which can turn the trend round."""
    observed = observed_of(FALLING, EQUAL)
    rising = observed.assign(common_rho=10 - observed["rho"], common_images=20)
    found = observations.trends(rising, tolerance=0.02)
    assert found["verdict"].tolist() == ["smaller is more robust"] * 2
    assert found["common_verdict"].tolist() == ["larger is more robust"] * 2
    assert found["common_correlation"].tolist() == pytest.approx((-found["correlation"]).tolist())
    text = observations.sentence("digits", found, observations.of_capacities(rising))
    differing = "; it differs over the pictures that all networks get right, greedy: larger is more robust (+0."
    assert differing in text
    alike = observed.assign(common_rho=observed["rho"], common_images=20)
    text = observations.sentence(
        "digits", observations.trends(alike, tolerance=0.02), observations.of_capacities(alike)
    )
    assert "differs" not in text
    none = observations.trends(observed.assign(common_rho=None, common_images=0), tolerance=0.02)
    assert none["common_verdict"].tolist() == ["too few networks"] * 2
    assert np.isfinite(none[["common_correlation", "common_p"]].to_numpy()).all()


def test_a_measure_that_is_the_same_for_all_is_no_evidence():
    """Small pictures are fooled by two pixels whatever the network: that neither supports the claim nor refutes it."""
    saturated = observed_of(FLAT, EQUAL).assign(rho=2.0)
    flat = observed_of(FLAT, EQUAL, "sparse")
    means = observations.of_capacities(saturated)
    text = observations.sentence("digits", observations.trends(saturated, tolerance=0.02), means)
    assert "For plain it cannot be told, because the median is the same for all networks" in text
    assert "about as well as the best, greedy: no correlation; " in text
    text = observations.sentence("digits", observations.trends(pd.concat([saturated, flat]), tolerance=0.02), means)
    assert "For plain it is not supported: no clear trend" in text


def test_nothing_holds_where_no_attack_counted_pixels():
    observed = observed_of(FALLING, EQUAL, "bounded", "share of the pixel range")
    text = observations.sentence(
        "digits", observations.trends(observed, tolerance=0.02), observations.of_capacities(observed)
    )
    assert text == "Is smaller more robust on digits? For plain it cannot be told, because no attack counted pixels."
