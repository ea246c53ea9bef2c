"""CSG: known answers, the authors' implementation, neighbours by tree and by products, and bad data."""

import logging
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import braycurtis, cdist

from filterscope.data.samples.labelled_samples import stratified
from filterscope.data.samples.planes import generated
from filterscope.diagnosis.complexity import neighbours
from filterscope.diagnosis.complexity.class_map import class_map
from filterscope.diagnosis.complexity.separability import (
    SeparabilitySettings,
    neighbourhoods,
    of_neighbourhoods,
    separability,
    shuffled_null,
    similarity_of,
    spectrum_of,
)
from filterscope.diagnosis.labelled import DiagnosisError

DEFAULTS = SeparabilitySettings()
LINE = np.array([0, 1, 3, 4.5, 5.7, 7.9])[:, None]
LINE_LABELS = np.array([0, 0, 1, 0, 1, 1])


def chance(seed=0):
    return np.random.default_rng(seed)


def blobs(members, dimensions, distance, classes=3, seed=0):
    generator = chance(seed)
    labels = np.repeat(np.arange(classes), members)
    centres = distance * generator.standard_normal((classes, dimensions))
    return centres[labels] + generator.standard_normal((len(labels), dimensions)), labels


def linked(classes, w):
    return np.where(np.eye(classes, dtype=bool), 1.0, w)


# --- known answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "w", "csg"), [(3, 0.25, 0.5), (5, 0.4, 1.6), (10, 1.0, 9.0), (4, 0.0, 0.0), (2, 0.3, 0.3)]
)
def test_equally_similar_classes(classes, w, csg):
    found = spectrum_of(linked(classes, w))
    assert found.csg == pytest.approx(csg)
    assert found.eigenvalues == pytest.approx([0] + [classes * w] * (classes - 1), abs=1e-12)


def test_a_path_and_a_pair():
    path = spectrum_of(np.array([[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]]))
    assert path.eigenvalues == pytest.approx([0, 0.5, 1.5], abs=1e-12)
    assert path.gradients == pytest.approx([1 / 6, 1 / 2])
    assert path.csg == pytest.approx(2 / 3)
    assert spectrum_of(np.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])).csg == pytest.approx(1)


def test_similarity_is_what_two_rows_share():
    rows = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert similarity_of(rows)[0, 1] == pytest.approx(0.3)
    assert spectrum_of(similarity_of(rows)).csg == pytest.approx(0.3)
    many = chance().dirichlet(np.ones(6), 6)
    assert similarity_of(many)[1, 4] == pytest.approx(1 - braycurtis(many[1], many[4]))


def test_six_points_on_a_line():
    """Both with and without the window, by hand."""
    plain = separability(LINE, LINE_LABELS, SeparabilitySettings(2, 250, window=False), chance())
    assert plain.overlaps == pytest.approx(np.array([[1, 2], [2, 1]]) / 3)
    assert plain.csg == pytest.approx(2 / 3)
    weighed = separability(LINE, LINE_LABELS, SeparabilitySettings(2, 250), chance())
    assert weighed.overlaps == pytest.approx(np.array([[5 / 18, 13 / 18], [0.700214, 0.299786]]), abs=1e-6)
    assert weighed.csg == pytest.approx(0.577564, abs=1e-6)


def test_separate_blobs_have_none():
    points, labels = blobs(100, 2, 100.0)
    assert separability(points, labels, DEFAULTS, chance()).csg == 0


@pytest.mark.parametrize(
    ("name", "points", "least", "most"),
    [
        ("gauss", 300, 0, 1e-3),
        ("moon", 300, 0, 1e-3),
        ("circle", 300, 0, 1e-3),
        ("xor", 300, 1e-3, 0.03),
        ("spiral", 100, 0.4, 0.55),
    ],
)
def test_planes_are_as_hard_as_published(name, points, least, most):
    """Debugger, table 1: 0, 0, 0, .00609 and .431; medians of generated sets."""
    draws = [generated(name, points, 0, 35, seed) for seed in range(20)]
    assert least <= np.median([separability(s.values, s.labels, DEFAULTS, chance(1)).csg for s in draws]) <= most


