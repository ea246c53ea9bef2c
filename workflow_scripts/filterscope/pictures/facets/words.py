"""Words that tell the facets of a class apart, by explainers, and whether they do so beyond chance (ours)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from filterscope.activations.extraction import read_maps
from filterscope.activations.streaming import Batch
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.pictures.files import CHANCE
from filterscope.words.explaining.explainer import Explainer

EXPLAINED = 40  # images of a facet nearest to its centre that are explained: the first 15 may be what few of it are
PROPOSED = 10  # nearest words of an image that its facet may be told apart by
SHUFFLES = 999  # of the facets among a class's images


@dataclass
class Located:
    """What explainers make of images at the places where an output unit fires.

    rows: of `facets`, those whose unit fires in the image at all; points: float32 [n, D] beside them, the mean of what
    each explainer makes of it, of unit length.
    """

    rows: pd.DataFrame
    points: torch.Tensor


def located(maps: torch.Tensor, fired: torch.Tensor, pool: str) -> torch.Tensor:
    """Maps [d, h, w] pooled where units fire, as under a soft mask: z = mean(F u / max u), [n, d] or [n, d h w].

    fired: the units' maps in the same image, [n, height, width], each above zero somewhere; values below count as zero.
    """
    places = functional.interpolate(fired[None].clamp(min=0), maps.shape[1:], mode="bilinear", align_corners=False)[0]
    weights = places / places.flatten(1).amax(1)[:, None, None].clamp(min=torch.finfo(places.dtype).tiny)
    if pool == "native":
        return (maps[None] * weights[:, None]).flatten(1)
    return weights.flatten(1) @ maps.flatten(1).T / weights[0].numel()


def locate(
    batches: Iterable[Batch],
    near: pd.DataFrame,
    units: Reader,
    asked: Sequence[tuple[Reader, Explainer]],
    inputs: InputSettings,
    pool: str,
    device: torch.device,
) -> Located:
    """Ask explainers about the facets' nearest images.

    near: rows of `facets`; units: of the output units; asked: explainers, each with the layer that it knows, of the
    same network. Images in which the unit is nowhere above zero are left out.
    """
    kept, points = [], []
    for batch in batches:
        with units:
            fired = read_maps(batch, units, inputs, device)
        seen = []
        for maps, _ in asked:
            with maps:
                seen.append(read_maps(batch, maps, inputs, device))
        for place, image_id in enumerate(batch.image_ids):
            rows = near[near["image_id"] == int(image_id)]
            own = fired[place][rows["unit"].tolist()]
            firing = (own.flatten(1).amax(1) > 0).cpu().numpy()
            if not firing.any():
                continue
            own = own[torch.as_tensor(firing, device=device)]
            with torch.inference_mode():
                answers = [
                    functional.normalize(explainer(located(maps[place], own, pool)), dim=1)
                    for maps, (_, explainer) in zip(seen, asked, strict=True)
                ]
            points.append(torch.stack(answers).mean(0).cpu())
            kept.append(rows[firing])
    if not kept:
        return Located(near.iloc[:0], torch.zeros(0, asked[0][1].dimension))
    return Located(pd.concat(kept, ignore_index=True), torch.cat(points))


def words_apart(
    found: Located, vocabulary: Vocabulary, printed: int, seed: int, taught: Collection[str] = ()
) -> pd.DataFrame:
    """The `facet_words` table: what sets the facets of every unit apart from its other facets.

    A word's contrast is its mean cosine over the facet's images less that over the images of the unit's other facets;
    words are asked for that are among the first ten of one of the facet's own images. p: how often facets shuffled
    among the unit's images have a word of such contrast, any of the unit's, so that it holds for all words together.
    taught: words of the categories, of which filters' names are; the one of largest contrast comes first, if p is at
    most CHANCE: words that keep its company, as *poppy* does that of *red*, may have a larger contrast.
    """
    rows, parts = found.rows.reset_index(drop=True), []
    for _, own in rows.groupby("unit", sort=True):
        cosines = found.points[own.index.tolist()] @ vocabulary.vectors.T
        first = cosines.topk(min(PROPOSED, len(vocabulary)), dim=1).indices.numpy()
        every = np.unique(first)
        values, facets = cosines[:, torch.from_numpy(every)].double().numpy(), own["facet"].to_numpy()
        chance = _largest_by_chance(values, facets, np.random.default_rng(seed))
        for facet, members in own.groupby("facet", sort=True):
            inside = facets == facet
            asked = np.unique(first[inside])
            columns = np.searchsorted(every, asked)
            votes = (first[inside][:, :, None] == asked).any(1).sum(0)
            mean, contrast, p = values[inside][:, columns].mean(0), None, None
            if not inside.all():
                contrast = mean - values[~inside][:, columns].mean(0)
                p = (1 + (chance[facet][:, None] >= contrast).sum(0)) / (1 + SHUFFLES)
            order = np.lexsort((asked, -(mean if contrast is None else contrast)))
            if contrast is not None:
                order = _name_first(order, [vocabulary.words[word] in taught for word in asked], p)
            order = order[:printed]
            parts.append(
                pd.DataFrame(
                    {
                        "unit": int(members["unit"].iloc[0]),
                        "class": members["class"].iloc[0],
                        "facet": int(facet),
                        "rank": np.arange(len(order)),
                        "word": np.asarray(vocabulary.words, object)[asked[order]],
                        "votes": votes[order],
                        "cosine": mean[order],
                        "contrast": None if contrast is None else contrast[order],
                        "p": None if p is None else p[order],
                    }
                )
            )
    columns = ["unit", "class", "facet", "rank", "word", "votes", "cosine", "contrast", "p"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _name_first(order: np.ndarray, taught: list[bool], p: np.ndarray) -> np.ndarray:
    """Places of words in their order, the first that is a name of its own before all others."""
    for place, word in enumerate(order):
        if taught[word] and p[word] <= CHANCE:
            return np.concatenate([[word], np.delete(order, place)])
    return order


def _largest_by_chance(values: np.ndarray, facets: np.ndarray, generator: np.random.Generator) -> dict[int, np.ndarray]:
    """By facet, the largest contrast of any word in each shuffle, [SHUFFLES]; values: cosines [images, words]."""
    count, sums = len(facets), values.sum(0)
    shuffled = np.stack([generator.permutation(facets) for _ in range(SHUFFLES)])
    largest = {}
    for facet in np.unique(facets):
        inside = (shuffled == facet).astype(np.float64)
        size = int((facets == facet).sum())
        if size == count:
            continue
        own = inside @ values
        largest[facet] = (own / size - (sums - own) / (count - size)).max(1)
    return largest
