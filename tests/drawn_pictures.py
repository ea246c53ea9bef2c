"""Pictures of a network's units by a recipe, also in double precision, for tests that hold two networks together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.registry import maximise, recipe


class Precise:
    """A reader in double precision of a network in double precision; the recipes' own numbers stay as they are."""

    def __init__(self, reader: Reader):
        self._reader = reader
        self.layer, self.filters, self.height, self.width = reader.layer, reader.filters, reader.height, reader.width

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return self._reader(images.double())


def drawn(
    network: nn.Module,
    layer: str,
    inputs: InputSettings,
    entry: Mapping,
    units: Sequence[int],
    size: int,
    around: Callable[[Reader], Reader | Precise] = lambda reader: reader,
) -> torch.Tensor:
    """A picture of each of two units, size px. entry: of `recipes`. around: what the recipe reads the layer by."""
    with Reader(network, layer, input_size=size) as reader:
        goal = Goal(around(reader), inputs, [Target(unit) for unit in units], torch.device("cpu"))
        return maximise(goal, recipe(entry), [3, 4]).optimised.pictures
