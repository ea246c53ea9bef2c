"""What the explainer is shown: known answers (LaViSE, 3.2), and every method against a loop."""

import math

import pytest
import torch

from filterscope.words.explaining.attention import METHODS
from filterscope.words.firing import Thresholds

MAPS = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]]])
FIRST = torch.tensor([0])
NONE = Thresholds.of(torch.zeros(3))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("attention", (0.5, 0.25, 0.0)),
        ("projection", (math.sqrt(2) / 4, math.sqrt(2) / 8, 0.0)),
        ("original", (0.5, 0.5, 0.5)),
        ("activation", (0.5, 0.25, 0.0)),  # fires at the diagonal: one of F_1's ones lies there
    ],
)
def test_known_answers(method, expected):
    found = METHODS[method](MAPS, FIRST, NONE, "mean")
    torch.testing.assert_close(found, torch.tensor([expected]))


def naive(method, maps, u, thresholds):
    """The masked or weighed maps [d, h, w] of one filter, as the text says."""
    own = maps[u]
    if method == "original":
        return maps
    if method == "activation":
        return maps * (own > thresholds[u])
    if method == "projection":
        return maps * own / own.norm() if own.norm() else maps * 0
    weights = [
        float((own * each).sum() / (own.norm() * each.norm())) if own.norm() * each.norm() else 0.0 for each in maps
    ]
    return maps * torch.tensor(weights)[:, None, None]


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("pool", ["mean", "native"])
def test_all_filters_at_once_equal_a_loop(method, pool):
    chance = torch.Generator().manual_seed(3)
    maps = torch.rand(6, 3, 4, generator=chance)
    maps[4] = 0  # a filter that is silent here
    thresholds = torch.rand(6, generator=chance)
    filters = torch.tensor([5, 0, 4, 0])
    found = METHODS[method](maps, filters, Thresholds.of(thresholds), pool)
    for row, u in zip(found, filters.tolist(), strict=True):
        each = naive(method, maps, u, thresholds)
        expected = each.flatten() if pool == "native" else each.mean((1, 2))
        torch.testing.assert_close(row, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("method", ["attention", "projection"])
def test_silent_maps_give_zero_not_nan(method):
    found = METHODS[method](torch.zeros(2, 2, 2), torch.tensor([0, 1]), NONE, "mean")
    assert torch.equal(found, torch.zeros(2, 2))


def test_projection_is_attention_times_the_length_of_each_map():
    maps = torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(1))
    every = torch.arange(4)
    attended, projected = (METHODS[name](maps, every, NONE, "mean") for name in ("attention", "projection"))
    weights = attended / maps.mean((1, 2))
    torch.testing.assert_close(projected, weights * maps.flatten(1).norm(dim=1) / 9)


@pytest.mark.parametrize("method", list(METHODS))
def test_does_not_change_its_maps(method):
    maps = MAPS.clone()
    METHODS[method](maps, FIRST, NONE, "mean")
    assert torch.equal(maps, MAPS)
