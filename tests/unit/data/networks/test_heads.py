"""Which classes a filter feeds: only where the last layer takes this layer's maps, as they are or as means."""

import pytest
import torch
from torch import nn

from filterscope import tables
from filterscope.data.networks.embedded import build_scenes_cnn
from filterscope.data.networks.heads import class_names, feeds_table, head_weights
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.scenes.words import SHAPES


def pooled(*between):
    """Features of 6 filters, their means, what stands between, and 12 classes."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), *between, nn.Linear(6, 12)
    )


def test_means_of_maps_that_the_head_takes():
    network = pooled()
    assert torch.equal(head_weights(network, "1", 16), network[-1].weight)
    assert head_weights(network, "0", 16) is None  # before the ReLU: not what is averaged
    assert head_weights(pooled(nn.Tanh()), "1", 16) is None  # something lies between
    assert not network[0]._forward_hooks


def test_dropout_lies_not_between_and_the_mode_stays():
    network = pooled(nn.Dropout()).train()
    assert torch.equal(head_weights(network, "1", 16), network[-1].weight)
    assert network.training


def test_maps_that_a_convolution_takes():
    network = build_scenes_cnn()
    found = head_weights(network, "features", 96)
    assert torch.equal(found, network.classifier[0].weight.flatten(1))
    assert head_weights(network, "classifier", 96) is None  # nothing comes after
    assert class_names(NetworkSettings("scenes_cnn")) == SHAPES


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.Flatten(), nn.Linear(6 * 14 * 14, 4)),  # flattened, not averaged
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU()),
    ],
)
def test_other_heads_feed_nothing(network):
    assert head_weights(network, "0", 16) is None
    assert feeds_table(None, None).num_rows == 0
    tables.checked(feeds_table(None, None), "feeds")


def test_classes_of_the_largest_and_of_the_least_weights_are_told():
    weights = torch.arange(24.0).reshape(12, 2)
    found = tables.checked(feeds_table(weights, ["first"]), "feeds").to_pandas()
    own = found[found["filter"] == 1]
    assert own["unit"].tolist() == [11, 10, 9, 8, 7, 2, 1, 0]
    assert own["weight"].tolist() == sorted(own["weight"], reverse=True)
    assert own["class"].tolist()[-1] == "first"
    assert own["class"].isna().sum() == 7
    assert len(feeds_table(weights[:3], None)) == 6  # all there are
