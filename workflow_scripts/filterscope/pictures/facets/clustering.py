"""The faces of a class: which of its images look alike to a network, and what each group looks like (MFV, 3.2.2).

Codes of the class's images go through PCA and t-SNE to the plane, k-means groups them there, and the images nearest
to a group's centre are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

# Share of chance in the first places of t-SNE: enough for seeds to differ, too little to tear groups apart.
_CHANCE = 0.1
_FIRST_SD = 1e-4  # of the first places, as scikit-learn starts


class FacetError(ValueError):
    """A class that cannot be grouped."""


@dataclass(frozen=True)
class FacetSettings:
    """components: of the PCA, at most; perplexity: of t-SNE, at most a third of the images; restarts: of k-means;
    seeds, bootstraps: repetitions that the stability is measured on; most: largest number of facets tried."""

    components: int = 50
    perplexity: float = 30.0
    restarts: int = 10
    seeds: int = 4
    bootstraps: int = 4
    most: int = 15

    @property
    def repetitions(self) -> int:
        return self.seeds + self.bootstraps


@dataclass(frozen=True)
class Grouping:
    """n images in the plane: places float64 [n, 2], facet of each [n], distance to its facet's centre [n], and rank
    by that distance within the facet [n], 0 the nearest. Facets are numbered from the largest on."""

    places: np.ndarray
    facets: np.ndarray
    distances: np.ndarray
    ranks: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Members of every facet [K]."""
        return np.bincount(self.facets)

    def nearest(self, facet: int, count: int) -> np.ndarray:
        """The members nearest to the facet's centre, nearest first: at most `count` of them."""
        members = np.flatnonzero((self.facets == facet) & (self.ranks < count))
        return members[np.argsort(self.ranks[members])]


@dataclass(frozen=True)
class Stability:
    """Mean adjusted Rand index of a grouping with those under other seeds and of bootstrap samples, None where none was
    made; recovered [K]: how much of every facet the bootstrap samples find again, mean of the best Jaccard index."""

    seeds: float | None
    bootstraps: float | None
    recovered: np.ndarray | None


def embed(
    codes: np.ndarray, seed: int, settings: FacetSettings = FacetSettings(), name: str = "the class"
) -> np.ndarray:
    """Places [n, 2] of codes [n, d] in the plane: PCA, then t-SNE.

    The same seed gives the same places whatever the number of cores. Raises FacetError where codes are not finite or
    all equal.
    """
    codes = _checked(codes, name)
    count, width = codes.shape
    scores = codes - codes.mean(0)
    components = min(settings.components, count - 1, width)
    with threadpool_limits(1):
        if components < width:
            scores = PCA(components, random_state=seed).fit_transform(scores)
        else:
            scores = PCA(components, svd_solver="full").fit_transform(scores)
        start = np.zeros((count, 2))
        start[:, : min(2, components)] = scores[:, :2] / scores[:, 0].std()
        start += _CHANCE * np.random.default_rng(seed).standard_normal(start.shape)
        perplexity = min(settings.perplexity, (count - 1) / 3)
        method = TSNE(2, perplexity=perplexity, init=(_FIRST_SD * start).astype(np.float32), random_state=seed)
        return method.fit_transform(scores.astype(np.float32)).astype(np.float64)


def _checked(codes: np.ndarray, name: str) -> np.ndarray:
    codes = np.asarray(codes, np.float64)
    finite = np.isfinite(codes).all(1)
    if not finite.all():
        raise FacetError(f"{name}: the code of image {int(np.argmin(finite))} of {len(codes)} is NaN or infinite")
    if (codes == codes[0]).all():
        raise FacetError(
            f"{name}: all {len(codes)} codes are equal, so nothing tells the images apart; are they copies of one "
            "picture, or is the layer of the codes dead? Another one can be named under codes"
        )
    return codes


def group(places: np.ndarray, facets: int, seed: int, settings: FacetSettings = FacetSettings()) -> Grouping:
    """Group places [n, 2] by k-means."""
    found = _k_means(places, facets, seed, settings)
    order = np.lexsort((_first_members(found.labels_), -np.bincount(found.labels_, minlength=facets)))
    number = np.empty(facets, int)
    number[order] = np.arange(facets)
    labels = number[found.labels_]
    distances = np.linalg.norm(places - found.cluster_centers_[found.labels_], axis=1)
    ranks = np.empty(len(places), int)
    for facet in range(facets):
        members = np.flatnonzero(labels == facet)
        ranks[members[np.argsort(distances[members], kind="stable")]] = np.arange(len(members))
    return Grouping(places, labels, distances, ranks)


