"""A network as it is used: in evaluation, its weights held fixed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def victim(network: nn.Module) -> Iterator[nn.Module]:
    """The network as it is used, its weights held fixed; afterwards as it was."""
    training = {module: module.training for module in network.modules()}
    learnt = {parameter: parameter.requires_grad for parameter in network.parameters()}
    try:
        yield network.eval().requires_grad_(False)
    finally:
        for module, mode in training.items():
            module.training = mode
        for parameter, required in learnt.items():
            parameter.requires_grad_(required)


@torch.no_grad()
def predicted(
    network: nn.Module, images: np.ndarray, device: torch.device | str = "cpu", batch_size: int = 1024
) -> np.ndarray:
    """Classes int64 [N] that the network gives to images float32 [N, C, H, W]."""
    with victim(network) as fixed:
        parts = [
            fixed(torch.from_numpy(images[first : first + batch_size]).to(device)).argmax(1).cpu()
            for first in range(0, len(images), batch_size)
        ]
    return torch.cat(parts).numpy()
