"""The views that a network is shown of a picture: its parts, turns, crops and wobbles."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.pictures.recipes.ascent import Chance
from filterscope.pictures.recipes.random_views import crops, views, wobble

CPU = torch.device("cpu")


def picture(side=20, seed=0):
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 0.9 + 0.05


def test_the_whole_view_is_the_picture():
    assert torch.allclose(
        views(picture(), torch.ones(1, 1), torch.zeros(1, 1), torch.zeros(1, 1, 2), 20), picture(), atol=1e-5
    )


def test_a_crop_shows_its_part():
    scales, shifts = torch.tensor([[0.5]]), torch.tensor([[[-0.5, 0.5]]])  # left, below
    shown = views(picture(), scales, torch.zeros(1, 1), shifts, 10)
    assert torch.allclose(shown, picture()[:, :, 10:, :10], atol=1e-5)


def test_a_quarter_turn():
    shown = views(picture(), torch.ones(1, 1), torch.full((1, 1), 90.0), torch.zeros(1, 1, 2), 20)
    turned = [torch.rot90(picture(), times, (2, 3)) for times in (1, 3)]
    assert any(torch.allclose(shown, each, atol=1e-4) for each in turned)


def test_several_views_of_a_picture_stand_together():
    pictures = torch.cat([torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)])
    shown = views(pictures, *crops(Chance([0, 1], CPU), 0.5, 0.9, 3), 8)
    assert shown.mean((1, 2, 3)).tolist() == pytest.approx([0, 0, 0, 1, 1, 1], abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0.1, 1), st.floats(0, 1))
def test_crops_lie_inside(seed, smallest, more):
    largest = smallest + (1 - smallest) * more
    scales, angles, shifts = crops(Chance([seed], CPU), smallest, largest, 5)
    assert ((scales >= smallest - 1e-6) & (scales <= largest + 1e-6)).all()
    assert (shifts.abs() + scales[..., None] <= 1 + 1e-5).all()
    assert angles.abs().sum() == 0


def test_wobbles_stay_small_and_differ():
    scales, angles, shifts = wobble(Chance(range(50), CPU), 0.1, 10, 0.06)
    assert ((scales - 1).abs() <= 0.1).all()
    assert (angles.abs() <= 10).all()
    assert (shifts.abs() <= 0.12).all()
    assert min(scales.std(), angles.std() / 100, shifts.std()) > 0.04
