"""Resampling of unbalanced data: SMOTE, Tomek links, both, and the draw of least capacity (Debugger, 3.3).

SMOTE and Tomek links are imbalanced-learn's. Values are vectors [N, d] or pictures [N, C, H, W]; of pictures, every
pixel is a coordinate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from filterscope.diagnosis.resampling.tomek_links import strict_links

METHODS = ("none", "smote", "tomek", "both")
RANDOM = ("smote", "both")  # the others give the same result every time
TIES = ("first", "strict")
SYNTHETIC = -1  # origin of a sample that was made


@dataclass(frozen=True)
class ResamplingSettings:
    """How samples are added and removed; see config.yaml.

    neighbours: k of SMOTE. ties: "first" takes one nearest neighbour of each sample, as imbalanced-learn
    does; "strict" all that are equally near (Debugger, 3.3.2). iterations, patience: of the search.
    """

    neighbours: int = 5
    ties: str = "first"
    iterations: int = 20
    patience: int = 5

    def __post_init__(self):
        if self.ties not in TIES:
            raise ValueError(f"ties is {self.ties!r}, should be one of {', '.join(TIES)}")
        for name in ("neighbours", "iterations", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, should be at least 1")


@dataclass(frozen=True, eq=False)
class Resampled:
    """Samples after resampling: originals first and in their order, then synthetic ones.

    values: float32 [M, ...]; labels: int64 [M]; origin: int64 [M], index of the original sample, -1 for a synthetic.
    """

    values: np.ndarray
    labels: np.ndarray
    origin: np.ndarray


class Capacity(Protocol):
    """What a data set needs (Debugger, 3.1.1): label changes, and bits before and after rounding up."""

    changes: int
    unrounded: float
    bits: int


def matrix(values: np.ndarray | Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Samples as float32 [N, d]; of pictures, every pixel of every channel is a coordinate.

    Raises ValueError for pictures of different size, another number of labels, NaN or infinite values, no samples,
    or a single class.
    """
    shapes = [np.shape(sample) for sample in values]
    if not shapes:
        raise ValueError("there are no samples to resample")
    odd = next((index for index, shape in enumerate(shapes) if shape != shapes[0]), None)
    if odd is not None:
        found = f"sample {odd} has the shape {list(shapes[odd])}, sample 0 {list(shapes[0])}"
        raise ValueError(f"{found}: bring pictures to one size before they are resampled")
    if len(labels) != len(shapes):
        raise ValueError(f"{len(shapes)} samples but {len(labels)} labels")
    flat = np.asarray(values, np.float32).reshape(len(shapes), -1)
    bad = np.flatnonzero(~np.isfinite(flat).all(1))
    if len(bad):
        raise ValueError(f"sample {bad[0]} has NaN or infinite values")
    if len(np.unique(labels)) < 2:
        raise ValueError(f"all samples are of class {labels[0]}: resampling needs two classes")
    return flat


def smote(values: np.ndarray, labels: np.ndarray, neighbours: int = 5, chance: int | np.random.RandomState = 0):
    """Synthetic samples between neighbours of a class until all classes are as large as the largest (Debugger, 3.3.1).

    values: float32 [N, d]. chance: seed. Raises ValueError where a class to be filled up has no more samples than
    `neighbours`.
    """
    names, counts = np.unique(labels, return_counts=True)
    for name, count in zip(names, counts, strict=True):
        if count < counts.max() and count <= neighbours:
            found = f"class {name} has {count} samples, no more than its {neighbours} neighbours that SMOTE wants"
            raise ValueError(f"{found}: use fewer neighbours (at most {count - 1}) or more samples")
    from imblearn.over_sampling import SMOTE  # takes seconds to load

    made = SMOTE(k_neighbors=neighbours, random_state=chance).fit_resample(values, labels)
    origin = np.concatenate([np.arange(len(labels)), np.full(len(made[1]) - len(labels), SYNTHETIC)])
    return Resampled(*made, origin)


