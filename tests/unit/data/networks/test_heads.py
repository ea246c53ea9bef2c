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


class Head(nn.Module):
    """Patches of 4 px as tokens or as maps whose channels come last, and what a transformer's head takes of them."""

    def __init__(self, taken, normed, channels_last=False):
        super().__init__()
        self.patches, self.features = nn.Conv2d(3, 6, 4, 4), nn.Identity()
        self.norm, self.head = nn.LayerNorm(6), nn.Linear(6, 12)
        nn.init.uniform_(self.norm.weight, 0.5, 2)
        self.token = nn.Parameter(torch.randn(1, 1, 6))
        self.taken, self.normed, self.channels_last = taken, normed, channels_last

    def forward(self, images):
        maps = self.patches(images).permute(0, 2, 3, 1)
        if not self.channels_last:
            maps = torch.cat([self.token.expand(len(images), -1, -1), maps.flatten(1, 2)], 1)
        maps = self.features(maps)
        if self.normed == "before":
            maps = self.norm(maps)
        taken = {"token": lambda: maps[:, 0], "places": lambda: maps[:, 1:].mean(1), "maps": lambda: maps.mean((1, 2))}
        features = taken[self.taken]()
        return self.head(self.norm(features) if self.normed == "after" else features)


@pytest.mark.parametrize("normed", ["never", "before", "after"])
@pytest.mark.parametrize(("taken", "channels_last"), [("token", False), ("places", False), ("maps", True)])
def test_tokens_and_channels_that_come_last_reach_the_head_also_through_a_norm(taken, channels_last, normed):
    """Held against the gradient of the class units by the maps, where a norm only scales it."""
    torch.manual_seed(0)
    network = Head(taken, normed, channels_last).eval()
    weights = head_weights(network, "features", 32)
    if normed != "never":
        assert torch.equal(head_weights(network, "norm", 32), network.head.weight)
    kept = []
    handle = network.features.register_forward_hook(lambda module, given, output: kept.append(output))
    units = network(torch.randn(1, 3, 32, 32))[0]
    handle.remove()
    for unit in (0, 7):
        (slope,) = torch.autograd.grad(units[unit], kept[0], retain_graph=True)
        slope = slope.flatten(1, -2)[0].detach()
        found = weights[unit]
        if normed == "never":
            expected = slope[0] if taken == "token" else slope.sum(0)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        else:
            values = kept[0].flatten(1, -2)[0].detach()
            place = 0 if taken == "token" else 5
            shown = values[place] if normed == "before" or taken == "token" else _mean(values, taken)
            shown = (shown - shown.mean()) / shown.std(correction=0)
            # The slope is the weight less its part along what is shown, which the division takes off.
            expected = found - (found * shown).mean() * shown
            got = slope[place]
            torch.testing.assert_close(expected / expected.norm(), got / got.norm(), rtol=1e-3, atol=1e-4)


def _mean(values, taken):
    return values.mean(0) if taken == "maps" else values[1:].mean(0)


def test_a_layer_whose_tokens_are_mixed_afterwards_feeds_nothing():
    network = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.Flatten(2), nn.Linear(64, 64), nn.Flatten(), nn.Linear(384, 12))
    assert head_weights(network, "0", 32) is None
    assert head_weights(network, "4", 32) is None


def test_classes_of_the_largest_and_of_the_least_weights_are_told():
    weights = torch.arange(24.0).reshape(12, 2)
    found = tables.checked(feeds_table(weights, ["first"]), "feeds").to_pandas()
    own = found[found["filter"] == 1]
    assert own["unit"].tolist() == [11, 10, 9, 8, 7, 2, 1, 0]
    assert own["weight"].tolist() == sorted(own["weight"], reverse=True)
    assert own["class"].tolist()[-1] == "first"
    assert own["class"].isna().sum() == 7
    assert len(feeds_table(weights[:3], None)) == 6  # all there are