def _first_members(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_index=True)[1]


def _k_means(places: np.ndarray, facets: int, seed: int, settings: FacetSettings) -> KMeans:
    with threadpool_limits(1):
        return KMeans(facets, n_init=settings.restarts, random_state=seed).fit(places)


def check_count(images: int, facets: int, name: str) -> None:
    """Raises FacetError for fewer images than facets, or fewer than two facets."""
    if facets < 2:
        raise FacetError(f"{name}: {facets} facets are asked for, should be 2 or more")
    if images < facets:
        raise FacetError(
            f"{name} has {images} images, fewer than the {facets} facets asked for: lower facets, or add images"
        )


def find_facets(
    codes: np.ndarray, facets: int, seed: int, settings: FacetSettings = FacetSettings(), name: str = "the class"
) -> Grouping:
    """The facets of images with these codes [n, d].

    Raises FacetError for fewer images than facets, fewer different codes than facets, and codes that say nothing.
    """
    check_count(len(codes), facets, name)
    different = len(np.unique(_checked(codes, name), axis=0))
    if different < facets:
        raise FacetError(f"{name}: its {len(codes)} images have {different} different codes for {facets} facets")
    return group(embed(codes, seed, settings, name), facets, seed, settings)


def stability(
    codes: np.ndarray, grouping: Grouping, seeds: Sequence[int], settings: FacetSettings = FacetSettings()
) -> Stability:
    """How far the grouping survives other seeds and other samples of the images.

    seeds: settings.seeds + settings.bootstraps of them. A bootstrap sample of n images has some 63 % different ones;
    these are embedded and grouped anew and compared with the grouping on themselves.
    """
    facets, count = len(grouping.sizes), len(codes)
    if len(seeds) != settings.repetitions:
        raise ValueError(f"there are {len(seeds)} seeds, should be {settings.repetitions}")
    again = [find_facets(codes, facets, seed, settings).facets for seed in seeds[: settings.seeds]]
    over_seeds = [adjusted_rand_score(grouping.facets, each) for each in again]
    over_samples, recovered = [], []
    for seed in seeds[settings.seeds :]:
        sample = np.unique(np.random.default_rng(seed).integers(count, size=count))
        if len(np.unique(codes[sample], axis=0)) < facets:
            continue  # too few images for a sample to be grouped: nothing is known from it
        own = find_facets(codes[sample], facets, seed, settings).facets
        over_samples.append(adjusted_rand_score(grouping.facets[sample], own))
        recovered.append(_best_overlaps(grouping.facets[sample], own, facets))
    return Stability(
        float(np.mean(over_seeds)) if over_seeds else None,
        float(np.mean(over_samples)) if over_samples else None,
        np.mean(recovered, 0) if recovered else None,
    )


def _best_overlaps(before: np.ndarray, after: np.ndarray, facets: int) -> np.ndarray:
    """Largest Jaccard index of every facet with a new one [K]; 0 for a facet of which the sample has no image."""
    both = np.zeros((facets, facets))
    np.add.at(both, (before, after), 1)
    either = both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(1)


def silhouette(places: np.ndarray, facets: np.ndarray) -> float | None:
    """Mean silhouette of a grouping [n] of places [n, 2]; None where every image is its own group."""
    if not 2 <= len(np.unique(facets)) < len(places):
        return None
    with threadpool_limits(1):
        return float(silhouette_score(places, facets))


def suggested_facets(places: np.ndarray, seed: int, settings: FacetSettings = FacetSettings()) -> int | None:
    """The number of facets, from 2 to settings.most, of largest mean silhouette; None for fewer than three images."""
    scores = {}
    for facets in range(2, min(settings.most, len(places) - 1) + 1):
        score = silhouette(places, _k_means(places, facets, seed, settings).labels_)
        if score is not None:
            scores[facets] = score
    return max(scores, key=scores.get) if scores else None
