"""Facets of classes and senses of filters: what grouping costs, by the number of images.

    facets.py              the class as large as ImageNet's, and how the cost grows with the images
    facets.py 100 1000     these numbers of images only
    facets.py opentsne     t-SNE by openTSNE beside scikit-learn's, where it is installed
    facets.py kept [2000]  senses of 100 filters of ResNet-50's layer4 from maps that were kept of so many images

Codes of 4,096 numbers in ten separated groups; kept maps are made up (most of their cells are zero) and written to the
disk as the extraction does. Needs no real data.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from filterscope.activations.maps import MapsWriter, StoredMaps
from filterscope.pictures.facets import clustering
from filterscope.pictures.facets.clustering import FacetSettings
from filterscope.pictures.senses.codes import Background, Strongest, codes_of
from filterscope.pictures.senses.counting import CountSettings, count_senses
from filterscope.pictures.senses.tables import sense_rows

GROUPS, WIDTH = 10, 4096
CLASS = 1300  # images of a class of ImageNet
GROWTH = (100, 1000, 10_000)  # images
FILTERS, TOP, FILTER_WIDTH = 20, 300, 2048  # senses: filters that are timed, images of each, filters of the layer
KEPT, MANY, SIDE, FIRING = 2000, 100, 7, 0.4  # of `kept`: images, filters, side of a map, share of cells above zero
FEWEST = 24  # images in which a filter fires, as in config.yaml


def timed(action):
    """CPU seconds, and what the action gives: the machine may be busy with other work."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def codes(images: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes float32 [n, WIDTH], and the group of each."""
    chance = np.random.default_rng(0)
    truth = np.arange(images) % GROUPS
    centres = 3 * chance.standard_normal((GROUPS, WIDTH)).astype(np.float32)
    return centres[truth] + chance.standard_normal((images, WIDTH), np.float32), truth


def one_class() -> None:
    given, truth = codes(CLASS)
    settings = FacetSettings()
    ours, found = timed(lambda: clustering.find_facets(given, GROUPS, 0, settings))
    whole, _ = timed(lambda: clustering.find_facets(given, GROUPS, 0, FacetSettings(components=WIDTH)))
    stable, _ = timed(lambda: clustering.stability(given, found, list(range(settings.repetitions)), settings))
    print(f"agreement with the groups {adjusted_rand_score(truth, found.facets):.3f}")
    print(f"PCA to {settings.components}, t-SNE and k-means {ours:.1f} s; without reduction {whole / ours:.1f} times")
    print(f"stability by {settings.repetitions} repetitions {stable / ours:.1f} times")


def growth(sizes: tuple[int, ...]) -> None:
    for images in sizes:
        given, truth = codes(images)
        spent, found = timed(lambda: clustering.find_facets(given, GROUPS, 0))  # noqa: B023
        agreement = adjusted_rand_score(truth, found.facets)
        print(f"{images} images: {spent:.1f} s, {1000 * spent / images:.1f} ms an image, agreement {agreement:.3f}")


def senses() -> None:
    chance = np.random.default_rng(0)
    given = chance.standard_normal((FILTERS, TOP, FILTER_WIDTH)) + chance.random(FILTER_WIDTH)
    spent, _ = timed(lambda: [count_senses(each, 0) for each in given])
    print(f"senses: {100 * spent / FILTERS:.1f} s for 100 filters with {TOP} images, {FILTER_WIDTH} filters in a layer")


def opentsne(sizes: tuple[int, ...]) -> None:
    from openTSNE import TSNE

    settings = FacetSettings()
    for images in sizes:
        given, _ = codes(images)
        scores = PCA(settings.components, random_state=0).fit_transform(given)

        def theirs(seed, scores=scores):
            perplexity = min(settings.perplexity, (len(scores) - 1) / 3)
            return np.asarray(TSNE(perplexity=perplexity, random_state=seed, n_jobs=1).fit(scores))

        def ours(seed, given=given):
            return clustering.embed(given, seed)

        for name, embed in (("scikit-learn", ours), ("openTSNE", theirs)):
            spent, places = timed(lambda: [embed(seed) for seed in range(3)])  # noqa: B023
            labels = [KMeans(GROUPS, n_init=10, random_state=0).fit(each).labels_ for each in places]
            stable = np.mean([adjusted_rand_score(labels[0], each) for each in labels[1:]])
            print(f"{images} images, {name}: {spent / 3:.1f} s, stability over seeds {stable:.2f}")


def _write_maps(path: Path, images: int) -> np.ndarray:
    """Maps [FILTER_WIDTH, SIDE, SIDE] of so many images; returns their maxima [images, FILTER_WIDTH]."""
    chance, maxima = torch.Generator().manual_seed(0), []
    threshold = torch.distributions.Normal(0, 1).icdf(torch.tensor(1 - FIRING))
    with MapsWriter(path, "layer4", (FILTER_WIDTH, SIDE, SIDE)) as writer:
        for ids in np.array_split(np.arange(images), -(-images // 32)):
            maps = torch.randn(len(ids), FILTER_WIDTH, SIDE, SIDE, generator=chance).sub_(threshold).clamp_(min=0)
            writer.add(ids, maps)
            maxima.append(maps.amax((2, 3)).numpy())
    return np.concatenate(maxima)


def kept(images: int) -> None:
    """The whole of `find_senses` but for the tables: no photograph is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.parquet"
        maxima = _write_maps(path, images)
        top = min(TOP, images)
        best = np.argsort(-maxima[:, :MANY], axis=0, kind="stable")[:top].T
        strongest = Strongest(np.arange(MANY), best, np.take_along_axis(maxima[:, :MANY].T, best, 1))
        with StoredMaps([path]) as maps:
            looked_at = np.unique(best).tolist()
            ground, background = timed(lambda: Background.of(maps, looked_at))
            seeds, total = list(range(MANY)), [0.0, 0.0]
            for places in strongest.blocks(maps.filters):
                some = strongest.of(places)
                read, codes = timed(lambda: codes_of(some, maps, maps, background))  # noqa: B023
                own = [seeds[place] for place in places]
                grouped, _ = timed(lambda: sense_rows(some, codes, own, FEWEST, CountSettings()))  # noqa: B023
                total = [total[0] + read, total[1] + grouped]
        size = path.stat().st_size / 1e9
    print(f"{MANY} filters, {top} images of each, of {len(looked_at)} whose maps were kept ({size:.2f} GB):")
    print(f"background {ground:.1f} s, codes {total[0]:.1f} s, groups and their null {total[1]:.1f} s, ", end="")
    print(f"together {ground + sum(total):.0f} s of CPU")


def main(*asked: str) -> None:
    sizes = tuple(int(each) for each in asked if each.isdigit())
    if "kept" in asked:
        kept(*(sizes or (KEPT,)))
        return
    if "opentsne" in asked:
        opentsne(sizes or GROWTH[:2])
        return
    if not sizes:
        one_class()
    growth(sizes or GROWTH)
    senses()


if __name__ == "__main__":
    main(*sys.argv[1:])
