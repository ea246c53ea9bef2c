"""Words of top images become words of a filter: votes, weightings and ties (docs/methods.md, Votes)."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.words.explaining.voting import vote


def words(*images):
    """One filter: the words of each of its top images."""
    return np.array([images])


def said(table, number=0):
    own = table[table["filter"] == number].sort_values("rank")
    return list(zip(own["row"], own["votes"], strict=True))


def test_counts_images():
    table = vote(words([1, 2], [2, 3], [2, 1]), np.ones((1, 3, 2)), np.ones((1, 3)), "none", 10)
    assert said(table) == [(2, 3), (1, 2), (3, 1)]
    assert table["rank"].tolist() == [0, 1, 2]


def test_prints_only_so_many():
    table = vote(words([1, 2], [2, 3], [2, 1]), np.ones((1, 3, 2)), np.ones((1, 3)), "none", 2)
    assert said(table) == [(2, 3), (1, 2)]


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ("none", [(1, 2), (2, 1)]),  # the third image is silent
        ("int", [(2, 2), (1, 1)]),  # 1.9 and 0.9 count 1 and 0, 2.5 counts 2
        ("ceil", [(1, 3), (2, 3)]),
    ],
)
def test_weightings(weighting, expected):
    maxima = np.array([[1.9, 0.9, 0.0, 2.5]])
    cosines = np.full((1, 4, 1), 0.5)
    assert said(vote(words([1], [1], [3], [2]), cosines, maxima, weighting, 10)) == expected


@pytest.mark.parametrize("weighting", ["none", "int", "ceil"])
def test_silent_images_do_not_vote(weighting):
    table = vote(words([1], [2]), np.ones((1, 2, 1)), np.array([[-3.0, 0.0]]), weighting, 10)
    assert len(table) == 0


def test_ties_go_to_the_higher_mean_cosine_then_the_smaller_row():
    cosines = np.array([[[0.2, 0.9, 0.5], [0.5, 0.2, 0.5]]])
    # Twice each; mean cosines: 7 -> 0.2 .. 0.35 for rows 7 and 9 with swapped places, 4 -> 0.5.
    table = vote(words([7, 9, 4], [9, 7, 4]), cosines, np.ones((1, 2)), "none", 10)
    assert table["row"].tolist() == [9, 4, 7]  # 0.7, 0.5, 0.2
    np.testing.assert_allclose(table["cosine"], [0.7, 0.5, 0.2])
    equal = vote(words([7, 9, 4]), np.full((1, 1, 3), 0.5), np.ones((1, 1)), "none", 10)
    assert equal["row"].tolist() == [4, 7, 9]


def test_what_is_no_word_gets_no_vote():
    table = vote(words([-1, 5]), np.zeros((1, 1, 2)), np.ones((1, 1)), "none", 10)
    assert said(table) == [(5, 1)]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["none", "int", "ceil"]))
def test_equals_counting_by_hand(seed, weighting):
    chance = np.random.default_rng(seed)
    rows = np.array([[chance.permutation(6)[:3] for _ in range(5)] for _ in range(4)])
    maxima = chance.normal(1, 1.5, (4, 5))
    cosines = chance.random((4, 5, 3))
    table = vote(rows, cosines, maxima, weighting, 4)
    weigh = {"none": lambda m: 1, "int": np.floor, "ceil": np.ceil}[weighting]
    for number in range(4):
        ballots, closeness = Counter(), {}
        for image in range(5):
            if maxima[number, image] > 0 and weigh(maxima[number, image]) >= 1:
                for place in range(3):
                    row = rows[number, image, place]
                    ballots[row] += int(weigh(maxima[number, image]))
                    closeness.setdefault(row, []).append(cosines[number, image, place])
        expected = sorted(ballots, key=lambda row: (-ballots[row], -np.mean(closeness[row]), row))[:4]
        assert said(table, number) == [(row, ballots[row]) for row in expected]


def test_an_unknown_weighting_is_refused():
    with pytest.raises(ValueError, match=r"words\.weighting is 'floor'"):
        vote(words([1]), np.ones((1, 1, 1)), np.ones((1, 1)), "floor", 10)