def tomek(values: np.ndarray, labels: np.ndarray, strategy: str = "majority", ties: str = "first") -> Resampled:
    """What remains when the members of Tomek links are removed (Debugger, 3.3.2).

    values: float32 [N, d]. strategy: "majority" removes members of every class that is larger than the smallest,
    "all" both members. Raises ValueError where "majority" finds no larger class, or a class would vanish.
    """
    names, counts = np.unique(labels, return_counts=True)
    removable = names[counts > counts.min()] if strategy == "majority" else names
    if not len(removable):
        raise ValueError(
            f"all {len(names)} classes have {counts[0]} samples, so none is the majority whose samples Tomek links "
            'remove: ask for the strategy "all"'
        )
    if ties == "strict":
        linked = np.unique(strict_links(values, labels))
        kept = np.setdiff1d(np.arange(len(labels)), linked[np.isin(labels[linked], removable)])
    else:
        from imblearn.under_sampling import TomekLinks  # takes seconds to load

        cleaner = TomekLinks(sampling_strategy=removable.tolist())
        cleaner.fit_resample(values, labels)
        kept = cleaner.sample_indices_
    lost = np.setdiff1d(names, labels[kept])
    if len(lost):
        raise ValueError(f"every sample of class {lost[0]} is in a Tomek link: removing them leaves none")
    return Resampled(values[kept], labels[kept], kept)


def _none(values, labels, settings, chance):
    return Resampled(values, labels, np.arange(len(labels)))


def _smote(values, labels, settings, chance):
    return smote(values, labels, settings.neighbours, chance)


def _tomek(values, labels, settings, chance):
    return tomek(values, labels, "majority", settings.ties)


def _both(values, labels, settings, chance):
    """SMOTE makes the classes equal, so that Tomek links must lose both members, as in Batista et al. (2004)."""
    filled = smote(values, labels, settings.neighbours, chance)
    cleaned = tomek(filled.values, filled.labels, "all", settings.ties)
    return Resampled(cleaned.values, cleaned.labels, filled.origin[cleaned.origin])


_STEPS = dict(zip(METHODS, (_none, _smote, _tomek, _both), strict=True))


def resample(
    values: np.ndarray | Sequence[np.ndarray], labels: np.ndarray, method: str, settings: ResamplingSettings, seed: int
) -> Resampled:
    """Resample shuffled samples by one of METHODS; the result stands in the original order again.

    Raises ValueError for an unknown method, and as `matrix`, `smote` and `tomek` do.
    """
    if method not in _STEPS:
        raise ValueError(f"method is {method!r}, should be one of {', '.join(METHODS)}")
    flat, labels = matrix(values, labels), np.asarray(labels, np.int64)
    chance = np.random.default_rng(seed)
    order = chance.permutation(len(labels))
    made = _STEPS[method](flat[order], labels[order], settings, int(chance.integers(2**32)))
    original = made.origin != SYNTHETIC
    origin = np.where(original, order[made.origin], SYNTHETIC)
    place = np.argsort(np.where(original, origin, len(labels)), kind="stable")
    shape = np.shape(values[0])
    return Resampled(made.values[place].reshape(-1, *shape), made.labels[place], origin[place])


def guided(
    values: np.ndarray | Sequence[np.ndarray],
    labels: np.ndarray,
    method: str,
    settings: ResamplingSettings,
    capacity: Callable[[np.ndarray, np.ndarray], Capacity],
    seeds: Sequence[int],
) -> tuple[Resampled, list[dict]]:
    """The resampling of least capacity among draws, and the history of all draws (Debugger, 3.3.3).

    capacity: of float32 [M, d] and labels [M]. seeds: one for each iteration that may come. Capacities are compared
    before they are rounded up, which would hide progress; of equals the earliest stays. The search ends after
    `settings.patience` draws without progress; a method without chance is drawn once. Rows of the history: iteration,
    seed, samples, synthetic, removed, changes, unrounded, bits, best (whether it was the best so far).
    """
    if len(seeds) < settings.iterations:
        raise ValueError(f"{len(seeds)} seeds for {settings.iterations} iterations")
    best, least, history, idle = None, np.inf, [], 0
    for iteration, seed in enumerate(seeds[: settings.iterations if method in RANDOM else 1]):
        made = resample(values, labels, method, settings, int(seed))
        need = capacity(made.values.reshape(len(made.values), -1), made.labels)
        better = need.unrounded < least
        synthetic = int((made.origin == SYNTHETIC).sum())
        history.append(
            {
                "iteration": iteration,
                "seed": int(seed),
                "samples": len(made.labels),
                "synthetic": synthetic,
                "removed": len(labels) - len(made.labels) + synthetic,
                "changes": int(need.changes),
                "unrounded": float(need.unrounded),
                "bits": int(need.bits),
                "best": bool(better),
            }
        )
        idle = 0 if better else idle + 1
        if better:
            best, least = made, need.unrounded
        if idle >= settings.patience:
            break
    return best, history
