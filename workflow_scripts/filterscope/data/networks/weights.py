"""Weights on disk: the same weights give the same bytes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn


def write_weights(network: nn.Module, path: str | Path) -> None:
    """Keep a network's weights; the same weights give the same bytes."""
    with Path(path).open("wb") as stream:  # given a path, torch would write its name into the file
        torch.save(dict(network.state_dict()), stream)


def write_packed(values: dict, path: str | Path) -> None:
    """Keep tensors, numbers and texts by name; the same values give the same bytes. `checkpoints.read_packed` reads."""
    with Path(path).open("wb") as stream:
        torch.save(values, stream)
