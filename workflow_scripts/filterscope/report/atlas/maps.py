"""Maps of a layer: filters of similar words, and filters that fire together, near each other; nearest filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import tables

MOST_IMAGES = 2000  # by which it is told what fires together, evenly drawn
MOST_FILTERS = 5000  # of a layer, beyond which principal components are taken instead of t-SNE
FEWEST_FILTERS = 10  # below which, too
COMPONENTS, PERPLEXITY = 30, 30.0
NEAREST = 5


@dataclass
class Firing:
    """Largest activations of a layer's filters, float32. sampled: [images, filters] of some images, evenly drawn;
    image_ids: of these. shown: [photographs, filters] of chosen images, NaN for those that were not looked at;
    largest: of every filter over all images that were asked for."""

    sampled: np.ndarray
    image_ids: np.ndarray
    shown: np.ndarray
    largest: np.ndarray

    @classmethod
    def read(cls, paths: Sequence[Path], split: str | None, photographs: Mapping[int, int]) -> Firing:
        """From the shards of `image_activations`. At most MOST_IMAGES of the split's images (None: of all) are drawn;
        photographs: row of every chosen image, by its number."""
        count = sum(int(_chosen(part, split).sum()) for part in _splits(paths))
        every = max(1, -(-count // MOST_IMAGES))
        sampled, numbers, seen = [], [], 0
        shown = largest = None
        for path in paths:
            for batch in tables.batches(path, "image_activations", ["image_id", "split", "maximum"]):
                values, image_ids = tables.matrix(batch["maximum"]), batch["image_id"].to_numpy()
                if shown is None:
                    shown = np.full((len(photographs), values.shape[1]), np.nan, np.float32)
                    largest = np.full(values.shape[1], -np.inf, np.float32)
                chosen = np.flatnonzero(_chosen(batch["split"].to_numpy(zero_copy_only=False), split))
                places = chosen[(seen + np.arange(len(chosen))) % every == 0]
                seen += len(chosen)
                sampled.append(values[places])
                numbers.append(image_ids[places])
                largest = np.maximum(largest, values[chosen].max(0, initial=-np.inf))
                wanted = [
                    (place, photographs[each]) for place, each in enumerate(image_ids.tolist()) if each in photographs
                ]
                for place, row in wanted:
                    shown[row] = values[place]
        if shown is None:
            return cls(np.zeros((0, 0), np.float32), np.zeros(0, np.int64), np.zeros((0, 0), np.float32), np.zeros(0))
        return cls(np.concatenate(sampled), np.concatenate(numbers), shown, largest)


def _splits(paths: Sequence[Path]) -> Iterable[np.ndarray]:
    for path in paths:
        for batch in tables.batches(path, "image_activations", ["split"], 100_000):
            yield batch["split"].to_numpy(zero_copy_only=False)


def _chosen(splits: np.ndarray, split: str | None) -> np.ndarray:
    return np.ones(len(splits), bool) if split is None else splits == split


def firing_together(maxima: np.ndarray) -> np.ndarray:
    """Every filter's maxima over the images, centred and of unit length, float64 [filters, images]; 0 for a filter
    that is the same in all images. Products of two rows are correlations."""
    centred = maxima.T.astype(np.float64)
    centred -= centred.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12)


def nearest(rows: np.ndarray) -> list[list[tuple[int, float]]]:
    """By row of unit vectors, the places of the NEAREST others and their products, largest first; none for zeros."""
    alive = np.flatnonzero(np.abs(rows).any(1))
    found: list[list[tuple[int, float]]] = [[] for _ in rows]
    if len(alive) < 2:
        return found
    for part in np.array_split(alive, max(1, len(alive) // 512)):
        products = rows[part] @ rows[alive].T
        products[np.arange(len(part)), np.searchsorted(alive, part)] = -np.inf
        count = min(NEAREST, len(alive) - 1)
        order = np.argsort(-products, axis=1, kind="stable")[:, :count]
        for row, others, values in zip(part, order, np.take_along_axis(products, order, 1), strict=True):
            found[row] = [(int(alive[each]), float(value)) for each, value in zip(others, values, strict=True)]
    return found


def word_directions(words: pd.DataFrame, filters: np.ndarray, vocabulary: Path) -> np.ndarray:
    """Of every filter, the mean of its words' vectors by votes, float64 [filters, dimension]; 0 without words.

    words: `filter_words`; vocabulary: path to the table of that name.
    """
    if not len(words):
        return np.zeros((len(filters), 1))
    rows_of = {number: place for place, number in enumerate(filters.tolist())}
    places = {word: place for place, word in enumerate(words["word"].unique())}
    weights = np.zeros((len(filters), len(places)))
    votes = np.maximum(words["votes"].to_numpy(np.float64), 0.0) + 1e-3
    weights[words["filter"].map(rows_of).to_numpy(), words["word"].map(places).to_numpy()] = votes
    vectors = None
    for batch in tables.batches(vocabulary, "vocabulary", ["word", "vector"], 20_000):
        found = [places.get(word, -1) for word in batch["word"].to_pylist()]
        kept = np.flatnonzero(np.array(found) >= 0)
        if vectors is None:
            vectors = np.zeros((len(places), batch["vector"].type.list_size))
        vectors[np.array(found)[kept]] = tables.matrix(batch["vector"])[kept]
    directions = weights @ vectors
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.divide(directions, length, out=np.zeros_like(directions), where=length > 0)


def plane(values: np.ndarray, seed: int) -> np.ndarray:
    """Places from 0 to 1 of the rows, float64 [n, 2]; NaN for rows of zeros: t-SNE, or principal components of few
    or very many rows."""
    places = np.full((len(values), 2), np.nan)
    alive = np.abs(values).any(1)
    if not alive.any():
        return places
    centred = values[alive] - values[alive].mean(0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(centred), max(2, min(COMPONENTS, len(singular)))))
    found[:, : len(singular)] = (left * singular)[:, : found.shape[1]]
    # The signs of components are arbitrary: the largest place is made positive.
    found *= np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])] + 1e-300)
    if FEWEST_FILTERS <= len(found) <= MOST_FILTERS and found.std(0).max() > 0:
        found = _tsne(found / found.std(0).max(), seed)
    found = found[:, :2] - found[:, :2].min(0)
    places[alive] = found / max(found.max(), 1e-12)
    return places


def _tsne(values: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE of principal components, float64 [n, 2]: half of the usual steps, each less exact, for a map to look at."""
    from sklearn.manifold import TSNE

    held = min(PERPLEXITY, (len(values) - 1) / 3)
    settings = {"init": "pca", "max_iter": 500, "angle": 0.8, "n_jobs": 1, "random_state": seed}
    return TSNE(2, perplexity=held, **settings).fit_transform(values).astype(np.float64)
