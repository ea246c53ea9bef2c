"""Words of senses: what an explainer makes of the images of each where the filter fires (as of facets, ours)."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import torch
from torch.nn import functional

from filterscope.activations.maps import KeptMaps
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.pictures.facets.words import Located, located, words_apart
from filterscope.words.explaining.explainer import Explainer


def locate_kept(
    near: pd.DataFrame, fired: KeptMaps, seen: KeptMaps, explainer: Explainer, pool: str, device: torch.device
) -> Located:
    """Ask an explainer about the senses' nearest images, from maps that were kept.

    near: rows of `sense_images`, in whose images the filter fires; fired: maps of the filters; seen: of the layer that
    the explainer knows.
    """
    kept, points = [], []
    for image_id, rows in near.groupby("image_id", sort=True):
        own = fired.of([image_id], device)[0][rows["filter"].tolist()]
        maps = seen.of([image_id], device)[0]
        with torch.inference_mode():
            points.append(functional.normalize(explainer(located(maps, own, pool)), dim=1).cpu())
        kept.append(rows)
    if not kept:
        return Located(near.iloc[:0], torch.zeros(0, explainer.dimension))
    return Located(pd.concat(kept, ignore_index=True), torch.cat(points))


def sense_words(
    found: Located, vocabulary: Vocabulary, printed: int, seed: int, taught: Collection[str] = ()
) -> pd.DataFrame:
    """The `sense_words` table: what sets the senses of every filter apart; the nearest words of one that is whole."""
    rows = found.rows.assign(unit=found.rows["filter"], facet=found.rows["sense"], **{"class": ""})
    table = words_apart(Located(rows, found.points), vocabulary, printed, seed, taught)
    return table.drop(columns="class").rename(columns={"unit": "filter", "facet": "sense"})
