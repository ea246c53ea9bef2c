"""Samples that filters' attention pools: all pairs at once equal one filter and one image at a time."""

import numpy as np
import pytest
import torch

from filterscope.words.explaining.attended import Attended, drawn
from filterscope.words.explaining.attention import METHODS
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs
from filterscope.words.firing import Thresholds
from filterscope.words.truth import ImageTruth, region_tokens

CPU = torch.device("cpu")
FILTERS, TOKENS, IMAGES, CELLS, SIDE = 5, 3, 8, 4, 16
THRESHOLDS = np.full(FILTERS, 1.5)


def world(seed=0):
    """By image number: maps [d, 4, 4] and a scene; the last image shows nothing, filter 4 never fires."""
    chance = np.random.default_rng(seed)
    seen = {}
    for number in range(IMAGES):
        count = 0 if number == IMAGES - 1 else chance.integers(1, 3)
        objects = torch.from_numpy(chance.random((count, CELLS, CELLS)).repeat(4, 1).repeat(4, 2) < 0.5)
        own = torch.zeros(count, TOKENS, dtype=torch.bool)
        own[range(count), chance.integers(0, TOKENS, count)] = True
        tokens = own.any(0).nonzero()[:, 0]
        masks = [objects[own[:, token]].any(0) for token in tokens]
        masks = torch.stack(masks) if masks else torch.zeros(0, SIDE, SIDE, dtype=torch.bool)
        maps = torch.from_numpy(chance.exponential(1.0, (FILTERS, CELLS, CELLS))).float()
        maps[4] = 0
        seen[20 + number] = maps, ImageTruth(objects, own, tokens.numpy(), masks)
    return seen


def pairs(seen, p=4):
    ids = np.array(list(seen))
    maxima = np.stack([maps.amax((1, 2)).numpy() for maps, _ in seen.values()], 1)
    order = np.argsort(-maxima, axis=1, kind="stable")[:, :p]
    return TopPairs(ids[order], np.take_along_axis(maxima, order, 1))


def collected(seen, top, sampled, settings):
    found = Attended(top, sampled, THRESHOLDS, TOKENS, 0.04, settings, CPU)
    return found, {number: found.add(number, *each) for number, each in seen.items()}


def test_attention_stands_in_for_a_second_look():
    """The method "image" asks the network again, which is not done for training images."""
    seen = world()
    top = pairs(seen)
    _, expected = collected(seen, top, drawn(top, 11, 3), ExplanationSettings(method="attention"))
    _, found = collected(seen, top, drawn(top, 11, 3), ExplanationSettings(method="image"))
    for number, each in expected.items():
        np.testing.assert_array_equal(found[number]["vectors"], each["vectors"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pool", ["mean", "native"])
def test_equals_one_filter_and_image_at_a_time(method, pool):
    seen, settings = world(), ExplanationSettings(method=method, pool=pool)
    top = pairs(seen)
    sampled = drawn(top, 11, 3)
    found, given = collected(seen, top, sampled, settings)
    shown, fired, count = np.zeros((FILTERS, TOKENS), int), np.zeros(FILTERS, int), 0
    limits = Thresholds.of(THRESHOLDS)
    for number, (maps, scene) in seen.items():
        rows = []
        for u, chosen in zip(top.filters[top.keys == number], sampled[top.keys == number], strict=True):
            if not len(scene.objects):
                continue
            there = region_tokens(maps[u : u + 1], limits[u : u + 1], scene)[0]
            shown[u] += there.numpy()
            fired[u] += bool(there.any())
            if chosen and there.any():
                rows.append((u, METHODS[method](maps, torch.tensor([u]), limits, pool)[0], there))
        own = given[number]
        assert own["filter"].tolist() == [row[0] for row in rows]
        assert own["vectors"].shape == (len(rows), FILTERS * (CELLS * CELLS if pool == "native" else 1))
        assert own["targets"].shape == (len(rows), TOKENS)
        for place, (_, vector, there) in enumerate(rows):
            np.testing.assert_allclose(own["vectors"][place], vector, atol=1e-6)
            assert own["targets"][place].tolist() == there.tolist()
        count += len(rows)
    assert 4 < count <= 11
    assert np.array_equal(found.shown, shown)
    assert np.array_equal(found.fired, fired)
    assert not fired[4]


def test_a_region_without_tokens_is_counted_nowhere_and_is_no_sample():
    """One filter fires on the object, one beside it, in the same image."""
    objects = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    objects[0, :4, :4] = True
    scene = ImageTruth(objects, torch.tensor([[False, True, False]]), np.array([1]), objects)
    maps = torch.zeros(2, CELLS, CELLS)
    maps[0, 0, 0], maps[1, 3, 3] = 9.0, 9.0
    top = TopPairs(np.array([[7], [7]]), np.array([[9.0], [9.0]]))
    found = Attended(top, np.ones(2, bool), np.full(2, 1.5), TOKENS, 0.04, ExplanationSettings(), CPU)
    given = found.add(7, maps, scene)
    assert given["filter"].tolist() == [0]
    assert given["targets"].tolist() == [[False, True, False]]
    assert found.shown.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert found.fired.tolist() == [1, 0]
    # An image that is nobody's top image gives nothing, either.
    assert not len(found.add(8, maps, scene)["filter"])
    assert found.fired.tolist() == [1, 0]


def test_evidence_counts_all_pairs_whatever_is_sampled():
    seen = world()
    top = pairs(seen)
    none, few, every = (
        collected(seen, top, drawn(top, most, 0), ExplanationSettings()) for most in (0, 3, len(top.keys))
    )
    assert sum(len(each["filter"]) for each in none[1].values()) == 0
    assert 0 < sum(len(each["filter"]) for each in few[1].values()) <= 3
    assert sum(len(each["filter"]) for each in every[1].values()) == every[0].fired.sum()
    for found, _ in (none, few):
        assert np.array_equal(found.shown, every[0].shown)
        assert np.array_equal(found.fired, every[0].fired)


def test_the_draw_is_reproducible_and_as_large_as_asked_for():
    top = pairs(world())
    total = len(top.keys)
    assert total == 4 * 4  # filter 4 is never excited
    for most in (0, 1, 7, total, total + 5):
        assert drawn(top, most, 0).sum() == min(most, total)
        assert np.array_equal(drawn(top, most, 0), drawn(top, most, 0))
    assert not np.array_equal(drawn(top, 7, 0), drawn(top, 7, 1))
