"""A layer read together with the ends of the network's stages before it: what a picture is made of on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from filterscope.data.networks.layers import Readers, list_layers
from filterscope.data.networks.stages import ends_among

if TYPE_CHECKING:
    from filterscope.activations.probing import ProbeSettings

FINEST = 4  # px of the picture per cell: finer maps hold little but colours and edges, and cost most


class Staged:
    """A Reader of a layer whose `stages` gives the maps of earlier layers, too, in one pass."""

    def __init__(self, readers: Readers):
        """readers: of the ends of stages and at last of the layer."""
        self._readers, own = readers, readers.readers[-1]
        self.layer, self.filters, self.height, self.width = own.layer, own.filters, own.height, own.width

    def __call__(self, images: Tensor) -> Tensor:
        """As a Reader."""
        return self.stages(images)[-1]

    def stages(self, images: Tensor) -> list[Tensor]:
        """Maps float32 [B, d, h, w] of each, the layer's last. images: float [B, 3, H, W], normalised."""
        return self._readers(images)


@contextmanager
def staged(probe: ProbeSettings, network: nn.Module, device: torch.device) -> Iterator[Staged]:
    """The probe's layer and the ends of the stages before it, on the device."""
    network = network.to(device, memory_format=torch.channels_last)
    side = probe.inputs.crop
    with Readers(network, [*before(probe, network), (probe.layer, probe.call)], input_size=side) as readers:
        yield Staged(readers)


def before(probe: ProbeSettings, network: nn.Module) -> list[tuple[str, int]]:
    """Layers and calls at the ends of the stages before the probe's layer, none finer than a cell per FINEST px."""
    layers = list_layers(network, probe.inputs.crop)
    calls = [place for place, each in enumerate(layers) if each.layer == probe.layer]
    if not calls:
        return []  # what is wrong with the layer its reader says
    own = calls[probe.call] if -len(calls) <= probe.call < len(calls) else calls[-1]
    last = {each.layer: place for place, each in enumerate(layers)}
    coarse = {each.layer for each in layers if each.height * FINEST <= probe.inputs.crop}
    ends = [name for name in ends_among(network, layers) if name in coarse and last[name] < own]
    return [(name, layers[last[name]].call) for name in ends]
