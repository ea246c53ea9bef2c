"""Recall@s: known answers (LaViSE, 4.3), strictness, and objects that the reference's masks lose."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.words.firing import Thresholds
from filterscope.words.scoring.recall import by_image, recall
from filterscope.words.truth import ImageTruth, region_tokens

TOKENS = ["cat", "dog", "sky"]


def scene(masks, tokens):
    """Objects with these masks [k, S, S] and these tokens (sets of indices)."""
    objects = torch.as_tensor(np.array(masks), dtype=torch.bool)
    own = torch.tensor([[place in each for place in range(len(TOKENS))] for each in tokens])
    present = own.any(0).nonzero()[:, 0]
    union = torch.stack([objects[own[:, token]].any(0) for token in present])
    return ImageTruth(objects, own, present.numpy(), union)


def square():
    """R = the upper left 2 x 2 of 4 x 4; cat in rows 0-1 (IoU 0.5), dog in row 3 (0), sky everywhere (0.25)."""
    cat, dog, sky = np.zeros((3, 4, 4), bool)
    cat[:2], dog[3], sky[:] = True, True, True
    return scene([cat, dog, sky], [{0}, {1}, {2}])


def region(side=4, cells=2):
    """A map of the same resolution as the masks that fires in the upper left."""
    fires = torch.zeros(1, side, side)
    fires[:, :cells, :cells] = 1.0
    return fires


def test_known_answer():
    truth = region_tokens(region(), torch.tensor([0.5]), square())
    assert [token for token, there in zip(TOKENS, truth[0].tolist(), strict=True) if there] == ["cat", "sky"]
    values, counts = recall(np.array([[0, 1]]), truth.numpy(), 2)
    assert values.tolist() == [0.5]
    assert counts.tolist() == [True]


def test_the_overlap_must_be_larger():
    """IoU exactly 0.25 and 0.04: not enough at 0.25 and 0.04."""
    assert region_tokens(region(), torch.tensor([0.5]), square(), overlap=0.25)[0].tolist() == [True, False, False]
    one = np.zeros((5, 5), bool)
    one[0, 0] = True
    found = region_tokens(torch.ones(1, 5, 5), torch.tensor([0.5]), scene([one], [{0}]), overlap=0.04)
    assert found[0].tolist() == [False, False, False]
    two = one.copy()
    two[0, 1] = True
    assert region_tokens(torch.ones(1, 5, 5), torch.tensor([0.5]), scene([two], [{0}]))[0, 0]


def test_the_threshold_must_be_exceeded():
    """[U > T] with U = T nowhere: no region, no token."""
    assert not region_tokens(torch.ones(1, 4, 4), torch.tensor([1.0]), square()).any()


def test_a_saturated_filter_has_a_region_where_it_reaches_its_threshold():
    saturated = Thresholds(torch.tensor([1.0]), torch.tensor([True]))
    assert region_tokens(region(), saturated, square()).tolist() == [[True, False, True]]


def test_every_filter_has_its_own_threshold_and_region():
    maps = torch.cat([region(), 3 * region().flip(1)])
    truth = region_tokens(maps, torch.tensor([0.5, 2.0]), square())
    assert truth.tolist() == [[True, False, True], [False, True, True]]
    assert not region_tokens(maps, torch.tensor([2.0, 4.0]), square()).any()


def test_objects_are_compared_one_by_one():
    """Two cats that overlap the region too little each, though together they would do."""
    masks = np.zeros((2, 10, 10), bool)
    masks[0, 0, :4], masks[1, 9, :4] = True, True
    fires = torch.ones(1, 10, 10)
    assert not region_tokens(fires, torch.tensor([0.5]), scene(masks, [{0}, {0}]))[0, 0]
    assert region_tokens(fires, torch.tensor([0.5]), scene([masks.any(0)], [{0}]))[0, 0]


def test_masks_at_map_resolution_lose_small_objects():
    small = np.zeros((32, 32), bool)
    small[:12, :12] = True  # covers 9/16 of the first cell's area of 16 x 16, but also its centre
    fires = torch.zeros(1, 2, 2)
    fires[0, 0, 0] = 1.0
    tiny = np.zeros((32, 32), bool)
    tiny[:7, :7] = True
    for mask, seen in ((small, True), (tiny, False)):
        found = region_tokens(fires, torch.tensor([0.5]), scene([mask], [{0}]), mask_resolution="feature")
        assert bool(found[0, 0]) is seen
        assert region_tokens(fires, torch.tensor([0.5]), scene([mask], [{0}]))[0, 0]


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_recall_equals_sets(seed, k):
    chance = np.random.default_rng(seed)
    words = chance.integers(-1, 6, (7, 4))
    truth = chance.random((7, 6)) < 0.3
    values, counts = recall(words, truth, k)
    for said, there, value, counted in zip(words, truth, values, counts, strict=True):
        wanted = set(np.flatnonzero(there))
        assert counted == bool(wanted)
        expected = len(wanted & set(said[:k].tolist())) / len(wanted) if wanted else 0
        assert value == pytest.approx(expected)


@pytest.mark.parametrize("k", [0, 3])
def test_impossible_k_is_refused(k):
    with pytest.raises(ValueError, match=f"recall at {k} asked for, there are 2 words"):
        recall(np.zeros((1, 2), int), np.ones((1, 1), bool), k)


def test_sums_by_image():
    values, counts = np.array([0.5, 1.0, 0.7]), np.array([True, True, False])
    right, asked = by_image(values, counts, np.array([2, 0, 2]), 4)
    assert right.tolist() == [1.0, 0.0, 0.5, 0.0]
    assert asked.tolist() == [1.0, 0.0, 1.0, 0.0]
