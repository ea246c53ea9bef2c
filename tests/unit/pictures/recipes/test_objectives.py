"""What a picture is made to excite."""

import pytest
import torch
from torch import nn

from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.recipes.objectives import Target


@pytest.fixture
def ramp():
    """Filter 0 passes red on, filter 1 is 2; maps of the input's size."""
    network = nn.Sequential(nn.Conv2d(3, 2, 1)).requires_grad_(False)
    network[0].weight.zero_()
    network[0].weight[0, 0], network[0].bias[:] = 1, torch.tensor([0.0, 2])
    return network


def picture():
    pixels = torch.zeros(1, 3, 24, 24)
    pixels[0, 0] = torch.arange(24 * 24).view(24, 24) / 1000
    return pixels


def test_mean_position_centre_and_probability(ramp, goal_of):
    pixels = picture()
    targets = [Target(0), Target(0, (1, 2)), Target(0, "centre"), Target(1)]
    goal = goal_of(ramp, "0", *targets)
    values = goal.values(pixels.expand(4, -1, -1, -1))
    red = pixels[0, 0]
    assert values.tolist() == pytest.approx([float(red.mean()), float(red[1, 2]), float(red[12, 12]), 2.0])
    logs = goal.values(pixels.expand(4, -1, -1, -1), probabilities=True)
    assert logs[1] == pytest.approx(float(torch.log_softmax(torch.tensor([red[1, 2], 2.0]), 0)[0]))


def test_positions_are_kept_in_pictures_of_another_size(ramp, goal_of):
    pixels = torch.zeros(1, 3, 48, 48)
    pixels[0, 0, 2, 4] = 1
    assert goal_of(ramp, "0", Target(0, (1, 2))).values(pixels) == 1


def test_views_of_a_picture_are_averaged(ramp, goal_of):
    pixels = torch.zeros(4, 3, 24, 24)
    pixels[1] = 1
    pixels[2:] = 0.5
    assert goal_of(ramp, "0", 0, 0).values(pixels).tolist() == [0.5, 0.5]


def test_normalisation_is_in_the_gradient(red, goal_of):
    inputs = InputSettings(resize=24, crop=24, mean=(0.5, 0, 0), std=(0.25, 1, 1))
    slope = goal_of(red, "0", 0, inputs=inputs).gradient(torch.full((1, 3, 24, 24), 0.75))
    assert slope.values == pytest.approx(1.0)
    assert torch.allclose(slope.gradient[:, 0], torch.full((1, 24, 24), 1 / (0.25 * 24 * 24)))
    assert slope.gradient[:, 1:].abs().sum() == 0


def test_silent_filters_are_told_and_helped(goal_of):
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()).requires_grad_(False)
    network[0].weight[:] = 1
    network[0].bias[:] = torch.tensor([0.0, -9])
    slope = goal_of(network, "1", 0, 1).gradient(torch.full((2, 3, 24, 24), 0.5))
    assert slope.silent.tolist() == [False, True]
    assert slope.values.tolist() == [1.5, 0]
    assert torch.allclose(slope.gradient[0], slope.gradient[1])


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(2), r"filter 2 is not in layer 0: its filters are 0 to 1"),
        (Target(-1), r"filter -1 is not in layer 0: its filters are 0 to 1"),
        (Target(0, (24, 0)), r"position \(24, 0\).*rows are 0 to 23, columns 0 to 23"),
    ],
)
def test_what_the_layer_does_not_have_is_refused(ramp, goal_of, target, said):
    with pytest.raises(ValueError, match=said):
        goal_of(ramp, "0", target)


def test_a_network_of_one_size_says_which_recipes_suit_it(goal_of):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 2)).requires_grad_(False)
    goal = goal_of(network, "1", 1)
    assert goal.values(torch.zeros(1, 3, 24, 24)).shape == (1,)
    with pytest.raises(
        ValueError, match=r"cannot be read from pictures of 30 x 30 px .*octaves, fourier, maco and vital"
    ):
        goal.values(torch.zeros(1, 3, 30, 30))
