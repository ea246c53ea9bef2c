"""What training images say of every filter and token, and the claim that follows: the filter's name, to be tested.

A filter's claim is the token whose masks its map correlates with best over the training images. Rare tokens have few
masks, so their correlations are noisy; each filter's are therefore drawn towards those of the filters that fire at the
same places, the less the more images show the token (an empirical Bayes estimate whose prior is the neighbourhood).
What the layer's mean filter has, too, does not set a filter apart and is taken off. The criterion and the strengths
were chosen by cross-validation on training images (benchmarks/choices.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from filterscope.words.sums import ExactSum, counted
from filterscope.words.truth import ImageTruth

# Power of the correlation between two filters' maps by which one counts as the other's neighbour.
CLOSENESS = 4
# Training images with a token at which its neighbours lend a filter half of what they lend of a token without any.
HALVING = 1000
# A token that none of a filter's top images shows has this chance of being shown, not 0: its logarithm is finite.
LEAST_CHANCE = 1e-4
# Share of a map's squares below which its variance is nothing but rounding: products of cells are float32.
ROUNDING = 1e-5
# Filters whose products with all are added up at once: so few stay in a processor's cache.
ROWS = 64


@dataclass(frozen=True)
class EvidenceSettings:
    """How claims are chosen and what top images of the training part count; see `words` in config.yaml.

    shrinkage: share of a filter's correlations with rare tokens that its neighbours lend. contrast: share of the other
    filters' mean that is taken off. top_images: training images per filter whose regions are compared with the masks,
    at most the share top_share of them. pseudo: images that the layer's mean filter counts as, beside a filter's own.
    """

    shrinkage: float = 0.5
    contrast: float = 1.0
    top_images: int = 25
    top_share: float = 0.1
    pseudo: float = 10.0

    @classmethod
    def from_mapping(cls, words: Mapping) -> EvidenceSettings:
        """From the config's `words`, which says more."""
        return cls(**{each.name: words[each.name] for each in fields(cls)})

    def __post_init__(self):
        for name, value in (("shrinkage", self.shrinkage), ("contrast", self.contrast)):
            if not 0 <= value <= 1:
                raise ValueError(f"words.{name} is {value}, should be from 0 to 1")


