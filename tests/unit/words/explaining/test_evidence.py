"""What training images say of filters: correlations as numpy has them, claims and chances with known answers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope import tables
from filterscope.words.explaining.evidence import (
    Correlations,
    Evidence,
    EvidenceSettings,
    chances,
    choose_claims,
    contrasted,
    shrunk,
)
from filterscope.words.truth import ImageTruth

CPU = torch.device("cpu")
FILTERS, TOKENS, IMAGES, CELLS, SIDE = 4, 3, 6, 5, 20


def pictures(seed=0):
    """Maps [d, 5, 5] and scenes of 20 px; filter 3 is dead, filter 2 the same everywhere, token 2 seen nowhere."""
    chance = np.random.default_rng(seed)
    for number in range(IMAGES):
        tokens = np.flatnonzero([True, number % 2, False]) if number != 3 else np.zeros(0, np.int64)
        masks = chance.random((len(tokens), SIDE, SIDE)) < 0.4
        maps = chance.exponential(1.0, (FILTERS, CELLS, CELLS))
        maps[2], maps[3] = 0.1, 0
        if len(tokens):
            maps[0] += 5 * masks[0].reshape(CELLS, 4, CELLS, 4).mean((1, 3))
        masks = torch.from_numpy(masks)
        own = torch.eye(TOKENS, dtype=torch.bool)[tokens]
        yield torch.from_numpy(maps).float(), ImageTruth(masks, own, tokens, masks)


def collected(seen):
    correlations = Correlations(FILTERS, TOKENS, CPU)
    for maps, scene in seen:
        correlations.add(maps, scene)
    return correlations


def cells():
    """Every cell of all images: activations [d, cells] and covered shares [T, cells]."""
    activations, covered = [], []
    for maps, scene in pictures():
        activations.append(maps.flatten(1).numpy())
        shares = np.zeros((TOKENS, CELLS * CELLS))
        for token, mask in zip(scene.tokens, scene.token_masks.numpy(), strict=True):
            shares[token] = mask.reshape(CELLS, 4, CELLS, 4).mean((1, 3)).ravel()
        covered.append(shares)
    return np.concatenate(activations, 1), np.concatenate(covered, 1)


def test_correlations_equal_numpys_over_all_cells():
    """Images without any object count as well; what never changes correlates with nothing."""
    found = collected(pictures())
    activations, covered = cells()
    own, among = found.with_tokens(), found.among_filters()
    for u in range(2):
        for token in range(2):
            expected = np.corrcoef(activations[u], covered[token])[0, 1]
            assert own[u, token] == pytest.approx(expected, abs=1e-6)
        for other in range(2):
            expected = np.corrcoef(activations[u], activations[other])[0, 1]
            assert among[u, other] == pytest.approx(expected, abs=1e-6)
    assert own[0, 0] > 0.3
    assert not own[2:].any()
    assert not own[:, 2].any()
    assert not among[2:].any()
    assert not among[:, 2:].any()
    assert found.images.tolist() == [5, 2, 0]


def test_the_order_of_images_does_not_matter():
    first, again = collected(pictures()), collected(list(pictures())[::-1])
    np.testing.assert_allclose(first.with_tokens(), again.with_tokens(), atol=1e-9)
    np.testing.assert_allclose(first.among_filters(), again.among_filters(), atol=1e-9)


def test_without_any_image_nothing_correlates():
    nothing = Correlations(FILTERS, TOKENS, CPU)
    assert not nothing.with_tokens().any()
    assert not nothing.among_filters().any()


def test_shrinkage_takes_so_much_from_the_neighbours():
    """Correlated .5 and 1 with two others: these count 1/16 and 1; the last, anticorrelated, not at all."""
    own = np.array([[0.8, 0.0], [0.4, 0.2], [0.6, 0.1], [-0.9, 0.7]])
    among = np.array([[1, 0.5, 1, -1], [0.5, 1, 0, 0], [1, 0, 1, 0], [-1, 0, 0, 1.0]])
    lent = (np.array([0.4, 0.2]) / 16 + np.array([0.6, 0.1])) / (1 + 1 / 16)
    rare = np.zeros(2)
    found = shrunk(own, among, rare, 0.5)
    np.testing.assert_allclose(found[0], 0.5 * own[0] + 0.5 * lent)
    np.testing.assert_allclose(found[1], 0.5 * own[1] + 0.5 * own[0])
    np.testing.assert_allclose(found[3], own[3])  # nobody fires where it does
    np.testing.assert_allclose(shrunk(own, among, rare, 0.0), own)
    np.testing.assert_allclose(shrunk(own, among, rare, 1.0)[2], own[0])
    assert among[0, 0] == 1  # what was given is left as it was


def test_the_more_images_show_a_token_the_less_is_lent():
    own, among = np.array([[0.8, 0.8, 0.8], [0.0, 0.0, 0.0]]), np.array([[1, 0.5], [0.5, 1.0]])
    found = shrunk(own, among, np.array([0, 1000, 3000]), 0.5)
    np.testing.assert_allclose(found[0], [0.4, 0.6, 0.7])


def test_a_faint_neighbour_does_not_overrule_what_many_images_say():
    """A unit of stars, of which crosses' unit is the nearest of few neighbours and not near."""
    own, among = np.array([[0.50, 0.16], [0.05, 0.60]]), np.array([[1, 0.2], [0.2, 1.0]])
    images = np.array([500, 500])
    drawn = shrunk(own, among, images, EvidenceSettings().shrinkage)
    assert choose_claims(drawn, images, np.ones(2, bool)).tolist() == [0, 1]