def test_the_studys_spiral_is_generated_with_as_many_points_as_were_published(default_config):
    """A draw of a hundred from a thousand is another set: the arms are no longer evenly spaced."""
    assert default_config()["samples"]["spiral"]["points"] == 100
    whole = generated("spiral", 1000, 0, 35, 0)
    drawn = [stratified(whole.labels, 100, chance(seed)) for seed in range(20)]
    values = [separability(whole.values[rows], whole.labels[rows], DEFAULTS, chance(1)).csg for rows in drawn]
    assert np.median(values) < 0.2


# --- the authors' implementation ------------------------------------------------------------------------


class Ordered:
    """As their sampling, but of a generator that is handed over: `fit` of theirs cannot be seeded."""

    def __init__(self, points, labels, settings, generator):
        self.indices = {
            name: generator.permutation(np.flatnonzero(labels == name))[: settings.per_class]
            for name in range(labels.max() + 1)
        }
        self.samples = {name: points[rows] for name, rows in self.indices.items()}


def theirs(points, labels, settings, generator):
    from spectral_metric.estimator import CumulativeGradientEstimator

    logging.getLogger("spectral_metric").setLevel(logging.ERROR)
    estimator = CumulativeGradientEstimator(settings.per_class, settings.neighbours)
    drawn = Ordered(points, labels, settings, generator)
    estimator.n_class, estimator.class_indices = labels.max() + 1, drawn.indices
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.compute(points, labels, drawn.samples)
    return estimator


@pytest.mark.parametrize(("dimensions", "distance"), [(2, 1.0), (3, 0.3), (5, 0.7), (20, 0.4)])
def test_values_are_those_of_the_authors_code_for_the_same_draw(dimensions, distance):
    points, labels = blobs(120, dimensions, distance, classes=4)
    wanted = theirs(points, labels, SeparabilitySettings(3, 60), chance(5))
    found = separability(points, labels, SeparabilitySettings(3, 60), chance(5))
    assert found.overlaps == pytest.approx(wanted.S, abs=1e-9)
    assert found.similarity == pytest.approx(wanted.W, abs=1e-9)
    assert found.csg == pytest.approx(float(np.squeeze(wanted.csg)), abs=1e-9)


def test_volumes_of_many_dimensions_do_not_overflow():
    """The authors' code gets infinite volumes, rows of zeros and a CSG that is none; ours stays within its range."""
    points, labels = blobs(40, 2000, 3.0)
    points *= 100
    with np.errstate(all="ignore"):
        assert not theirs(points, labels, DEFAULTS, chance()).S.any()
    found = separability(points, labels, DEFAULTS, chance())
    assert found.overlaps.sum(1) == pytest.approx(np.ones(3))
    assert 0 <= found.csg <= 2
    assert found.effective_samples < 5  # and it says that few samples decide


# --- neighbours -----------------------------------------------------------------------------------------


def sorted_neighbours(points, queries, count):
    distances = cdist(points[queries], points)
    distances[np.arange(len(queries)), queries] = np.inf
    order = np.lexsort((np.broadcast_to(np.arange(len(points)), distances.shape), distances))
    return order[:, :count]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(6, 60), st.booleans())
def test_neighbours_are_the_nearest(seed, dimensions, samples, pictures):
    generator = chance(seed)
    points = generator.standard_normal((samples, dimensions)) + 1000 * generator.random()
    if pictures:
        points = (generator.random((samples, dimensions)) * 1e6).round()
    queries = generator.permutation(samples)[:5]
    assert neighbours.nearest(points, queries, 4).tolist() == sorted_neighbours(points, queries, 4).tolist()


def test_pieces_give_the_same_neighbours(monkeypatch):
    points = chance().integers(0, 256, (500, 30)).astype(np.uint8)
    queries = np.arange(0, 500, 7)
    whole = neighbours.nearest(points, queries, 5)
    monkeypatch.setattr(neighbours, "COLUMNS", 64)
    monkeypatch.setattr(neighbours, "ENTRIES", 640)
    assert np.array_equal(neighbours.nearest(points, queries, 5), whole)
    assert np.array_equal(whole, sorted_neighbours(points.astype(float), queries, 5))


