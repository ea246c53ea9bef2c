"""How many senses: planted groups are found, one cloud stays whole, likeness decides; k-means is scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from filterscope.pictures.senses.clusters import k_means, nearest
from filterscope.pictures.senses.counting import (
    CountSettings,
    by_attention,
    count_senses,
    directions,
    distinction,
    likeness,
    prediction_strength,
    principal_scores,
)

WIDTH = 60
SETTINGS = CountSettings()


def codes(*groups, width=WIDTH, seed=0):
    """Codes above a background of noise, and the group of each: in every group other five filters fire, and by `common`
    all of the first ten do. groups: (images, how strongly its own fire, how strongly the common ones do)."""
    chance, parts = np.random.default_rng(seed), []
    for number, (count, own, common) in enumerate(groups):
        part = chance.standard_normal((count, width))
        part[:, 10 + 5 * number : 15 + 5 * number] += own
        part[:, :10] += common
        parts.append(part)
    return np.concatenate(parts), np.repeat(np.arange(len(groups)), [count for count, *_ in groups])


@pytest.mark.parametrize("sizes", [(30, 30), (40, 15), (30, 25, 20)])
def test_planted_groups_are_found(sizes):
    given, truth = codes(*((size, 6, 0) for size in sizes))
    found = count_senses(given, 0)
    assert found.count == len(sizes)
    assert adjusted_rand_score(truth, found.senses) > 0.95
    assert np.bincount(found.senses).tolist() == sorted(sizes, reverse=True)
    assert found.strength > 0.9
    assert found.likeness < 0.1
    assert found.distinction > 5


def test_one_kind_of_images_stays_whole():
    for seed in range(20):
        given, _ = codes((50, 5, 0), seed=seed)
        assert count_senses(given, seed).count == 1


def test_groups_that_share_most_of_what_excites_them_are_one_sense():
    """Red things with dots and red things with stripes are red things."""
    given, _ = codes((30, 6, 8), (30, 6, 8))
    found = count_senses(given, 0)
    assert found.count == 1
    assert found.tried == 2
    assert found.likeness > 0.5
    assert (found.senses == 0).all()


def test_a_few_odd_images_are_no_sense():
    given, _ = codes((50, 6, 0), (8, 6, 0))
    assert count_senses(given, 0).count == 1
    assert count_senses(given, 0, replace(SETTINGS, smallest=0.1, likeness=0.4)).count == 2


def test_a_group_without_filters_of_its_own_is_no_sense():
    """Images in which the filter's usual company is missing are not another sense of it."""
    given, _ = codes((30, 6, 0), (30, 0, 0))
    assert count_senses(given, 0).count == 1


def test_scores_are_principal_components():
    given, _ = codes((20, 3, 0), (20, 3, 1))
    scores = principal_scores(given, 5)
    centred = given - given.mean(0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(scores) == pytest.approx(np.abs(centred @ rows[:5].T), abs=1e-6)
    assert (scores**2).sum(0) == pytest.approx(values[:5] ** 2)
    assert principal_scores(given[:4], 10).shape == (4, 3)


def test_attention_weighs_by_what_all_images_have():
    given = np.array([[2.0, -1, 0], [4, -3, 0]])
    assert by_attention(given).tolist() == [[6, 0, 0], [12, 0, 0]]
    assert directions(np.array([[3.0, 4], [0, 0]])).tolist() == [[0.6, 0.8], [0, 0]]


def test_likeness_and_distinction_by_hand():
    labels = np.array([0, 0, 1])
    given = np.array([[3.0, 0, 1], [5, 0, 1], [0, 2, 1]])
    assert likeness(given, labels) == pytest.approx(1 / (np.sqrt(17) * np.sqrt(5)))
    assert distinction(given, labels) == 2, "the second group has one filter of its own, by two"
    assert likeness(given, np.zeros(3, int)) == 1
    assert distinction(given, np.zeros(3, int)) == 0


def test_prediction_strength_is_one_for_groups_that_are_there_only():
    given, _ = codes((30, 8, 0), (30, 8, 0))
    scores, chance = principal_scores(given, 5), np.random.default_rng(0)
    assert prediction_strength(scores, 2, chance, SETTINGS) == 1
    assert prediction_strength(scores, 4, chance, SETTINGS) < 0.7


def test_k_means_is_scikit_learns():
    chance = np.random.default_rng(0)
    sets = np.stack([principal_scores(codes((15, 6, 0), (25, 6, 0), (20, 6, 0), seed=seed)[0], 5) for seed in range(6)])
    found = k_means(sets, 3, 10, chance)
    for points, labels, centres, inertia in zip(sets, found.labels, found.centres, found.inertia, strict=True):
        theirs = KMeans(3, n_init=10, random_state=0).fit(points)
        assert adjusted_rand_score(theirs.labels_, labels) == 1
        assert inertia == pytest.approx(theirs.inertia_)
        assert np.sort(centres[:, 0]) == pytest.approx(np.sort(theirs.cluster_centers_[:, 0]))
    assert np.array_equal(nearest(sets, found.centres), found.labels)


def test_k_means_of_equal_points():
    found = k_means(np.ones((2, 5, 3)), 2, 3, np.random.default_rng(0))
    assert found.inertia.tolist() == [0, 0]


def test_the_same_seed_gives_the_same_senses():
    given, _ = codes((20, 2, 1), (20, 2, 1))
    first, second = (count_senses(given, 3) for _ in range(2))
    assert np.array_equal(first.senses, second.senses)
    assert (first.strength, first.likeness) == (second.strength, second.likeness)
