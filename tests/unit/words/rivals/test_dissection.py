"""Network Dissection's overlaps equal counting over all images at once."""

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score

from filterscope.words.firing import Thresholds
from filterscope.words.heatmaps import upsample
from filterscope.words.rivals.dissection import Dissection
from filterscope.words.truth import ImageTruth

SIDE = 16


def images():
    chance = np.random.default_rng(0)
    for tokens in ([0], [0, 2], [], [2]):  # token 1 is never there
        masks = torch.from_numpy(chance.random((len(tokens), SIDE, SIDE)) < 0.4)
        maps = torch.from_numpy(chance.random((3, 4, 4)).astype(np.float32))
        maps[2] = 0  # a dead filter
        yield maps, ImageTruth(masks, torch.zeros(len(tokens), 3, dtype=torch.bool), np.array(tokens, int), masks)


def test_equals_scikit_learn():
    thresholds = np.array([0.5, 0.7, 0.0])
    dissection = Dissection(thresholds, 3, SIDE, torch.device("cpu"))
    regions = [[] for _ in range(3)]
    masks = [[] for _ in range(3)]
    for maps, scene in images():
        dissection.add(maps, scene)
        for number in range(3):
            regions[number].append((upsample(maps, (SIDE, SIDE))[number] > thresholds[number]).numpy().ravel())
        for token in range(3):
            there = token in scene.tokens
            mask = scene.token_masks[list(scene.tokens).index(token)] if there else torch.zeros(SIDE, SIDE)
            masks[token].append(mask.bool().numpy().ravel())
    found = dissection.overlaps()
    for number in range(2):
        for token in (0, 2):
            expected = jaccard_score(np.concatenate(masks[token]), np.concatenate(regions[number]))
            assert found[number, token] == pytest.approx(expected)
    assert not found[2].any()
    assert not found[:, 1].any()


def test_the_filter_that_draws_a_token_gets_it():
    dissection = Dissection(np.array([0.5, 0.5]), 2, SIDE, torch.device("cpu"))
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[0, :8] = True
    maps = torch.zeros(2, SIDE, SIDE)
    maps[0, :8], maps[1, 8:] = 1, 1
    own = torch.zeros(1, 2, dtype=torch.bool)
    dissection.add(maps, ImageTruth(mask, own, np.array([1]), mask))
    assert dissection.overlaps().tolist() == [[0, 1], [0, 0]]


def test_the_best_are_kept_and_the_best_that_were_never_supervised():
    dissection = Dissection(np.array([0.5, 0.5]), 5, SIDE, torch.device("cpu"))
    dissection.regions += 10
    dissection.areas += 10
    dissection.shared += torch.tensor([[8.0, 6, 4, 2, 2], [0, 1, 2, 3, 4]])
    best = dissection.best(2, np.zeros(5, bool))
    assert best["token"].tolist() == [0, 1, 4, 3]
    assert best["rank"].tolist() == [0, 1, 0, 1]
    assert best["iou"].tolist() == pytest.approx([8 / 12, 6 / 14, 4 / 16, 3 / 17])
    both = dissection.best(2, np.array([False, False, True, True, True]))
    assert both[both["filter"] == 0]["token"].tolist() == [0, 1, 2, 3]  # of equal ones the first
    assert both[both["filter"] == 1]["token"].tolist() == [4, 3, 1, 0]
    assert dissection.best(9, np.zeros(5, bool))["token"].tolist() == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]


def test_a_saturated_filter_overlaps_where_it_reaches_the_bound():
    """Its map is clipped at its threshold, which nothing exceeds."""
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[0, :8, :8] = True
    maps = torch.full((2, 4, 4), 5.0)
    maps[:, :2, :2] = 6
    limits = Thresholds(torch.tensor([6.0, 6.0]), torch.tensor([True, False]))
    dissection = Dissection(limits, 1, SIDE, torch.device("cpu"))
    dissection.add(maps, ImageTruth(mask, torch.ones(1, 1, dtype=torch.bool), np.array([0]), mask))
    saturated, ordinary = dissection.overlaps()[:, 0]
    assert saturated > 0.9
    assert ordinary == 0
