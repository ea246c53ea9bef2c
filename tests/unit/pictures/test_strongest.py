"""The strongest filters of a photograph."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.strongest import (
    FLAT,
    GROUP,
    SPIKE,
    Scenarios,
    mean_activations,
    scenario,
    scrambled,
    strongest,
)


def test_largest_first_ties_by_number():
    assert strongest(np.array([0.5, 2, 0.5, 3, 0.5]), 4).tolist() == [3, 1, 0, 2]
    assert strongest(np.array([[1.0, 2], [2, 1]]), 1).tolist() == [[1], [0]]


@pytest.mark.parametrize("n", [0, 6])
def test_more_filters_than_there_are(n):
    with pytest.raises(ValueError, match=rf"{n} strongest filters are asked for, but the layer has 5: ask for 1 to 5"):
        strongest(np.zeros(5), n)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.data())
def test_no_other_filter_is_stronger(values, data):
    means = np.array(values)
    n = data.draw(st.integers(1, len(means)))
    chosen = strongest(means, n)
    others = np.delete(means, chosen)
    assert len(set(chosen.tolist())) == n
    assert others.size == 0 or others.max() <= means[chosen].min()


def test_scenarios():
    others = np.random.default_rng(0).random((19, 100))
    spike = np.full(100, 0.5)
    spike[7] = 3
    assert scenario(spike, others) == SPIKE
    assert scenario(spike + 5, others + 5) == SPIKE, "what all filters have says nothing"
    assert scenario(spike + 1e6, others + 1e6) == FLAT, "a network that answers alike to everything, but for rounding"
    group = np.full(100, 0.5)
    group[:10] = 2
    assert scenario(group, others) == GROUP
    assert scenario(group, others, Scenarios(spike=1.0)) == SPIKE, "the first exceeds by as much as the fourth"
    assert scenario(np.full(100, 0.5), others) == FLAT
    assert scenario(np.zeros(100), np.zeros((19, 100))) == FLAT, "excites nothing"
    assert scenario(np.array([2.0, 1.9]), np.ones((19, 2))) == GROUP  # fewer filters than the thresholds look at
    assert scenario(np.array([2.0]), np.ones((19, 1)), Scenarios(spike=1.0)) == SPIKE  # one filter: its own rival


def test_what_is_like_its_scrambled_views_is_flat():
    """As often as the p says: one of twenty views of one kind exceeds the others."""
    generator = np.random.default_rng(0)
    found = [scenario(each[0], each[1:]) for each in generator.gamma(1.0, 1.0, (400, 20, 64))]
    assert 0.02 <= np.mean([each != FLAT for each in found]) <= 0.08
    # Fewer activations of the same kind are flat, too, however concentrated.
    assert scenario(np.r_[0.9, np.zeros(63)], generator.random((19, 64)) + 1) == FLAT


def test_scrambled_views_have_the_same_squares_in_another_order():
    view = torch.arange(3 * 35 * 35).reshape(3, 35, 35).remainder(251).to(torch.uint8)
    views = scrambled(view, 4, np.random.default_rng(0))
    assert views.shape == (4, 3, 35, 35)
    side = 35 // 8

    def squares(picture):
        inside = picture[:, : 35 // side * side, : 35 // side * side]
        parts = inside.unfold(1, side, side).unfold(2, side, side).permute(1, 2, 0, 3, 4)
        return sorted(map(tuple, parts.reshape(-1, 3 * side * side).tolist()))

    for each in views:
        assert not torch.equal(each, view)
        assert squares(each) == squares(view)
        assert torch.equal(each[:, 32:], view[:, 32:]), "what is left over stays"
    assert not torch.equal(views[0], views[1])
    assert torch.equal(views, scrambled(view, 4, np.random.default_rng(0)))
    assert torch.equal(
        scrambled(view[:, :5, :5], 2, np.random.default_rng(0))[0].flatten(1).sort().values,
        view[:, :5, :5].flatten(1).sort().values,
    )


def test_activations_are_means_over_the_map():
    network = nn.Sequential(nn.Conv2d(3, 2, 1)).requires_grad_(False)
    network[0].weight.zero_()
    network[0].weight[0, 0], network[0].bias[:] = 1, torch.tensor([0.0, 3])
    views = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    views[1, 0, :4] = 255
    inputs = InputSettings(resize=8, crop=8, mean=(0, 0, 0), std=(1, 1, 1))
    with Reader(network, "0", input_size=8) as reader:
        means = mean_activations(views, reader, inputs, torch.device("cpu"), batch_size=2)
        assert means.tolist() == [[0, 3], [0.5, 3], [0, 3]]
        network[0].bias[0] = float("nan")
        with pytest.raises(ValueError, match="layer 0: NaN or infinite activations"):
            mean_activations(views, reader, inputs, torch.device("cpu"), batch_size=2)
