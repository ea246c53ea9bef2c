"""The strongest filters of a photograph."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.strongest import FLAT, GROUP, SPIKE, Scenarios, mean_activations, scenario, strongest


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
    spike = np.full(100, 1.0)
    spike[7] = 1.6
    assert scenario(spike) == SPIKE
    group = np.full(100, 1.0)
    group[:10] = 4
    assert scenario(group) == GROUP
    assert scenario(np.linspace(1, 2, 100)) == FLAT
    assert scenario(np.zeros(100)) == FLAT
    assert scenario(np.array([2.0, 1.9])) == FLAT  # fewer filters than the thresholds look at
    assert scenario(np.linspace(1, 2, 100), Scenarios(group=1.1)) == GROUP
    assert scenario(np.linspace(1, 2, 100), Scenarios(spike=1.01)) == SPIKE


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
