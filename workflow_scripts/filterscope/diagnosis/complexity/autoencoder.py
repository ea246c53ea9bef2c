"""A small autoencoder, trained on the data itself, whose codes are an embedding (Debugger, 3.1.2, step 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from filterscope.diagnosis.labelled import DiagnosisError, require_finite
from filterscope.eager_optimisers import Adam

HIDDEN = 128  # units of the dense layers
CHANNELS = (16, 32)  # of the convolutions
SMALLEST = 8  # px, side below which pictures are taken as vectors


@dataclass(frozen=True)
class AutoencoderSettings:
    """codes: units in the middle. epochs, batch_size (samples) and learning_rate of Adam."""

    codes: int = 8
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 0.002


class Autoencoder(nn.Module):
    """Samples [B, *shape] to codes [B, codes] and back; convolutions for pictures, dense layers otherwise."""

    def __init__(self, shape: tuple[int, ...], codes: int):
        super().__init__()
        if len(shape) == 3 and min(shape[1:]) >= SMALLEST:
            depth, height, width = shape
            first, second = CHANNELS
            small = (second, math.ceil(math.ceil(height / 2) / 2), math.ceil(math.ceil(width / 2) / 2))
            self.encoder = nn.Sequential(
                nn.Conv2d(depth, first, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(first, second, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(math.prod(small), codes),
            )
            self.decoder = nn.Sequential(
                nn.Linear(codes, math.prod(small)),
                nn.ReLU(),
                nn.Unflatten(1, small),
                nn.Upsample((math.ceil(height / 2), math.ceil(width / 2))),
                nn.Conv2d(second, first, 3, padding=1),
                nn.ReLU(),
                nn.Upsample((height, width)),
                nn.Conv2d(first, depth, 3, padding=1),
            )
        else:
            size = math.prod(shape)
            self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, codes))
            self.decoder = nn.Sequential(
                nn.Linear(codes, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, size), nn.Unflatten(1, shape)
            )

    def forward(self, samples: Tensor) -> Tensor:
        return self.decoder(self.encoder(samples))


@dataclass(frozen=True)
class Encoded:
    """codes: float32 [N, codes]. explained: share of the samples' variance that the decoder gives back, at most 1."""

    codes: np.ndarray
    explained: float


def _standardised(values: np.ndarray) -> np.ndarray:
    """float32 of mean 0 and standard deviation 1; in double precision, where squares of float32 stay in range."""
    scaled = values.astype(np.float64)
    scaled -= scaled.mean()
    with np.errstate(over="ignore"):
        spread = math.sqrt(np.square(scaled).mean())
    if not 0 < spread < math.inf:
        found = f"{values.min():.3g} to {values.max():.3g}"
        raise DiagnosisError(f"values go from {found}: their variance is out of range; scale them")
    scaled /= spread
    return scaled.astype(np.float32)


def encode(values: np.ndarray, settings: AutoencoderSettings, seed: int, device: torch.device | str = "cpu") -> Encoded:
    """Train an autoencoder on samples [N, d] or [N, C, H, W] and encode them; torch's own random state is left alone.

    Values are brought to mean 0 and standard deviation 1 over all of them. Constant data have codes of 0.
    Raises DiagnosisError for values that are not finite or whose variance overflows, and where training diverges.
    """
    require_finite(values.reshape(len(values), -1))
    if values.min() == values.max():
        return Encoded(np.zeros((len(values), settings.codes), np.float32), 1.0)
    samples = torch.from_numpy(_standardised(values)).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # layers know no other generator
        network = Autoencoder(values.shape[1:], settings.codes).to(device)
    optimiser = Adam(network.parameters(), lr=settings.learning_rate)
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(settings.epochs):
        for rows in torch.randperm(len(samples), generator=generator).split(settings.batch_size):
            batch = samples[rows.to(device)]
            loss = nn.functional.mse_loss(network(batch), batch)
            if not torch.isfinite(loss):
                raise DiagnosisError(f"the autoencoder's training diverged in epoch {epoch}: lower its learning rate")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network.eval()
    codes, residual = [], 0.0
    with torch.inference_mode():
        for batch in samples.split(settings.batch_size):
            code = network.encoder(batch)
            codes.append(code.cpu())
            residual += float((network.decoder(code) - batch).double().square().sum())
    total = float((samples - samples.mean(0)).double().square().sum())
    return Encoded(torch.cat(codes).numpy(), 1 - residual / total if total else 1.0)
