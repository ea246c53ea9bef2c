"""Facets of a class as rows of tables, and what a class is refused for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from filterscope.pictures.facets import clustering
from filterscope.pictures.facets.clustering import FacetError, FacetSettings, Grouping, Stability


def class_facets(
    name: str,
    unit: int,
    image_ids: np.ndarray,
    codes: np.ndarray,
    activations: np.ndarray,
    number: int,
    nearest: int,
    seeds: Sequence[int],
    settings: FacetSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group the images of one class: its rows of `facets` and of `facet_summary`.

    codes: [n, d]; activations: of the unit by each image [n]; number: of facets; nearest: images that are averaged;
    seeds: 1 + settings.repetitions. Raises FacetError for NaN, with its image, and for what cannot be grouped.
    """
    place = f"class {name!r}"
    finite = np.isfinite(codes).all(1) & np.isfinite(activations)
    if not finite.all():
        raise FacetError(f"{place}: NaN or infinite codes or activations at image {image_ids[np.argmin(finite)]}")
    found = clustering.find_facets(codes, number, seeds[0], settings, place)
    members = pd.DataFrame(
        {
            "unit": unit,
            "class": name,
            "image_id": image_ids,
            "facet": found.facets,
            "rank": found.ranks,
            "x": found.places[:, 0],
            "y": found.places[:, 1],
            "distance": found.distances,
            "activation": activations,
        }
    )
    stability = clustering.stability(codes, found, seeds[1:], settings)
    return members, _summary(name, unit, found, stability, nearest, seeds[0], settings)


def _summary(
    name: str, unit: int, found: Grouping, stability: Stability, nearest: int, seed: int, settings: FacetSettings
) -> pd.DataFrame:
    sizes = found.sizes
    return pd.DataFrame(
        {
            "unit": unit,
            "class": name,
            "facet": np.arange(len(sizes)),
            "members": sizes,
            "averaged": np.minimum(sizes, nearest),
            "small": sizes < nearest,
            "recovered": stability.recovered,
            "seed_stability": stability.seeds,
            "bootstrap_stability": stability.bootstraps,
            "silhouette": clustering.silhouette(found.places, found.facets),
            "suggested_facets": clustering.suggested_facets(found.places, seed, settings),
        }
    )
