"""A network as it is built, without its weights: what its capacity needs."""

from __future__ import annotations

import torch
from torch import nn

from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings

# Sources whose builder only lays out layers, so that the largest network takes no memory and no time to initialise.
LAID_OUT = ("torchvision", "checkpoint", "caffe")


def blueprint(settings: NetworkSettings) -> nn.Module:
    """The network, on the meta device where that can be. Raises NetworkError as `building.build` does."""
    if settings.source in LAID_OUT:
        try:
            with torch.device("meta"):
                return building.build(settings)
        except NotImplementedError:
            pass  # RegNet's builder computes its widths with tensors, which the meta device cannot
    return building.build(settings)
