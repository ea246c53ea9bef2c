"""Scaled networks for labelled pictures: of a wanted capacity, trained, loaded, and their features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from filterscope.data.samples.labelled_samples import LabelledSamples
from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.labelled import DiagnosisError, pictures
from filterscope.diagnosis.scaled.families import Match, build_scaled, match_capacity
from filterscope.diagnosis.scaled.frozen import predicted
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.training import train


class NoNetworkError(ValueError):
    """No network of the family has the target capacity; mostly because the smallest holds more."""


@dataclass(frozen=True)
class Scaling:
    """How bits become networks. start: bits of a share of 100 %; None: the expected capacity of the training samples,
    measured with norm and ties. tolerance: of a network's capacity, relative."""

    start: int | None = None
    tolerance: float = 0.02
    norm: str = "sum"
    ties: str = "label"

    def target(self, samples: LabelledSamples, share: int) -> int:
        """Bits of this share, in %. Raises ValueError where the data need none."""
        train = samples.part("train")
        start = self.start or expected_capacity(train.flat(), train.labels, self.norm, self.ties).bits
        if not start:
            raise ValueError("the training samples need 0 bits: their labels do not change along their sums")
        return round(start * share / 100)

    def match(self, samples: LabelledSamples, family: str, target: int) -> Match:
        """The network of the family that holds this many bits. Raises NoNetworkError where there is none."""
        try:
            return match_capacity(family, target, samples.shape, len(samples.classes), self.tolerance)
        except DiagnosisError as error:
            raise NoNetworkError(str(error)) from error


class Standardise(nn.Module):
    """Pictures [B, C, H, W] in 0 to 1 as the network wants them, so that attacks stay in the box of the pixels."""

    def __init__(self, mean: np.ndarray, std: np.ndarray):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).view(-1, 1, 1))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32).view(-1, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images - self.mean) / self.std


def scaled_network(family: str, width: float, images: np.ndarray, classes: int) -> nn.Sequential:
    """A new network of the family that standardises pictures by the mean and spread of these, [N, C, H, W]."""
    spread = np.maximum(images.std((0, 2, 3)), 1e-6)
    return nn.Sequential(
        Standardise(images.mean((0, 2, 3)), spread), build_scaled(family, width, images.shape[1:], classes)
    )


def trained_network(
    match: Match,
    samples: LabelledSamples,
    settings: ScaledTrainingSettings,
    seed: int,
    device: torch.device | str = "cpu",
    **resuming,
) -> tuple[nn.Sequential, list[dict], dict]:
    """A network of this width trained on the train split, its history, and its accuracies on both splits."""
    train_part, test_part = samples.part("train"), samples.part("test")
    images = pictures(train_part)

    def build():
        return scaled_network(match.family, match.width, images, len(samples.classes))

    network, history = train(build, images, train_part.labels, settings, seed, device, **resuming)
    facts = {
        "capacity": match.capacity,
        "width": match.width,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "train_accuracy": float(np.mean(predicted(network, images, device) == train_part.labels)),
        "accuracy": float(np.mean(predicted(network, pictures(test_part), device) == test_part.labels)),
        "test_samples": len(test_part),
    }
    return network, history, facts


def weights_file(share: int, number: int) -> str:
    """Name of the file of a network's weights; share: of its capacity, number: among those of this capacity."""
    return f"{share}-{number}.pt"


def load_network(path: str | Path, family: str, width: float, samples: LabelledSamples) -> nn.Sequential:
    """A trained network from its weights."""
    image = np.zeros((1, *samples.shape), np.float32)
    network = scaled_network(family, width, image, len(samples.classes))
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


def features(network: nn.Sequential, images: np.ndarray, device: torch.device | str = "cpu") -> np.ndarray:
    """What the last layer of a scaled network is given: float32 [N, f] for images [N, C, H, W]."""
    standardise, layers = network.to(device).eval()
    body = nn.Sequential(standardise, *layers[:-1])
    with torch.inference_mode():
        parts = [
            body(torch.from_numpy(part).to(device)).cpu() for part in np.array_split(images, -(-len(images) // 1024))
        ]
    return torch.cat(parts).numpy()