def test_a_lone_or_dead_filter_keeps_its_own():
    own = np.array([[0.3, -0.2]])
    np.testing.assert_array_equal(shrunk(own, np.ones((1, 1)), np.zeros(2), 0.5), own)
    np.testing.assert_array_equal(contrasted(own, 1.0), own)
    dead = np.array([[0.3, 0.2], [0.0, 0.0]])
    np.testing.assert_array_equal(shrunk(dead, np.diag([1.0, 0.0]), np.zeros(2), 0.5), dead)


def test_contrast_takes_off_the_mean_of_the_others():
    own = np.array([[0.6, 0.1], [0.2, 0.1], [0.4, 0.4]])
    np.testing.assert_allclose(contrasted(own, 1.0), [[0.3, -0.15], [-0.3, -0.15], [0.0, 0.3]], atol=1e-12)
    np.testing.assert_allclose(contrasted(own, 0.5), [[0.45, -0.025], [-0.05, -0.025], [0.2, 0.35]], atol=1e-12)
    np.testing.assert_allclose(contrasted(own, 0.0), own)


def test_filters_that_never_move_are_no_part_of_the_mean():
    own = np.array([[0.6, 0.1], [0.2, 0.1], [0.4, 0.4]])
    among_dead = np.insert(own, [0, 2, 3], 0.0, axis=0)
    found = contrasted(among_dead, 1.0)
    np.testing.assert_allclose(found[[1, 2, 4]], contrasted(own, 1.0), atol=1e-12)
    assert not found[[0, 3, 5]].any()


def test_nothing_is_claimed_that_a_filter_avoids():
    """Filter 0 fires less where token 1 is, the others far less: that is no name for it, nor for one that is dead."""
    own = np.array([[0.1, -0.05], [0.3, -0.5], [0.2, -0.4], [0.0, 0.0]])
    evidence = Evidence(own, contrasted(own, 1.0), np.zeros((4, 2)), np.ones(2, int))
    assert evidence.distinct[0].argmax() == 1
    assert evidence.distinct[0, 1] > 0
    assert evidence.claims(np.ones(2, bool)).tolist() == [-1, 0, -1, -1]


