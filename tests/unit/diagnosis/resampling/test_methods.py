"""SMOTE, Tomek links and the guided search: known answers, properties, agreement with imbalanced-learn, bad input."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.combine import SMOTETomek
from imblearn.under_sampling import TomekLinks

from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.resampling import tomek_links
from filterscope.diagnosis.resampling.methods import (
    METHODS,
    SYNTHETIC,
    ResamplingSettings,
    guided,
    matrix,
    resample,
    smote,
    tomek,
)
from filterscope.diagnosis.resampling.tomek_links import strict_links


class Fixed(np.random.RandomState):
    """Chance that always takes the first neighbour of the first sample, a quarter of the way."""

    def randint(self, low, high=None, size=None, dtype=int):
        return np.zeros(size, int)

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.full(size, 0.25)


def column(*numbers):
    return np.array(numbers, np.float32)[:, None]


def unbalanced(seed=0, rare=8, frequent=40, dimensions=3):
    """Two overlapping clouds, the second with few samples."""
    chance = np.random.default_rng(seed)
    values = chance.standard_normal((frequent + rare, dimensions)).astype(np.float32)
    values[frequent:] += 1
    return values, np.repeat([0, 1], [frequent, rare])


# --- SMOTE ---------------------------------------------------------------------------------------------------------


def test_a_synthetic_sample_lies_a_quarter_of_the_way():
    values = np.array([[0, 0], [1, 0], [9, 9], [9, 8], [8, 9]], np.float32)
    made = smote(values, np.array([1, 1, 0, 0, 0]), neighbours=1, chance=Fixed())
    assert made.values[-1].tolist() == [0.25, 0]
    assert made.labels[-1] == 1
    assert made.origin.tolist() == [0, 1, 2, 3, 4, SYNTHETIC]


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=40)
def test_synthetic_samples_lie_between_neighbours_and_originals_come_first_unchanged(seed, k, dimensions):
    values, labels = unbalanced(seed, dimensions=dimensions)
    made = resample(values, labels, "smote", ResamplingSettings(neighbours=k), seed)
    assert (made.values[: len(values)] == values).all()
    assert (made.labels[: len(values)] == labels).all()
    assert made.origin.tolist() == [*range(len(values)), *[SYNTHETIC] * (len(made.labels) - len(values))]
    assert np.bincount(made.labels).tolist() == [40, 40]
    rare = values[labels == 1].astype(np.float64)
    distances = np.linalg.norm(rare[:, None] - rare, axis=2)
    nearest = distances.argsort(1, kind="stable")[:, 1 : k + 1]
    starts, ends = np.repeat(rare, k, 0), rare[nearest].reshape(-1, dimensions)
    for point in made.values[len(values) :].astype(np.float64):
        along = ends - starts
        share = np.clip(((point - starts) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12), 0, 1)
        assert np.abs(starts + share[:, None] * along - point).max(1).min() < 1e-5


def test_every_class_but_the_largest_is_filled_up():
    values = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    assert np.bincount(resample(values, labels, "smote", ResamplingSettings(), 0).labels).tolist() == [30, 30, 30]


@pytest.mark.parametrize("rare", [4, 5])
def test_as_many_neighbours_as_samples_are_refused(rare):
    values, labels = unbalanced(rare=rare)
    said = f"class 1 has {rare} samples, no more than its 5 neighbours .*at most {rare - 1}"
    with pytest.raises(ValueError, match=said):
        resample(values, labels, "smote", ResamplingSettings(neighbours=5), 0)


# --- Tomek links ---------------------------------------------------------------------------------------------------

LINKED = column(0, 1, 1.4, 3, -1), np.array([0, 0, 1, 1, 0])
TIED = column(-1, 0, 1, -5, -6), np.array([0, 1, 0, 0, 0])


@pytest.mark.parametrize("ties", ["first", "strict"])
def test_the_majority_member_of_a_link_is_removed(ties):
    made = tomek(*LINKED, ties=ties)
    assert made.origin.tolist() == [0, 2, 3, 4]
    assert strict_links(*LINKED).tolist() == [[1, 2]]


def test_equal_classes_have_no_majority():
    values, labels = column(0, 1, 1.4, 3), np.array([0, 0, 1, 1])
    for ties in ("first", "strict"):
        with pytest.raises(ValueError, match=r'all 2 classes have 2 samples.*strategy "all"'):
            tomek(values, labels, ties=ties)
        assert tomek(values, labels, "all", ties).origin.tolist() == [0, 3]
    with pytest.raises(ValueError, match="all 2 classes have 2 samples"):
        resample(values, labels, "tomek", ResamplingSettings(), 0)


def test_ties_make_two_links_by_the_strict_rule_and_one_by_the_other():
    assert strict_links(*TIED).tolist() == [[0, 1], [1, 2]]
    assert tomek(*TIED, ties="strict").origin.tolist() == [1, 3, 4]
    assert tomek(*TIED, ties="first").origin.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("find", [tomek_links._nearest_by_tree, tomek_links._nearest_by_products])
@given(seed=st.integers(0, 10**6), dimensions=st.integers(1, 12), spread=st.sampled_from([3, 1000]))
@settings(max_examples=40)
def test_both_ways_find_exactly_the_nearest_by_definition(find, seed, dimensions, spread):
    """On a coarse grid ties and duplicates abound, on a fine one there are none."""
    values = np.random.default_rng(seed).integers(0, spread, (30, dimensions)).astype(np.float64)
    distances = np.square(values[:, None] - values).sum(2)
    np.fill_diagonal(distances, np.inf)
    wanted = set(zip(*np.nonzero(distances == distances.min(1, keepdims=True)), strict=True))
    assert set(zip(*find(values), strict=True)) == wanted


def test_chunks_change_nothing(monkeypatch):
    values, labels = unbalanced(dimensions=20)
    whole = strict_links(values, labels)
    monkeypatch.setattr(tomek_links, "CHUNK", 100)
    assert (strict_links(values, labels) == whole).all()


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_without_ties_the_rules_agree_and_equal_imbalanced_learn(seed):
    values, labels = unbalanced(seed, rare=20)
    cleaner = TomekLinks()
    cleaner.fit_resample(values, labels)
    for ties in ("first", "strict"):
        made = resample(values, labels, "tomek", ResamplingSettings(ties=ties), seed)
        assert made.origin.tolist() == cleaner.sample_indices_.tolist()


def test_duplicates_of_another_class_are_links():
    values, labels = column(0, 0, 5, 6, 7), np.array([0, 1, 0, 0, 0])
    assert strict_links(values, labels).tolist() == [[0, 1]]
    assert tomek(values, labels, ties="strict").origin.tolist() == [1, 2, 3, 4]


def test_a_class_that_would_vanish_is_named():
    with pytest.raises(ValueError, match="every sample of class 0 is in a Tomek link"):
        tomek(column(0, 1), np.array([0, 1]), "all")


# --- Both, pictures, chance -----------------------------------------------------------------------------------------


def test_both_are_as_batista_and_others_have_it():
    values, labels = unbalanced(rare=12)
    made = resample(values, labels, "both", ResamplingSettings(), 3)
    assert (made.origin != SYNTHETIC).sum() < len(values), "there were links to clean"
    assert np.bincount(made.labels)[0] == np.bincount(made.labels)[1], "links lose one of each class"
    order = np.random.default_rng(3)
    shuffled = order.permutation(len(labels))
    theirs = SMOTETomek(random_state=int(order.integers(2**32))).fit_resample(values[shuffled], labels[shuffled])
    assert sorted(map(tuple, made.values.tolist())) == sorted(map(tuple, theirs[0].tolist()))


@pytest.mark.parametrize("method", METHODS)
def test_pictures_keep_their_shape_and_originals(method):
    values, labels = unbalanced(dimensions=12)
    made = resample(values.reshape(-1, 3, 2, 2), labels, method, ResamplingSettings(), 0)
    assert made.values.shape[1:] == (3, 2, 2)
    kept = made.origin[made.origin != SYNTHETIC]
    assert (np.diff(kept) > 0).all()
    assert (made.values[: len(kept)] == values.reshape(-1, 3, 2, 2)[kept]).all()
    assert (made.labels[: len(kept)] == labels[kept]).all()


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_samples_and_inputs_stay(method):
    values, labels = unbalanced()
    before = values.copy()
    first, same, other = (resample(values, labels, method, ResamplingSettings(), seed) for seed in (1, 1, 2))
    assert (first.values == same.values).all()
    assert (first.values.shape != other.values.shape or (first.values != other.values).any()) == (
        method in ("smote", "both")
    )
    assert (values == before).all()


# --- The guided search ---------------------------------------------------------------------------------------------


def mock(*numbers):
    """Capacities one after the other."""
    values = iter(numbers)
    return lambda *_: SimpleNamespace(changes=1, unrounded=next(values), bits=1)


def test_the_draw_of_least_capacity_is_returned():
    values, labels = unbalanced()
    chosen = ResamplingSettings(iterations=8, patience=8)
    made, history = guided(values, labels, "smote", chosen, expected_capacity, range(8))
    unrounded = [row["unrounded"] for row in history]
    assert len(set(unrounded)) > 1
    assert expected_capacity(made.values, made.labels).unrounded == min(unrounded)
    best = [row for row in history if row["best"]][-1]
    assert best["unrounded"] == min(unrounded)
    again = resample(values, labels, "smote", chosen, best["seed"])
    assert (again.values == made.values).all()
    assert (np.bincount(made.labels) == 40).all()
    same = guided(values, labels, "smote", chosen, expected_capacity, range(8))
    assert same[1] == history
    assert (same[0].values == made.values).all()


def test_ties_keep_the_earliest_and_patience_ends_the_search():
    values, labels = unbalanced()
    chosen = ResamplingSettings(iterations=9, patience=3)
    made, history = guided(values, labels, "smote", chosen, mock(5, 4, 4, 6, 4, 1), range(9))
    assert [row["best"] for row in history] == [True, True, False, False, False]
    assert (made.values == resample(values, labels, "smote", chosen, 1).values).all()


@pytest.mark.parametrize("method", ["none", "tomek"])
def test_without_chance_there_is_one_iteration(method):
    _, history = guided(*unbalanced(), method, ResamplingSettings(), expected_capacity, range(20))
    assert len(history) == 1
    assert history[0]["synthetic"] == 0


def test_the_history_counts_what_was_added_and_removed():
    values, labels = unbalanced(rare=12)
    made, history = guided(values, labels, "both", ResamplingSettings(iterations=1), expected_capacity, [4])
    (row,) = history
    assert row["samples"] == len(made.labels) == len(labels) + row["synthetic"] - row["removed"]
    assert row["synthetic"] == (made.origin == SYNTHETIC).sum()


# --- Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "labels", "said"),
    [
        (
            [np.zeros((1, 2, 2)), np.zeros((1, 2, 3))],
            [0, 1],
            r"sample 1 has the shape \[1, 2, 3\], sample 0 \[1, 2, 2\]",
        ),
        (np.zeros((2, 3)), [0, 0], "all samples are of class 0"),
        (np.zeros((2, 3)), [0, 1, 1], "2 samples but 3 labels"),
        (np.array([[0, 1], [np.nan, 1]]), [0, 1], "sample 1 has NaN"),
        (np.zeros((0, 2)), [], "no samples"),
    ],
)
def test_what_cannot_be_resampled(values, labels, said):
    with pytest.raises(ValueError, match=said):
        matrix(values, np.array(labels))
    with pytest.raises(ValueError, match=said):
        resample(values, np.array(labels), "none", ResamplingSettings(), 0)


def test_unknown_names_and_numbers():
    with pytest.raises(ValueError, match="method is 'adasyn', should be one of none, smote, tomek, both"):
        resample(*unbalanced(), "adasyn", ResamplingSettings(), 0)
    with pytest.raises(ValueError, match="ties is 'loose'"):
        ResamplingSettings(ties="loose")
    with pytest.raises(ValueError, match="neighbours is 0"):
        ResamplingSettings(neighbours=0)
    with pytest.raises(ValueError, match="3 seeds for 20 iterations"):
        guided(*unbalanced(), "smote", ResamplingSettings(), expected_capacity, range(3))
