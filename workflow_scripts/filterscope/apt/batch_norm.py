"""Statistics of batch norm for weights that were never in a training pass."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import torch
from torch import Tensor, nn


def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Let batch norm learn its statistics anew: Schedule-Free's averaged weights were never in a training pass.

    Does nothing for networks without batch norm, or without batches. Leaves the network in eval mode.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    batches = iter(batches if norms else ())
    first = next(batches, None)
    if first is None:
        return
    network.eval()  # no dropout
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
    with torch.no_grad():
        for batch in chain([first], batches):
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval()
        norm.momentum = momentum