@pytest.mark.parametrize("dimensions", [2, 8])
def test_a_copy_of_a_sample_is_its_neighbour_and_the_sample_is_not(dimensions):
    points = np.repeat(chance().standard_normal((20, dimensions)), 2, 0)
    near = neighbours.nearest(points, np.arange(40), 1)[:, 0]
    assert near.tolist() == [number ^ 1 for number in range(40)]


def test_large_offsets_cost_no_neighbours():
    """Squared lengths in single precision would swallow these differences, were the mean not taken off."""
    points = 1e4 + chance().standard_normal((300, 50))
    queries = np.arange(300)
    assert np.array_equal(neighbours.nearest(points, queries, 3), sorted_neighbours(points, queries, 3))


@pytest.mark.parametrize(
    "far", ["two clusters", "one outlier", "two clusters in doubles", "huge", "tiny", "a wide column", "many copies"]
)
def test_rounding_costs_no_neighbours_where_the_data_are_widely_spread(far):
    """Products in single precision lose the distances among neighbours beside these lengths."""
    generator = chance()
    points = generator.standard_normal((600, 6)).astype(np.float32)
    if far == "two clusters":
        points = np.c_[points, generator.choice([0, 1e6], 600)].astype(np.float32)
    elif far == "one outlier":
        points[3, 5] = 1e7
    elif far == "two clusters in doubles":
        points = np.c_[points.astype(np.float64), generator.choice([0, 1e12], 600)]
    elif far == "huge":
        points *= np.float32(1e30)
    elif far == "tiny":
        points *= np.float32(1e-30)
    elif far == "a wide column":
        points = np.c_[points, np.exp(generator.normal(10, 2, 600))].astype(np.float32)
    else:
        points = np.repeat(points[:20], 30, 0)
    queries = generator.permutation(600)[:200]
    wanted = sorted_neighbours(points.astype(np.float64), queries, 3)
    assert np.array_equal(neighbours.nearest(points, queries, 3), wanted)


def test_the_search_leaves_the_points_as_they_are():
    points = chance().standard_normal((50, 6)).astype(np.float32)
    before = points.copy()
    neighbours.nearest(points, np.arange(50), 3)
    assert np.array_equal(points, before)


def test_distances_that_overflow_are_refused():
    with pytest.raises(DiagnosisError, match="squares of their distances overflow"):
        neighbours.nearest(1e200 * chance().standard_normal((50, 6)), np.arange(50), 3)


