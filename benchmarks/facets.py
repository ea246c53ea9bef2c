"""Facets of one class as large as ImageNet's: 1,300 codes of 4,096 numbers, ten separated groups of 130.

    facets.py

Against the same without PCA, and against the whole measurement of stability. Needs no real data.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.metrics import adjusted_rand_score

from filterscope.pictures.facets import clustering
from filterscope.pictures.facets.clustering import FacetSettings

GROUPS, MEMBERS, WIDTH = 10, 130, 4096


def timed(action):
    """Seconds, and what the action gives."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def main() -> None:
    chance = np.random.default_rng(0)
    truth = np.repeat(np.arange(GROUPS), MEMBERS)
    centres = 3 * chance.standard_normal((GROUPS, WIDTH))
    codes = (centres[truth] + chance.standard_normal((len(truth), WIDTH))).astype(np.float32)
    settings = FacetSettings()
    ours, found = timed(lambda: clustering.find_facets(codes, GROUPS, 0, settings))
    whole, _ = timed(lambda: clustering.find_facets(codes, GROUPS, 0, FacetSettings(components=WIDTH)))
    stable, _ = timed(lambda: clustering.stability(codes, found, list(range(settings.repetitions)), settings))
    print(f"agreement with the groups {adjusted_rand_score(truth, found.facets):.3f}")
    print(f"PCA to {settings.components}, t-SNE and k-means {ours:.1f} s; without reduction {whole / ours:.1f} times")
    print(f"stability by {settings.repetitions} repetitions {stable / ours:.1f} times")


if __name__ == "__main__":
    main()
