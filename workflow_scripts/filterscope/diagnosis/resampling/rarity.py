"""Which class is rare, and the draw of training samples that makes it so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rarity:
    """Which class is rare (None: the smallest) and the share of its training samples that are kept."""

    label: int | None = None
    share: float = 1.0

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise ValueError(
                f"the share of the rare class that is kept is {self.share}, should be above 0 and at most 1"
            )


def rare_label(labels: np.ndarray, rarity: Rarity) -> int:
    """The rare class: the one that is named, or the smallest. Raises ValueError where no sample is of it."""
    names, counts = np.unique(labels, return_counts=True)
    if rarity.label is None:
        return int(names[counts.argmin()])
    if rarity.label not in names:
        raise ValueError(f"the rare class is {rarity.label}, of which there is no sample; classes are {names.tolist()}")
    return rarity.label


def drawn(labels: np.ndarray, rarity: Rarity, share: float, chance: np.random.Generator) -> np.ndarray:
    """Indices of training samples: this share of every class, of the rare class that part of it that is kept.

    labels: [N]. At least one sample of every class is drawn. Raises ValueError for a share out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of the training samples that are drawn is {share}, should be above 0, at most 1")
    rare, parts = rare_label(labels, rarity), []
    for name in np.unique(labels):
        own = np.flatnonzero(labels == name)
        wanted = share * (rarity.share if name == rare else 1)
        parts.append(chance.permutation(own)[: max(1, round(wanted * len(own)))])
    return np.sort(np.concatenate(parts))
