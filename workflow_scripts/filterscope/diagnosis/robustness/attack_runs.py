"""One observation of robustness: a network's test pictures are attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import nn

from filterscope.data.samples.labelled_samples import LabelledSamples
from filterscope.diagnosis.labelled import pictures
from filterscope.diagnosis.robustness.attacks import ATTACKS, attack
from filterscope.diagnosis.scaled.frozen import predicted


def attacked_samples(samples: LabelledSamples, count: int, seed: int) -> np.ndarray:
    """Numbers of the test samples that are attacked, the same for all networks: drawn at random, in rising order."""
    own = np.flatnonzero(samples.split == "test")
    return np.sort(np.random.default_rng(seed).permutation(own)[:count])


def attack_all(
    network: nn.Sequential,
    samples: LabelledSamples,
    chosen: np.ndarray,
    attacks: Mapping[str, Mapping[str, float]],
    seed: int,
    device: torch.device | str = "cpu",
    batch_size: int = 256,
    progress: Callable = iter,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Attack those of the chosen samples that the network gets right, by every attack.

    attacks: settings by name. Returns rows of the table `attacks` without the network's names, and by attack the
    pictures that were made, float32 [n, C, H, W], in the order of the rows.
    Raises ValueError where the network gets none of the samples right, and as `attack` does.
    """
    images, labels = pictures(samples)[chosen], samples.labels[chosen]
    network = network.to(device)
    right = predicted(network, images, device) == labels
    if not right.any():
        raise ValueError(f"none of the {len(chosen)} chosen test samples is classified correctly: nothing to attack")
    parts, made = [], {}
    for name, settings in progress(list(attacks.items())):
        found = attack(network, images[right], labels[right], name, settings, seed, device, batch_size)
        made[name] = found.images.numpy()
        columns = {
            "attack": name,
            "unit": ATTACKS[name].unit,
            "sample": chosen[right],
            "label": labels[right],
            "classified": found.classes.numpy(),
            "success": found.success.numpy(),
            "size": found.size.numpy(),
            "queries": found.queries.numpy(),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True), made
