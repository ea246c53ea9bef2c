"""Expected capacity: known answers, what random labels need, ties, streaming, and unusable data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.data.samples.planes import generated
from filterscope.diagnosis.complexity.expected_capacity import ExpectedCapacity, expected_capacity, row_sums
from filterscope.diagnosis.labelled import DiagnosisError

SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def of(points, labels, **choices):
    return expected_capacity(np.asarray(points, float), np.asarray(labels), **choices)


def random_labels(samples, classes, dimensions, seed=0):
    """Labels that have nothing to do with the samples."""
    chance = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    return expected_capacity(chance.random((samples, dimensions), np.float32), chance.permutation(labels))


# --- known answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "labels", "changes", "bits"),
    [
        (SQUARE, [0, 0, 0, 1], 1, 2),  # AND
        (2 * SQUARE - 1, [0, 1, 1, 0], 2, 4),  # XOR
        (2 * SQUARE - 1, [1, 0, 0, 1], 2, 4),  # NXOR
        ([[1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [8, 9]], [0, 1, 0, 1, 0, 1, 0], 6, 6),
        (SQUARE, [0, 0, 0, 0], 0, 0),  # one class
    ],
)
def test_known_answers(points, labels, changes, bits):
    found = of(points, labels)
    assert (found.changes, found.bits) == (changes, bits)
    assert found.unrounded == pytest.approx(np.log2(changes + 1) * 2)
    assert found.upper_bound == changes * 3 + changes


@pytest.mark.parametrize(
    ("name", "noise", "bits", "share"),
    [
        ("spiral", 35, 12, 1.0),
        ("gauss", 35, 2, 1.0),
        ("circle", 35, 10, 0.7),
        ("moon", 23, 10, 0.6),
        ("xor", 35, 10, 0.6),
    ],
)
def test_planes_of_a_hundred_points_have_the_published_value_most_often(name, noise, bits, share):
    """Debugger, table 1: one draw may differ, so the most frequent of 40 counts."""
    draws = [generated(name, 100, 0, noise, seed) for seed in range(40)]
    found = [expected_capacity(each.values, each.labels).bits for each in draws]
    values, counts = np.unique(found, return_counts=True)
    assert values[np.argmax(counts)] == bits
    assert counts.max() >= share * len(draws)


def test_magnitudes_instead_of_signed_sums_give_other_values():
    """The text's L1 norm does not give the table's: 2, 12, 12 for circle, gauss, xor (Debugger, 3.1.1)."""
    found = {}
    for name in ("circle", "gauss", "xor"):
        draws = [generated(name, 100, 0, 35, seed) for seed in range(20)]
        found[name] = np.median([expected_capacity(each.values, each.labels, norm="l1").bits for each in draws])
    assert found["gauss"] == 12
    assert found["circle"] < 10
    assert found["xor"] == 12


@pytest.mark.parametrize(("dimensions", "published"), [(3072, 30720), (784, 7840)])
def test_random_labels_of_a_thousand_samples_give_what_is_published_of_cifar_and_mnist(dimensions, published):
    assert all(random_labels(1000, 10, dimensions, seed).bits == published for seed in range(3))


@pytest.mark.parametrize(("samples", "dimensions", "bits"), [(50000, 3072, 49152), (60000, 784, 12544)])
def test_random_labels_of_the_complete_sets_give_more(samples, dimensions, bits):
    labels = np.random.default_rng(0).permutation(np.arange(samples) % 10)
    changes = np.count_nonzero(np.diff(labels))
    assert ExpectedCapacity(samples, dimensions, 10, changes, 0, 0.1).bits == bits


def test_whole_bits_are_exact_where_logarithms_round():
    for power in range(1, 60):
        assert ExpectedCapacity(2, 1, 2, 2**power - 1, 0, 0.5).bits == power
        assert ExpectedCapacity(2, 1, 2, 2**power, 0, 0.5).bits == power + 1


def test_memorising_takes_one_bit_a_sample_of_two_classes():
    assert of([[1], [2], [3]], [0, 1, 0]).memorising == 3
    assert of([[1], [2], [3], [4]], [0, 1, 2, 3]).memorising == 8


# --- properties -----------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 5))
def test_order_of_the_samples_does_not_matter(seed, samples, dimensions):
    chance = np.random.default_rng(seed)
    points = chance.integers(-2, 3, (samples, dimensions))  # many ties
    labels = chance.integers(0, 3, samples)
    other = chance.permutation(samples)
    assert of(points, labels) == of(points[other], labels[other])


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_changes_lie_between_what_must_be_and_what_can_be(seed, samples):
    chance = np.random.default_rng(seed)
    points, labels = chance.integers(0, 5, (samples, 2)), chance.integers(0, 4, samples)
    found = of(points, labels)
    assert found.classes - 1 <= found.changes < samples
    assert found.bits >= found.unrounded - 1e-9
    assert found.bits <= found.unrounded + found.dimensions


def test_pieces_give_what_the_whole_gives():
    chance = np.random.default_rng(0)
    values, labels = chance.integers(0, 256, (9001, 3, 4, 4)).astype(np.uint8), chance.integers(0, 5, 9001)
    whole = expected_capacity(values, labels)
    assert whole.dimensions == 48
    assert expected_capacity((values[at : at + 777] for at in range(0, 9001, 777)), labels) == whole
    assert np.array_equal(row_sums(values), values.reshape(9001, -1).astype(np.int64).sum(1))


def test_input_is_not_changed():
    points = np.array([[1.0, -2.0], [0.0, 3.0]])
    points.flags.writeable = False
    assert of(points, [0, 1], norm="l1").changes == 1


# --- documented results ---------------------------------------------------------------------------------


def test_ties_are_counted_and_follow_the_choice():
    points, labels = [[1], [1], [1], [1], [2]], [0, 1, 0, 1, 1]
    assert of(points, labels).ties == 4
    assert of(points, labels).changes == 1
    assert of(points, labels, ties="input").changes == 3  # as the authors' code


def test_constant_features_leave_the_classes_in_a_row():
    found = of(np.ones((12, 3)), [0, 1, 2] * 4)
    assert (found.changes, found.ties) == (2, 12)


def test_duplicated_samples_of_one_class_change_nothing():
    points, labels = np.arange(8.0)[:, None], np.array([0, 0, 1, 1, 0, 0, 1, 1])
    assert of(np.repeat(points, 5, 0), np.repeat(labels, 5)).changes == of(points, labels).changes


def test_digits_cut_sums():
    assert row_sums(np.array([[1.239], [-1.239]]), digits=2).tolist() == [1.23, -1.23]
    assert of([[0.111], [0.112], [0.113]], [0, 1, 0], digits=2).changes == 1


@pytest.mark.parametrize(
    ("counts", "unbalanced"), [((80, 20), False), ((81, 19), True), ((10,) * 10, False), ((24,) * 4 + (4,), True)]
)
def test_small_classes_are_told(counts, unbalanced):
    labels = np.repeat(np.arange(len(counts)), counts)
    assert of(np.arange(len(labels))[:, None], labels).unbalanced is unbalanced


# --- bad input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        ([[1.0], [2.0]], [0, 1, 1], "2 samples and 3 labels"),
        ([[1.0], [np.nan], [2.0]], [0, 1, 1], "sample 1 has NaN"),
        ([[1.0], [2.0], [-np.inf]], [0, 1, 1], "sample 2 has NaN"),
        ([[1.0], [2.0]], ["cat", "dog"], "samples.numbered"),
        ([1.0, 2.0], [0, 1], r"float64 \[2\]"),
        (np.zeros((0, 2)), [], r"float64 \[0, 2\]"),
        ([["a"], ["b"]], [0, 1], "should be numbers"),
    ],
)
def test_bad_data_are_named(points, labels, message):
    with pytest.raises(DiagnosisError, match=message):
        expected_capacity(np.asarray(points), np.asarray(labels))


def test_infinite_values_in_a_later_piece_are_counted_through():
    pieces = [np.zeros((5, 2)), np.array([[0.0, 0], [np.inf, 0]])]
    with pytest.raises(DiagnosisError, match="sample 6 "):
        expected_capacity(iter(pieces), np.arange(7) % 2)


def test_pieces_of_different_width_are_refused():
    with pytest.raises(DiagnosisError, match=r"\[2, 3\] dimensions"):
        expected_capacity(iter([np.zeros((2, 2)), np.zeros((2, 3))]), np.arange(4) % 2)


@pytest.mark.parametrize("choice", [{"norm": "l2"}, {"ties": "last"}])
def test_unknown_choices_are_refused(choice):
    with pytest.raises(DiagnosisError, match="should be one of"):
        of([[1.0], [2.0]], [0, 1], **choice)