def test_ordinary_data_are_not_asked_twice(monkeypatch):
    def refused(*_):
        raise AssertionError("these distances are far larger than the rounding of single precision")

    monkeypatch.setattr(neighbours, "_by_doubles", refused)
    pictures = chance().integers(0, 256, (2000, 768)).astype(np.uint8)
    assert neighbours.nearest(pictures, np.arange(200), 3).shape == (200, 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_neighbours_are_the_same_on_a_gpu():
    points = chance().integers(0, 256, (2000, 300)).astype(np.uint8)
    queries = np.arange(0, 2000, 3)
    assert np.array_equal(neighbours.nearest(points, queries, 5, "cuda"), neighbours.nearest(points, queries, 5))


def test_more_neighbours_than_samples_are_refused():
    with pytest.raises(DiagnosisError, match="5 neighbours of 5 samples"):
        neighbours.nearest(np.zeros((5, 2)), np.arange(5), 5)


# --- properties -----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_csg_stays_between_nothing_and_one_less_than_the_classes(seed, classes):
    overlaps = chance(seed).dirichlet(np.full(classes, 0.3), classes)
    found = spectrum_of(similarity_of(overlaps))
    assert 0 <= found.csg <= classes - 1 + 1e-9
    if classes == 2:
        assert found.csg == pytest.approx(similarity_of(overlaps)[0, 1])


def test_shifts_and_turns_change_nothing_without_the_window():
    points, labels = blobs(80, 4, 0.5)
    turn = np.linalg.qr(chance().standard_normal((4, 4)))[0]
    plain = SeparabilitySettings(window=False)
    here = separability(points, labels, plain, chance(2)).csg
    assert separability(points @ turn + 7, labels, plain, chance(2)).csg == pytest.approx(here)


def test_scale_matters_only_where_volumes_are_clipped():
    points, labels = blobs(80, 2, 1.0)
    free = SeparabilitySettings(smallest_volume=1e-300)
    values = [separability(points * scale, labels, free, chance(2)).csg for scale in (1, 1e-3, 1e3)]
    assert values == pytest.approx([values[0]] * 3)
    clipped = separability(points * 1e-6, labels, DEFAULTS, chance(2))
    assert clipped.csg == pytest.approx(separability(points, labels, SeparabilitySettings(window=False), chance(2)).csg)


def test_shuffled_labels_are_hard_and_own_labels_are_not():
    points, labels = blobs(150, 2, 30.0, classes=4)
    null = [each.csg for each in shuffled_null(points, labels, DEFAULTS, chance(), 10)]
    assert min(null) > 1.5
    assert separability(points, labels, DEFAULTS, chance()).csg < 0.01


def test_resampled_neighbourhoods_spread_about_the_value():
    points, labels = blobs(200, 2, 0.7)
    seen = neighbourhoods(points, labels, DEFAULTS, chance())
    value = of_neighbourhoods(seen, DEFAULTS).csg
    spread = [of_neighbourhoods(seen.resampled(chance(seed)), DEFAULTS).csg for seed in range(50)]
    assert min(spread) < value < max(spread)
    assert np.std(spread) > 0


def test_one_seed_one_value():
    points, labels = blobs(400, 5, 0.7)
    values = {separability(points, labels, SeparabilitySettings(per_class=50), chance(9)).csg for _ in range(3)}
    assert len(values) == 1


def test_similar_classes_are_near_each_other_on_the_map():
    similarity = linked(4, 0.05)
    similarity[0, 1] = similarity[1, 0] = 0.9
    places = class_map(similarity)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(4)
    assert {int(gaps[0].argmin()), int(gaps[1].argmin())} == {0, 1}
    assert np.isfinite(class_map(linked(2, 1.0))).all()
    assert class_map(linked(2, 0.4)) == pytest.approx(np.array([[0.3, 0], [-0.3, 0]]))


# --- documented results ---------------------------------------------------------------------------------


def test_constant_features_cannot_be_told_apart():
    """All samples are neighbours of all, the nearest by number are taken: those of the first class."""
    found = separability(np.ones((30, 2)), np.arange(30) % 3, DEFAULTS, chance())
    assert np.isfinite(found.overlaps).all()
    assert found.csg > 1.5


def test_duplicated_rows_weigh_most_and_break_nothing():
    points, labels = blobs(50, 2, 100.0)
    found = separability(np.repeat(points, 5, 0), np.repeat(labels, 5), DEFAULTS, chance())
    assert found.csg == 0


# --- bad data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        (np.zeros((10, 2)), np.zeros(10, int), "all samples have label 0"),
        (np.zeros((10, 2)), np.array([0] * 7 + [1] * 3), "class 1 has 3 samples, and 3 neighbours"),
        (np.zeros((10, 2)), np.array([0] * 5 + [2] * 5), "no sample has label 1"),
        (np.zeros((10, 2)), np.array([-1] * 5 + [0] * 5), "labels go down to -1"),
        (np.full((10, 2), np.nan), np.arange(10) % 2, "sample 0 has NaN"),
        (np.zeros((10, 2)), np.arange(9) % 2, "10 samples and 9 labels"),
        (np.zeros((10, 2)), np.array(["a", "b"] * 5), "samples.numbered"),
        (np.zeros(10), np.arange(10) % 2, r"float64 \[10\]"),
    ],
)
def test_bad_data_are_named(points, labels, message):
    with pytest.raises(DiagnosisError, match=message):
        separability(points, labels, DEFAULTS, chance())


@pytest.mark.parametrize(
    "matrix", [np.eye(1), np.full((2, 2), np.nan), np.array([[1, 0.2], [0.5, 1]]), np.zeros((2, 3))]
)
def test_matrices_that_are_no_similarities_are_refused(matrix):
    with pytest.raises(DiagnosisError, match="finite symmetric"):
        spectrum_of(matrix)


@pytest.mark.parametrize(
    "wrong", [{"neighbours": 0}, {"per_class": 0}, {"smallest_volume": 0}, {"smallest_volume": np.inf}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(DiagnosisError, match="should be positive"):
        SeparabilitySettings(**wrong)
