"""How many groups there are among the images that excite a filter most, one being a possible answer.

k-means (MFV, 3.2.2) finds groups in any cloud. They are senses if half of the images foretells the groups of the other
half (Tibshirani and Walther 2005), if their means are unlike, and if each has filters of its own, that fire where the
filter does in its images and not in the others' (ours). Without such groups a filter has one sense.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filterscope.pictures.senses.clusters import k_means, nearest

OWN = 0.01  # share of the layer's filters by which a sense must differ from the others


@dataclass(frozen=True)
class CountSettings:
    """components: of the PCA, at most; most: senses that are tried; strength: prediction strength that is needed;
    likeness: cosine of senses' means that is allowed; distinction: standard deviations of its own filters that every
    sense needs; smallest: share of the images that it has at least; halvings: of the images; restarts: of k-means."""

    components: int = 5
    most: int = 4
    strength: float = 0.6
    likeness: float = 0.25
    distinction: float = 1.4
    smallest: float = 0.15
    halvings: int = 8
    restarts: int = 6


@dataclass(frozen=True)
class Counted:
    """scores [n, c]: the weighed codes by their first components; senses of the images [n], numbered from the largest.

    Of the number of groups, `tried`, that came nearest to being senses: prediction strength; likeness, the largest
    cosine of two of their means; distinction, of the group that has least of its own.
    """

    scores: np.ndarray
    senses: np.ndarray
    strength: float
    likeness: float
    distinction: float
    tried: int

    @property
    def count(self) -> int:
        """Number of senses."""
        return int(self.senses.max()) + 1


def count_senses(codes: np.ndarray, seed: int, settings: CountSettings = CountSettings()) -> Counted:
    """The senses of a filter whose strongest images have these codes [n, d], in standard deviations above the
    background; n at least 4, codes not all equal once they are weighed."""
    weighed = by_attention(codes)
    scores = principal_scores(directions(weighed), settings.components)
    every = range(2, min(settings.most, len(codes) // 2) + 1)
    tried = [_tried(codes, weighed, scores, groups, seed, settings) for groups in every]
    holding = [each for each in tried if holds(each, settings)]
    if holding:
        return holding[-1]
    best = min(tried, key=lambda each: each.likeness)
    whole = np.zeros(len(codes), int)
    return Counted(scores, whole, best.strength, best.likeness, best.distinction, best.tried)


def holds(found: Counted, settings: CountSettings) -> bool:
    """Whether the groups that were tried are senses."""
    shares = np.bincount(found.senses, minlength=found.tried) / len(found.senses)
    return (
        found.strength >= settings.strength
        and found.likeness <= settings.likeness
        and found.distinction >= settings.distinction
        and bool(shares.min() >= settings.smallest)
    )


def by_attention(codes: np.ndarray) -> np.ndarray:
    """Codes [n, d], each value weighed by how much it is above the background in all these images; 0 where it is
    below."""
    codes = np.asarray(codes, np.float64)
    return codes * codes.mean(0).clip(min=0)


def directions(codes: np.ndarray) -> np.ndarray:
    """Codes [n, d] of unit length; of no length where they are 0."""
    lengths = np.linalg.norm(codes, axis=1, keepdims=True)
    return codes / np.where(lengths > 0, lengths, 1)


def principal_scores(codes: np.ndarray, components: int) -> np.ndarray:
    """Codes [n, d] by their first principal components, float64 [n, c]."""
    codes = np.asarray(codes, np.float64)
    centred = codes - codes.mean(0)
    kept = min(components, len(codes) - 1, codes.shape[1])
    values, vectors = np.linalg.eigh(centred @ centred.T)  # there are fewer images than values, as a rule
    values, vectors = values[::-1][:kept].clip(min=0), vectors[:, ::-1][:, :kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(kept)])  # the same on every machine
    return vectors * signs * np.sqrt(values)


def _tried(codes, weighed, scores, groups: int, seed: int, settings: CountSettings) -> Counted:
    chance = np.random.default_rng([seed, groups])
    labels = _numbered(k_means(scores[None], groups, settings.restarts, chance).labels[0])
    strength = prediction_strength(scores, groups, chance, settings)
    return Counted(scores, labels, strength, likeness(weighed, labels), distinction(codes, labels), groups)


def likeness(weighed: np.ndarray, labels: np.ndarray) -> float:
    """Largest cosine of the means of two groups of codes [n, d] that attention weighs; 1 for a single group."""
    means = directions(_means(weighed, labels))
    cosines = (means @ means.T)[np.triu_indices(len(means), 1)]
    return float(cosines.max()) if len(cosines) else 1.0


def distinction(codes: np.ndarray, labels: np.ndarray) -> float:
    """How much of its own the group has that has least: by how many standard deviations the values of codes [n, d] in
    which it exceeds every other group most, one in a hundred, do so in the mean; 0 for a single group."""
    means = _means(codes, labels)
    if len(means) < 2:
        return 0.0
    own = max(1, round(OWN * codes.shape[1]))
    found = []
    for group in range(len(means)):
        beyond = means[group] - np.delete(means, group, 0).max(0)
        found.append(np.sort(beyond)[-own:].mean())
    return float(min(found))


def _means(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([codes[labels == group].mean(0) for group in range(labels.max() + 1)])


def _numbered(labels: np.ndarray) -> np.ndarray:
    """The same groups, the largest the first, equal ones by their first member."""
    _, first, labels, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    number = np.empty(len(sizes), int)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return number[labels]


def prediction_strength(scores: np.ndarray, groups: int, chance: np.random.Generator, settings: CountSettings) -> float:
    """How far one half of the images foretells the groups of the other (Tibshirani and Walther 2005).

    The share of pairs of a group of one half that the centres of the other half put together, of the group where it
    is least; mean over halvings and both ways. 1 for groups that are there, and for one group in any case.
    """
    half = len(scores) // 2
    orders = np.stack([chance.permutation(len(scores)) for _ in range(settings.halvings)])
    own = scores[np.concatenate([orders[:, :half], orders[:, -half:]])]
    found = k_means(own, groups, settings.restarts, chance)
    foretold = nearest(own, np.roll(found.centres, settings.halvings, axis=0))
    each = [
        min(_together(there[labels == group]) for group in range(groups))
        for labels, there in zip(found.labels, foretold, strict=True)
    ]
    return float(np.mean(each))


def _together(labels: np.ndarray) -> float:
    """Share of the pairs of images with the same label; 0 for a single image, which foretells nothing."""
    count = len(labels)
    if count < 2:
        return 0.0
    sizes = np.bincount(labels)
    return float((sizes * (sizes - 1)).sum() / (count * (count - 1)))
