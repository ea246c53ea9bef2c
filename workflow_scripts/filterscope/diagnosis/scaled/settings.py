"""How scaled networks are trained; apart from the training, so that nobody loads torch to hand it on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ScaledTrainingSettings:
    """How a scaled network is trained; see config.yaml for units."""

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 0.003
    weight_decay: float = 0.0005

    def __post_init__(self):
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError(f"epochs is {self.epochs} and batch_size {self.batch_size}, at least 1 and 2 are needed")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            found = f"learning_rate is {self.learning_rate} and weight_decay {self.weight_decay}"
            raise ValueError(f"{found}, should be above 0 and not negative")

    def rate(self, done: float) -> float:
        """Learning rate when this share of the training is done: a short rise, then half a cosine."""
        return self.learning_rate * min(1.0, 20 * done + 0.05) * 0.5 * (1 + math.cos(math.pi * done))
