"""Recall@s of filter words against the objects in a filter's region (LaViSE, 4.3)."""

from __future__ import annotations

import numpy as np


def recall(words: np.ndarray, truth: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall@k of each (filter, image) pair.

    words: token index of each pair's words, best first, -1 for words that are no token, [n, s].
    truth: bool [n, T]. Returns recall [n], 0 where there is no truth, and whether the pair counts, [n].
    Raises ValueError for k < 1 or k > s.
    """
    if not 1 <= k <= words.shape[1]:
        raise ValueError(f"recall at {k} asked for, there are {words.shape[1]} words a pair")
    said = np.zeros((len(words), truth.shape[1] + 1), bool)  # the last column takes the words that are no token
    np.put_along_axis(said, words[:, :k], True, axis=1)
    wanted = truth.sum(1)
    right = (said[:, :-1] & truth).sum(1)
    counts = wanted > 0
    return np.where(counts, right / np.maximum(wanted, 1), 0.0), counts


def by_image(values: np.ndarray, counts: np.ndarray, images: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of values and counts per image, [total] each; images: position of each pair's image, [n]."""
    return (
        np.bincount(images, weights=values * counts, minlength=total),
        np.bincount(images, weights=counts, minlength=total),
    )
