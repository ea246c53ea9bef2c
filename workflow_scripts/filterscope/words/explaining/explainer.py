"""The feature explainer: from pooled activations to a point among word vectors (LaViSE, 4.1)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn


class Explainer(nn.Module):
    """BN(d), dropout, Linear(d, h), ReLU, BN(h), dropout, Linear(h, D); for h = d d^2 + d (D + 5) + D parameters.

    hidden: h, the filters d where it is None (LaViSE).

    frozen_batch_norm repeats a defect of the reference, whose batch norms never learn their statistics and so
    are a learnt scale and shift only. power: of the inputs, sign(z) |z|^power (ours): pooled activations are
    skewed, and their roots tell more of what fires weakly; 1 takes them as they are. It is kept with the weights.
    """

    def __init__(
        self,
        filters: int,
        dimension: int,
        dropout: float = 0.1,
        frozen_batch_norm: bool = False,
        power: float = 1.0,
        hidden: int | None = None,
    ):
        super().__init__()
        hidden = hidden or filters
        self.register_buffer("power", torch.tensor(float(power)))
        self.filters, self.dimension = filters, dimension
        self.frozen_batch_norm = frozen_batch_norm
        self.layers = nn.Sequential(
            nn.BatchNorm1d(filters),
            nn.Dropout(dropout),
            nn.Linear(filters, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden),
            nn.Dropout(dropout),
            nn.Linear(hidden, dimension),
        )

    def train(self, mode: bool = True) -> Explainer:
        super().train(mode)
        if self.frozen_batch_norm:
            for layer in self.layers:
                if isinstance(layer, nn.BatchNorm1d):
                    layer.eval()
        return self

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """[B, d] pooled activations to [B, D] points among the words."""
        power = float(self.power)
        if power != 1:
            activations = activations.sign() * activations.abs() ** power
        return self.layers(activations)


def load_explainer(path: str | Path, inputs: int, dimension: int) -> Explainer:
    """A trained explainer from its weights, for so many inputs and word dimensions.

    Raises ValueError where it was trained on another layer or vocabulary.
    """
    state = torch.load(path, weights_only=True, map_location="cpu")
    found = (state["layers.0.weight"].shape[0], state["layers.6.weight"].shape[0])
    if found != (inputs, dimension):
        raise ValueError(
            f"{path}: explains {found[0]} inputs in {found[1]} dimensions, needed are {inputs} and {dimension}"
        )
    model = Explainer(inputs, dimension, hidden=state["layers.2.weight"].shape[0])
    model.load_state_dict(state)
    return model.eval()
