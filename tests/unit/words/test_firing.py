"""Where a filter fires: above its threshold, or where it reaches the bound of its activations."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from filterscope.activations.tails import Tail
from filterscope.activations.thresholds import threshold_table
from filterscope.words.firing import Thresholds
from filterscope.words.heatmaps import upsample

SIZE = (32, 32)


def thresholds(values, saturated):
    return Thresholds(torch.tensor(values, dtype=torch.float32), torch.tensor(saturated))


@pytest.fixture(scope="module")
def clipped():
    """Maps of a layer with ReLU6, [images, 2, 8, 8], before and after; the best 0.5 % of filter 0 are clipped."""
    chance = np.random.default_rng(0)
    before = torch.nn.functional.interpolate(torch.from_numpy(chance.exponential(2, (200, 2, 4, 4))), size=8).float()
    before[:, 1] /= 6  # stays below the bound
    return before, nn.ReLU6()(before)


def learnt(maps):
    tail = Tail(2, 0.995, maps.numel() // 2)
    tail.add(maps)
    return threshold_table([tail.table()], 0.995)


def test_an_ordinary_filter_fires_where_its_enlarged_map_exceeds_the_threshold():
    maps = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = thresholds([0.5, 0.7, 0.9], [False] * 3).regions(maps, SIZE)
    for number, limit in enumerate((0.5, 0.7, 0.9)):
        assert torch.equal(found[number], upsample(maps[number : number + 1], SIZE)[0] > limit)


def test_a_saturated_filter_fires_where_it_was_clipped(clipped):
    """Its threshold is 6: nothing is above. The truth is where the map exceeded 6 before the clip."""
    before, after = clipped
    table = learnt(after)
    assert table["saturated"].tolist() == [True, False]
    assert table["threshold"][0] == 6
    limits = Thresholds.of(table)
    shared, union, strict = 0, 0, 0
    for unclipped, maps in zip(before, after, strict=True):
        region = limits.regions(maps, SIZE)[0]
        truth = upsample(unclipped, SIZE)[0] > 6
        shared, union = shared + int((region & truth).sum()), union + int((region | truth).sum())
        strict += int((upsample(maps, SIZE)[0] > limits.values[0]).sum())
        assert bool(region.any()) == bool((maps[0] >= 6).any())
    assert strict < 0.1 * shared, "read with > the filter hardly fires at all"
    assert shared / union > 0.6


def test_a_lone_cell_at_the_bound_fires():
    """Between cells the interpolated map lies below the bound everywhere: it is never reached again."""
    maps = torch.full((1, 8, 8), 5.0)
    maps[0, 3, 4] = 6
    assert not (upsample(maps, SIZE) >= 6).any()
    region = thresholds([6.0], [True]).regions(maps, SIZE)[0]
    assert 0.5 < region.sum() / 16 <= 1  # of a cell's 16 px
    rows, columns = region.nonzero().T
    assert rows.min() >= 3 * 4
    assert rows.max() < 4 * 4
    assert columns.min() >= 4 * 4
    assert columns.max() < 5 * 4


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (56, 56), (61, 61)])
def test_a_plateau_at_the_bound_fires_whole_whatever_rounding_does(size):
    """A third of 6 and two thirds of it are not always 6 again."""
    assert (
        thresholds([6.0, 0.1], [True, True])
        .regions(torch.tensor([6.0, 0.1]).expand(8, 8, 2).permute(2, 0, 1), size)
        .all()
    )


def test_cells_fire_above_the_threshold_or_at_the_bound():
    maps = torch.tensor([[0.0, 5.9, 6.0], [0.0, 5.9, 6.0]])
    found = thresholds([6.0, 6.0], [True, False]).cells(maps)
    assert found.tolist() == [[False, False, True], [False, False, False]]
    assert thresholds([5.0, 6.0], [False, True]).cells(maps[..., None]).shape == (2, 3, 1)


def test_plain_numbers_are_thresholds_that_nothing_is_saturated_at():
    found = Thresholds.of(np.array([1.0, 2.0]))
    assert found.values.tolist() == [1, 2]
    assert not found.saturated.any()
    assert Thresholds.of(torch.tensor([3.0])).values.tolist() == [3]
    same = Thresholds.of(found)
    assert same.values.tolist() == [1, 2]


def test_some_filters_and_pieces():
    found = Thresholds.of(pd.DataFrame({"threshold": [1.0, 6.0, 3.0], "saturated": [False, True, False]}))
    assert len(found) == 3
    assert found[torch.tensor([1, 0])].saturated.tolist() == [True, False]
    assert [len(each) for each in found.split(2)] == [2, 1]
    assert torch.cat([each.values for each in found.split(2)]).tolist() == [1, 6, 3]


@pytest.mark.parametrize("size", [SIZE, (8, 8)])
@pytest.mark.parametrize("saturated", [[False] * 3, [False, True, False]])
def test_overlaps_are_those_of_the_regions_and_spoil_no_map(size, saturated):
    """Also where only some filters fire, and these in a few rows."""
    chance = torch.Generator().manual_seed(0)
    maps = torch.rand(70, 8, 8, generator=chance).clamp(max=0.9) * (torch.rand(70, 8, 1, generator=chance) < 0.2)
    maps[:5] = -maps[:5]
    before, limits = maps.clone(), thresholds([0.5, 0.9, 0.7] * 20 + [-0.1, 0.0] * 5, (saturated * 30)[:70])
    masks = torch.rand(4, *size, generator=chance) < 0.3
    shared, region = limits.overlaps(maps, masks)
    kept = limits.fired(maps, size).kept()
    for _ in range(2):
        assert all(map(torch.equal, kept.overlaps(masks), (shared, region)))
    few = limits[:20].fired(maps[:20], size).kept().overlaps(masks)  # held in one piece
    assert all(map(torch.equal, few, (shared[:20], region[:20])))
    expected = limits.regions(maps, size)
    assert torch.equal(region[:, 0], expected.sum((1, 2)).float())
    assert torch.equal(shared, torch.einsum("dhw,khw->dk", expected.float(), masks.float()))
    assert 10 < int((region > 0).sum()) < 60
    assert torch.equal(maps, before)


def test_overlaps_with_no_mask_are_areas():
    maps = torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(0))
    limits = thresholds([0.5] * 3, [False] * 3)
    shared, region = limits.overlaps(maps, torch.zeros(0, 20, 9, dtype=torch.bool))
    assert shared.shape == (3, 0)
    assert torch.equal(region[:, 0], limits.regions(maps, (20, 9)).sum((1, 2)).float())
