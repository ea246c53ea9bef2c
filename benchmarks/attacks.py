"""Attacks on a batch of images at once, against the same attacks on one image at a time.

    attacks.py [images]    of scikit-learn's digits, 64 by default; needs no real data

The network is small (1,280 bits), so that what is measured is the attack and not the network; both ways find the same.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from filterscope.data.samples import sources
from filterscope.diagnosis.labelled import pictures
from filterscope.diagnosis.robustness.attacks import ATTACKS, attack
from filterscope.diagnosis.scaled.frozen import predicted
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling, trained_network


def main() -> None:
    """Print images a second and ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    torch.set_num_threads(1)
    samples = sources.read("digits", None, {"train": None, "test": None}, seed=0, test=0.25)
    match = Scaling().match(samples, "plain", 1280)
    network, _, facts = trained_network(match, samples, ScaledTrainingSettings(epochs=8, batch_size=64), 0)
    test = samples.part("test")
    images = pictures(test)
    right = np.flatnonzero(predicted(network, images) == test.labels)[:count]
    print(f"{match.capacity} bits, test accuracy {facts['accuracy']:.1%}, {len(right)} images")
    for name in ATTACKS:
        found, speeds = [], []
        for batch_size in (len(right), 1):
            start = time.perf_counter()
            found.append(attack(network, images[right], test.labels[right], name, {}, 0, batch_size=batch_size))
            speeds.append(len(right) / (time.perf_counter() - start))
        same = float((found[0].size == found[1].size).double().mean())
        print(
            f"{name}: {speeds[0]:.1f} images/s in a batch, {speeds[1]:.2f} one at a time, {speeds[0] / speeds[1]:.1f} "
            f"times; equal sizes {same:.0%}, median {float(found[0].size.median()):.3g}"
        )


if __name__ == "__main__":
    main()