class Correlations:
    """Sums over images from which correlations of maps with masks, and of maps with maps, follow; streaming.

    Memory is filters x (tokens + filters) whatever the number of images. Sums of so many images, one after the other,
    are added up exactly: shards that begin where such a run of images does give the bits of one job.
    """

    def __init__(self, filters: int, tokens: int, device: torch.device, images: int = 32):
        """images: of a run."""
        shapes = {
            "product": (filters, tokens),
            "gram": (filters, filters),
            "total": (filters, 1),
            "mass": (1, tokens),
            "mass2": (1, tokens),
        }
        self.cells = 0
        self.images = np.zeros(tokens, np.int64)
        self._sums = {name: ExactSum(*shape, device=device) for name, shape in shapes.items()}
        # Of the run that has begun.
        self._run = {name: torch.zeros(*shape, dtype=torch.float64, device=device) for name, shape in shapes.items()}
        self._length, self._added = images, 0

    def add(self, maps: torch.Tensor, scene: ImageTruth) -> None:
        """Take in one image: maps [d, h, w] and its truth; a mask is the share of each cell that it covers."""
        flat = maps.flatten(1)
        self.cells += flat.shape[1]
        self._run["total"][:, 0] += flat.sum(1).double()
        for rows in range(0, len(flat), ROWS):
            self._run["gram"][rows : rows + ROWS].add_(flat[rows : rows + ROWS] @ flat.T)
        if len(scene.tokens):
            masks = scene.token_masks.float()[:, None]
            covered = functional.adaptive_avg_pool2d(masks, tuple(maps.shape[1:])).flatten(1)
            tokens = torch.from_numpy(scene.tokens).to(maps.device)
            self.images[scene.tokens] += 1
            self._run["product"][:, tokens] += (flat @ covered.T).double()
            self._run["mass"][0, tokens] += covered.sum(1).double()
            self._run["mass2"][0, tokens] += covered.square().sum(1).double()
        self._added += 1
        if self._added == self._length:
            self._end_run()

    def _end_run(self) -> None:
        if self._added:
            for name, run in self._run.items():
                self._sums[name].add(run)
                run.zero_()
        self._added = 0

    def sums(self) -> dict[str, np.ndarray]:
        """All of it, by name, as another job takes it in: parts [2, rows, columns]."""
        self._end_run()
        own = {name: each.parts for name, each in self._sums.items()}
        return own | {"cells": counted([[self.cells]]), "images": counted(self.images[None])}

    def take_in(self, sums: Mapping[str, np.ndarray]) -> None:
        """Add what another job has summed up of other images."""
        for name, each in self._sums.items():
            each.merge(sums[name])
        self.cells += int(sums["cells"][0, 0, 0])
        self.images += sums["images"][0, 0].astype(np.int64)

    def _values(self) -> dict[str, torch.Tensor]:
        self._end_run()
        return {name: each.value for name, each in self._sums.items()}

    def with_tokens(self) -> np.ndarray:
        """Pearson correlation of every map with every token's masks over all cells, [d, T]; 0 where one is constant."""
        cells, sums = max(self.cells, 1), self._values()
        mass = sums["mass"]
        covariance = sums["product"] - sums["total"] * mass / cells
        spread = (self._variances(sums)[:, None] * (sums["mass2"] - mass**2 / cells).clamp(min=0)).sqrt()
        return torch.where(spread > 0, covariance / spread.clamp(min=1e-30), 0.0).numpy()

    def among_filters(self) -> np.ndarray:
        """Pearson correlation of every map with every other over all cells, [d, d]; 0 where one is constant."""
        sums = self._values()
        covariance = sums["gram"] - sums["total"] * sums["total"].T / max(self.cells, 1)
        spread = self._variances(sums).sqrt()
        spread = spread[:, None] * spread
        return torch.where(spread > 0, covariance / spread.clamp(min=1e-30), 0.0).numpy()

    def _variances(self, sums: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Times the number of cells, [d]; 0 for a map that is constant but for the rounding of products in float32."""
        squares = sums["gram"].diagonal()
        variances = squares - sums["total"][:, 0] ** 2 / max(self.cells, 1)
        return torch.where(variances > ROUNDING * squares, variances, 0.0)


def shrunk(correlations: np.ndarray, among_filters: np.ndarray, images: np.ndarray, share: float) -> np.ndarray:
    """Correlations drawn towards those of the filters that fire at the same places, [d, T].

    correlations: with tokens, [d, T]. among_filters: [d, d]. images: training images with each token, [T]. share: of
    the neighbours, 0 to 1, where no image has the token, half as much where HALVING images have it, and so on; each
    neighbour counts by its correlation to the power CLOSENESS, those that fire elsewhere not at all. A filter without
    neighbours keeps its own.
    """
    weights = np.clip(among_filters, 0, 1) ** CLOSENESS
    np.fill_diagonal(weights, 0)
    total = weights.sum(1, keepdims=True)
    lent = weights @ correlations / np.maximum(total, 1e-30)
    shares = share * HALVING / (HALVING + images)
    return np.where(total > 1e-12, (1 - shares) * correlations + shares * lent, correlations)


def contrasted(correlations: np.ndarray, share: float) -> np.ndarray:
    """Correlations less this share of the mean of all other filters, [d, T]; a lone filter keeps its own.

    Filters that never move have no correlations: they are no part of the mean.
    """
    moved = correlations.any(1)
    others = (moved.sum() - moved)[:, None]
    mean = (correlations.sum(0) - correlations) / np.maximum(others, 1)
    return np.where(moved[:, None], correlations - share * mean, correlations)


def choose_claims(correlations: np.ndarray, images: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The token that each filter claims: the largest (shrunk, contrasted) correlation; -1 where none is above 0.

    correlations: [d, T]; returns int64 [d]. images: training images with each token, [T]; one without is never
    claimed. allowed: bool [T], tokens that may be claimed. Ties go to the smaller index.
    """
    possible = allowed & (images > 0)
    if not possible.any():
        return np.full(len(correlations), -1, np.int64)
    offered = np.where(possible, correlations, -np.inf)
    best = offered.argmax(1)
    return np.where(offered[np.arange(len(best)), best] > 0, best, -1).astype(np.int64)


def chances(shown: np.ndarray, fired: np.ndarray, pseudo: float) -> np.ndarray:
    """The chance that a token stands where a filter fires in one of its top images, [d, T].

    shown: of how many of a filter's top training images the region shows a token, [d, T]; fired: of how many it shows
    any token, [d]. Filters with few such images are drawn towards the layer's mean filter, which counts as `pseudo`
    images (empirical Bayes). All 0 where no filter shows anything.
    """
    total = fired.sum()
    layer = shown.sum(0) / total if total else np.zeros(shown.shape[1])
    return (shown + pseudo * layer) / (fired[:, None] + pseudo)


@dataclass(frozen=True)
class Evidence:
    """What the `evidence` table holds, as arrays: [d, T] each, but for images [T]."""

    correlation: np.ndarray  # of map and masks over the training images
    distinct: np.ndarray  # the same, shrunk and contrasted with the other filters
    chance: np.ndarray
    images: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, tokens: list[str]) -> Evidence:
        """From the `evidence` table, in the order of these tokens."""
        filters = int(table["filter"].max()) + 1
        place = {token: index for index, token in enumerate(tokens)}
        columns = table["token"].map(place).to_numpy()
        arrays = {}
        for name in ("correlation", "distinct", "chance", "images"):
            arrays[name] = np.zeros((filters, len(tokens)))
            arrays[name][table["filter"], columns] = table[name]
        return cls(**{**arrays, "images": arrays["images"][0].astype(np.int64)})

    @classmethod
    def gathered(
        cls, correlations: Correlations, shown: np.ndarray, fired: np.ndarray, settings: EvidenceSettings
    ) -> Evidence:
        """From the sums of one look at the training images."""
        own = correlations.with_tokens()
        drawn = shrunk(own, correlations.among_filters(), correlations.images, settings.shrinkage)
        return cls(
            own, contrasted(drawn, settings.contrast), chances(shown, fired, settings.pseudo), correlations.images
        )

    def table(self, tokens: list[str]) -> pd.DataFrame:
        """The `evidence` table: a line per filter and token."""
        filters, count = self.correlation.shape
        return pd.DataFrame(
            {
                "filter": np.repeat(np.arange(filters), count),
                "token": np.tile(np.array(tokens, object), filters),
                "correlation": self.correlation.reshape(-1),
                "distinct": self.distinct.reshape(-1),
                "chance": self.chance.reshape(-1),
                "images": np.tile(self.images, filters),
            }
        )

    def claims(self, allowed: np.ndarray) -> np.ndarray:
        """The token that each filter claims, -1 for none; allowed: bool [T].

        Where a filter fires less than elsewhere is nothing that it stands for, though the others may avoid it more.
        """
        return choose_claims(np.where(self.correlation > 0, self.distinct, -np.inf), self.images, allowed)

    def surprise(self, allowed: np.ndarray) -> np.ndarray:
        """Logarithm of each chance against the least that counts, at least 0, [d, T]; 0 for tokens not allowed."""
        return np.where(allowed, np.log((self.chance + LEAST_CHANCE) / LEAST_CHANCE), 0.0)