def test_claims_are_the_largest_above_zero():
    correlations = np.array([[0.1, 0.3, 0.9], [0.2, 0.2, 0.1], [-0.1, 0.0, -0.2], [0.0, 0.0, 0.0], [-0.1, 0.05, 0.9]])
    everywhere, all_allowed = np.array([3, 3, 3]), np.ones(3, bool)
    assert choose_claims(correlations, everywhere, all_allowed).tolist() == [2, 0, -1, -1, 2]
    # A token that no training image shows is claimed by nobody, whatever its number says; nor is one not allowed.
    for images, allowed in (([3, 3, 0], [1, 1, 1]), ([3, 3, 3], [1, 1, 0])):
        found = choose_claims(correlations, np.array(images), np.array(allowed, bool))
        assert found.tolist() == [1, 0, -1, -1, 1]
    assert choose_claims(correlations, np.zeros(3, int), all_allowed).tolist() == [-1] * 5
    assert choose_claims(correlations, everywhere, np.zeros(3, bool)).tolist() == [-1] * 5
    assert choose_claims(correlations[:1], everywhere, all_allowed).tolist() == [2]
    assert choose_claims(correlations, everywhere, all_allowed).dtype == np.int64


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5))
def test_a_claim_is_possible_and_nothing_possible_is_larger(seed, filters, tokens):
    chance = np.random.default_rng(seed)
    correlations = chance.choice([-0.5, 0.0, 0.1, 0.2, 0.7], (filters, tokens))
    images, allowed = chance.integers(0, 3, tokens), chance.random(tokens) < 0.7
    for claim, own in zip(choose_claims(correlations, images, allowed), correlations, strict=True):
        possible = [token for token in range(tokens) if images[token] and allowed[token] and own[token] > 0]
        assert claim == (min(possible, key=lambda token: (-own[token], token)) if possible else -1)


def test_chances_are_drawn_towards_the_layer():
    """Ten images of filter 0 show token 0 eight times; of filter 1, with two images, little is known."""
    shown, fired = np.array([[8, 2], [0, 2], [0, 0]]), np.array([10, 2, 0])
    layer = np.array([8, 4]) / 12
    found = chances(shown, fired, 10.0)
    np.testing.assert_allclose(found[0], (np.array([8, 2]) + 10 * layer) / 20)
    np.testing.assert_allclose(found[1], (np.array([0, 2]) + 10 * layer) / 12)
    np.testing.assert_allclose(found[2], layer)  # one that fires nowhere is the layer's mean filter
    np.testing.assert_allclose(chances(shown, fired, 1e-9)[:2], [[0.8, 0.2], [0, 1]], atol=1e-8)
    assert not chances(np.zeros((2, 3), int), np.zeros(2, int), 10.0).any()


def test_evidence_survives_its_table():
    """In whatever order the tokens are asked for, and whatever the order of its lines is."""
    correlations = collected(pictures())
    shown, fired = np.array([[3, 1, 0], [0, 2, 0], [1, 1, 0], [0, 0, 0]]), np.array([4, 2, 2, 0])
    evidence = Evidence.gathered(correlations, shown, fired, EvidenceSettings(shrinkage=0.3, contrast=0.7, pseudo=4))
    names = ["red", "green", "blue"]
    table = tables.checked(evidence.table(names), "evidence").to_pandas().sample(frac=1, random_state=0)
    order = [2, 0, 1]
    again = Evidence.of(table, [names[place] for place in order])
    for name in ("correlation", "distinct", "chance"):
        np.testing.assert_allclose(getattr(again, name), getattr(evidence, name)[:, order])
    assert again.images.tolist() == [0, 5, 2]
    own = correlations.with_tokens()
    np.testing.assert_allclose(evidence.correlation, own)
    expected = contrasted(shrunk(own, correlations.among_filters(), correlations.images, 0.3), 0.7)
    np.testing.assert_allclose(evidence.distinct, expected)
    np.testing.assert_allclose(evidence.chance, chances(shown, fired, 4))
    allowed = np.array([False, True, True])
    assert np.array_equal(
        evidence.claims(allowed), choose_claims(np.where(own > 0, expected, -1), evidence.images, allowed)
    )


def test_surprise_is_finite_and_not_below_zero():
    evidence = Evidence(np.zeros((1, 3)), np.zeros((1, 3)), np.array([[0.0, 1.0, 0.5]]), np.ones(3, int))
    found = evidence.surprise(np.array([True, True, False]))
    np.testing.assert_allclose(found, [[0.0, np.log(10001), 0.0]])


@pytest.mark.parametrize("name", ["shrinkage", "contrast"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_impossible_shares_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"words\.{name} is {value}, should be from 0 to 1"):
        EvidenceSettings(**{name: value})
