"""CSG of 50,000 samples of 3,072 values in 10 classes, and against the authors' implementation (PyPI spectral-metric).

    separability.py [folder]    folder: CIFAR-10's binary version; without it samples of that size are generated

Both look at the same 250 samples of every class. The authors' volumes overflow among 3,072 dimensions, so that values
are compared among the first ten principal components. Each runs in a process of its own; its peak memory counts
everything, the data among it.
"""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from filterscope.diagnosis.complexity.separability import SeparabilitySettings, separability  # noqa: E402

SAMPLES, DIMENSIONS, CLASSES = 50_000, 3_072, 10
COMPONENTS = 10
SETTINGS = SeparabilitySettings()


def data(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """Samples uint8 [N, d] and labels: CIFAR-10's, or generated ones whose classes overlap."""
    if folder:
        from filterscope.data.samples.cifar import read_cifar10

        samples = read_cifar10(folder).part("train")
        return samples.values.reshape(len(samples), -1), samples.labels
    chance = np.random.default_rng(0)
    labels = np.arange(SAMPLES) % CLASSES
    low = chance.normal(0, 1, (SAMPLES, 24)).astype(np.float32) + chance.normal(0, 1, (CLASSES, 24))[labels]
    mixing = chance.normal(0, 1, (24, DIMENSIONS)).astype(np.float32)
    values = np.empty((SAMPLES, DIMENSIONS), np.uint8)
    for start in range(0, SAMPLES, 2000):
        part = low[start : start + 2000].astype(np.float32) @ mixing
        values[start : start + 2000] = np.clip(128 + 6 * part, 0, 255)
    return values, labels


def components(values: np.ndarray) -> np.ndarray:
    """The first principal components float32 [N, COMPONENTS]."""
    from sklearn.decomposition import PCA

    return PCA(COMPONENTS, random_state=0, svd_solver="randomized").fit_transform(values.astype(np.float32))


def ours(values: np.ndarray, labels: np.ndarray, seed: int) -> float:
    return separability(values, labels, SETTINGS, np.random.default_rng(seed)).csg


def theirs(values: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Their `compute` with samples drawn as ours are: their `fit` cannot be seeded."""
    from spectral_metric.estimator import CumulativeGradientEstimator

    logging.getLogger("spectral_metric").setLevel(logging.ERROR)
    values = values.astype(np.float32)  # differences of bytes would wrap around
    generator = np.random.default_rng(seed)
    drawn = {c: generator.permutation(np.flatnonzero(labels == c))[: SETTINGS.per_class] for c in range(CLASSES)}
    estimator = CumulativeGradientEstimator(SETTINGS.per_class, SETTINGS.neighbours)
    estimator.n_class, estimator.class_indices = CLASSES, drawn
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        estimator.compute(values, labels, {c: values[rows] for c, rows in drawn.items()})
    return float(np.squeeze(estimator.csg))


def timed(way: str, folder: str, threads: int) -> None:
    """Seconds, peak memory and value of one way, as JSON."""
    import torch

    torch.set_num_threads(threads)
    values, labels = data(folder)
    started = time.perf_counter()
    csg = {"ours": ours, "theirs": theirs}[way](values, labels, 0)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, csg]))


def main(folder: str = "", threads: int = 2) -> None:
    """Print seconds, memory, the ratio and the values."""
    found = {}
    for way in ("ours", "theirs"):
        command = [sys.executable, __file__, "--way", way, folder, str(threads)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[way] = json.loads(done.stdout.splitlines()[-1])
        seconds, memory, csg = found[way]
        print(f"{way}, {DIMENSIONS} dimensions: {seconds:.1f} s, {memory:.2f} GiB at most, CSG {csg:.4g}", flush=True)
    print(f"ratio: {found['theirs'][0] / found['ours'][0]:.1f} x")
    values, labels = data(folder)
    points = components(values)
    draws = [(ours(points, labels, seed), theirs(points, labels, seed)) for seed in range(5)]
    print(f"{COMPONENTS} components, five draws: ours {[round(a, 4) for a, _ in draws]}")
    print(f"theirs {[round(b, 4) for _, b in draws]}, largest difference {max(abs(a - b) for a, b in draws):.1e}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        timed(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:2])
