"""What an explainer learns from: pooled activations of objects, and the objects' tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from filterscope import tables
from filterscope.words.targets import multi_hot


@dataclass(frozen=True)
class Samples:
    """Pooled activations float32 [n, d] and the tokens of their objects, bool [n, C]."""

    activations: np.ndarray
    targets: np.ndarray

    def __post_init__(self):
        if len(self.activations) != len(self.targets):
            raise ValueError(f"{len(self.activations)} activations but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.activations)

    def shuffled_labels(self, seed: int) -> Samples:
        """The same activations with their targets permuted: the null that training cannot beat honestly."""
        order = np.random.default_rng(seed).permutation(len(self))
        return Samples(self.activations, self.targets[order])


def gather_samples(shards: Iterable[pa.Table], tokens: list[str]) -> tuple[Samples, np.ndarray]:
    """Samples of all objects with one of these tokens, and whether their images are for training, bool [n].

    shards: `pooled_activations`, taken in one by one: of Visual Genome's objects, whose activations are 16 GB, a third
    are never supervised.
    """
    parts = []
    for pooled in shards:
        targets = multi_hot(pooled["tokens"], tokens)
        known = targets.any(1)
        training = pooled["split"].to_numpy()[known] == "train"
        parts.append((tables.matrix(pooled["vector"])[known], targets[known], training))
    activations, targets, training = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Samples(activations, targets), training


def split_samples(samples: Samples, training: np.ndarray, by_instance: int | None = None) -> tuple[Samples, Samples]:
    """Training and validation samples: by their images' split, or at random with a seed (defect 3), same sizes.

    training: bool [n], whether the object's image is a training image.
    """
    if by_instance is not None:
        training = np.random.default_rng(by_instance).permutation(training)
    return tuple(Samples(samples.activations[part], samples.targets[part]) for part in (training, ~training))
