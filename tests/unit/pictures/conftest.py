"""Tiny networks for the tests of the pictures room."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.recipes.objectives import Goal, Target

UNIT = InputSettings(resize=24, crop=24, mean=(0, 0, 0), std=(1, 1, 1))


class Opponents(nn.Module):
    """Filter 0 sees red, 1 green that is not red, 2 vertical edges, 3 nothing, and 4 gives NaN for bright pictures."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 5, 3, padding=1, bias=True)
        with torch.no_grad():
            self.layer.weight.zero_()
            self.layer.bias.zero_()
            self.layer.weight[0, 0, 1, 1] = 1
            self.layer.weight[1, 1, 1, 1], self.layer.weight[1, 0, 1, 1] = 1, -1
            self.layer.weight[2, :, :, 0], self.layer.weight[2, :, :, 2] = 1, -1
            self.layer.bias[3] = -1
        self.relu = nn.ReLU()

    def forward(self, images):
        maps = self.layer(images)
        red = maps[:, :1]
        poison = torch.where(red.amax((1, 2, 3), keepdim=True) > 0.8, float("nan"), red)
        return self.relu(torch.cat([maps[:, :4], poison], 1))


@pytest.fixture
def opponents():
    return Opponents().requires_grad_(False).eval()


@pytest.fixture
def goal_of():
    """A goal for these targets (filters, or Targets) of a network's layer, all with three dim photographs of noise."""
    stack = []

    def make(network, layer, *targets, inputs=UNIT):
        reader = Reader(network, layer, input_size=inputs.crop).__enter__()
        stack.append(reader)
        chosen = [each if isinstance(each, Target) else Target(each) for each in targets]
        chance = torch.Generator().manual_seed(0)
        shown = torch.randint(0, 180, (3, 3, inputs.crop, inputs.crop), generator=chance, dtype=torch.uint8)
        return Goal(reader, inputs, chosen, torch.device("cpu"), [shown] * len(chosen))

    yield make
    for reader in reversed(stack):
        reader.__exit__()


@pytest.fixture
def red():
    """One 1 x 1 convolution that passes red on."""
    network = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False)).requires_grad_(False)
    network[0].weight[:] = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    return network
