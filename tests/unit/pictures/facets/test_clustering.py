"""Facets: separated groups are found, means are numpy's, groups that are not there are unstable, bad input is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from filterscope.pictures.facets import clustering
from filterscope.pictures.facets.clustering import FacetError, FacetSettings, find_facets
from filterscope.pictures.facets.figures import facet_colours, thumbnail_places

QUICK = FacetSettings(seeds=2, bootstraps=2)


def blobs(groups, members, width, distance=3.0, seed=0):
    """Codes float32 and the group of each, in mixed order."""
    chance = np.random.default_rng(seed)
    truth = chance.permutation(np.repeat(np.arange(groups), members))
    centres = distance * chance.standard_normal((groups, width))
    return (centres[truth] + chance.standard_normal((len(truth), width))).astype(np.float32), truth


@pytest.fixture(scope="module")
def three():
    codes, truth = blobs(3, [20, 35, 27], 40)
    return codes, truth, find_facets(codes, 3, 0, QUICK)


@pytest.mark.slow
def test_ten_blobs_in_4096_dimensions():
    """Known answer: 10 groups of 130, and ten facets suggested."""
    codes, truth = blobs(10, 130, 4096)
    found = find_facets(codes, 10, 0)
    assert adjusted_rand_score(truth, found.facets) == 1.0
    assert clustering.suggested_facets(found.places, 0) == 10


def test_facets_are_numbered_from_the_largest_and_ranked_from_the_centre(three):
    _, truth, found = three
    assert adjusted_rand_score(truth, found.facets) == 1.0
    assert found.sizes.tolist() == [35, 27, 20]
    for facet in range(3):
        members = np.flatnonzero(found.facets == facet)
        centre = found.places[members].mean(0)
        distances = np.linalg.norm(found.places[members] - centre, axis=1)
        assert found.distances[members] == pytest.approx(distances, rel=1e-4, abs=1e-6)
        nearest = found.nearest(facet, 5)
        assert nearest.tolist() == members[np.argsort(distances)[:5]].tolist()
        assert sorted(found.ranks[members]) == list(range(len(members)))
        assert len(found.nearest(facet, 1000)) == len(members)


def test_groups_that_are_there_are_stable_and_others_are_not(three):
    codes, _, found = three
    stable = clustering.stability(codes, found, [1, 2, 3, 4], QUICK)
    assert (stable.seeds, stable.bootstraps) == (1.0, 1.0)
    assert stable.recovered.tolist() == [1.0] * 3
    cloud = np.random.default_rng(0).standard_normal((80, 40))
    unstable = clustering.stability(cloud, find_facets(cloud, 3, 0, QUICK), [1, 2, 3, 4], QUICK)
    assert unstable.seeds < 0.7
    assert unstable.bootstraps < 0.7
    assert (unstable.recovered < 0.9).all()


def test_no_repetitions_say_nothing(three):
    codes, _, found = three
    none = clustering.stability(codes, found, [], FacetSettings(seeds=0, bootstraps=0))
    assert (none.seeds, none.bootstraps, none.recovered) == (None, None, None)


def test_the_same_seed_gives_the_same_places_and_another_others(three):
    codes, _, found = three
    assert np.array_equal(clustering.embed(codes, 0), found.places)
    assert not np.array_equal(clustering.embed(codes, 1), found.places)


def test_number_is_suggested_by_silhouette(three):
    _, _, found = three
    assert clustering.suggested_facets(found.places, 0) == 3
    assert clustering.silhouette(found.places, found.facets) > 0.6
    assert clustering.silhouette(found.places[:3], np.arange(3)) is None
    assert clustering.suggested_facets(found.places[:2], 0) is None


@settings(max_examples=8)
@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 1000))
def test_any_few_images_can_be_grouped(count, width, seed):
    """PCA, perplexity and k-means all bend to what is there."""
    codes = np.random.default_rng(seed).standard_normal((count, width))
    found = find_facets(codes, 2, seed, QUICK)
    assert found.places.shape == (count, 2)
    assert np.isfinite(found.places).all()
    assert found.sizes.min() >= 1
    assert found.sizes.sum() == count


@pytest.mark.parametrize(
    ("codes", "number", "said"),
    [
        (np.ones((9, 4)), 2, "tabby: all 9 codes are equal"),
        (np.eye(4), 5, "tabby has 4 images, fewer than the 5 facets asked for: lower facets, or add images"),
        (np.eye(4), 1, "tabby: 1 facets are asked for, should be 2 or more"),
        (np.repeat(np.eye(2), 5, axis=0), 3, "tabby: its 10 images have 2 different codes for 3 facets"),
        (np.array([[0.0], [np.nan], [1.0]]), 2, "tabby: the code of image 1 of 3 is NaN or infinite"),
    ],
)
def test_classes_that_cannot_be_grouped(codes, number, said):
    with pytest.raises(FacetError, match=said):
        find_facets(codes, number, 0, QUICK, "tabby")


def test_thumbnails_do_not_overlap():
    chance = np.random.default_rng(0)
    x, y = chance.integers(0, 300, (2, 200))
    kept = thumbnail_places(x, y, np.arange(200), 50)
    assert kept[0] == 0
    assert 5 < len(kept) <= 49
    apart = np.maximum(np.abs(x[kept][:, None] - x[kept]), np.abs(y[kept][:, None] - y[kept]))
    assert (apart + 1000 * np.eye(len(kept)) >= 50).all()
    assert len(np.unique(facet_colours(20), axis=0)) == 20
