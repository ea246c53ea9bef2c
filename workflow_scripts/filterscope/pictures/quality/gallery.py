"""All pictures of a probe's classes side by side, in groups that the criteria compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope.pictures.files import MEAN
from filterscope.pictures.quality.validation import MEANS, PHOTOGRAPHS, Comparison, ranking

# Columns of a gallery, the first of `picture_scores`.
COLUMNS = ("group", "unit", "facet", "image_id", "path", "ratio")


def group_of(recipe: str, start: str) -> str:
    """Name of the group of a recipe's pictures of facets."""
    return f"{recipe}, from {'the mean image' if start == MEAN else start}"


def sampled(facets: pd.DataFrame, image_ids: np.ndarray, count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """At most `count` photographs, drawn at random: rows of `facets` that are scored, half of the classes' images at
    most, and numbers of other images of the dataset, which say what is natural; image_ids: of the dataset."""
    chance = np.random.default_rng(seed)
    drawn = np.sort(chance.permutation(len(facets))[: min(count, len(facets)) // 2])
    scored = facets.iloc[drawn]
    others = np.setdiff1d(image_ids, scored["image_id"])
    return scored, np.sort(chance.permutation(others)[: count - count // 2])


def gallery(
    photographs: pd.DataFrame,
    facets: pd.DataFrame,
    pictures: pd.DataFrame,
    maximised: Mapping[str, pd.DataFrame],
    positioned: Sequence[str] = (),
) -> pd.DataFrame:
    """Every picture that is scored. Columns COLUMNS; no path where a unit was dead.

    photographs: rows of `facets` that are scored; pictures: `facet_pictures`, whose paths lie below facets/;
    maximised: `pictures` by recipe, of which those of the classes' units are taken; positioned: recipes of them that
    aimed at one position of the map. A ratio is that of the unit's own activation, the mean of its map, over the best
    image's of the class, where that is positive, and 0 where the own is not, for a mean without these would be of the
    better ones; those recipes have another goal, and none.
    """
    best = facets.groupby("unit")["activation"].max()
    once = pictures.drop_duplicates(["unit", "facet"])
    parts = [
        photographs.assign(group=PHOTOGRAPHS, path=None, facet=None),
        once.assign(group=MEANS, path="facets/" + once["mean_path"], activation=once["mean_activation"]),
    ]
    for (recipe, start), rows in pictures.groupby(["recipe", "start"], sort=False):
        parts.append(rows.assign(group=group_of(recipe, start), path="facets/" + rows["path"]))
    for recipe, table in maximised.items():
        own = table[table["filter"].isin(best.index)]
        reached = None if recipe in positioned else own["activation"]
        parts.append(own.assign(group=recipe, unit=own["filter"], path=f"{recipe}/" + own["path"], activation=reached))
    for part in parts:
        real, reached = part["unit"].map(best), part["activation"].astype(float)
        part["ratio"] = (reached / real).clip(lower=0).where(real > 0)
    return pd.concat([part.reindex(columns=list(COLUMNS)).astype(object) for part in parts], ignore_index=True)


def comparisons(groups: Sequence[str], recipe: str, plain: Sequence[str]) -> list[Comparison]:
    """What is compared among these groups: the ranking of the criteria, and mean against noise as the start.

    recipe: of the facets; plain: names of the recipes without any regularisation.
    """
    wanted = ranking([group_of(name, "noise") for name in plain])
    wanted.append(Comparison(group_of(recipe, MEAN), group_of(recipe, "noise"), paired=True))
    return [each for each in wanted if each.first in groups and each.second in groups]


def pixels_of(
    rows: Iterable, folder: Path, photograph: Callable[[int], np.ndarray], side: int
) -> dict[int, np.ndarray]:
    """The pictures of a gallery as the network's input, uint8 [side, side, 3], by the number of their row.

    rows: as `present` gives them. folder: below which the paths lie. photograph: of an image id, uint8 [H, W, 3].
    """
    pixels = {}
    for row in rows:
        picture = np.asarray(Image.open(folder / row.path)) if row.path else photograph(row.image_id)
        pixels[row.Index] = fitted(picture, side)
    return pixels


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture uint8 [H, W, 3] as the network's input, uint8 [side, side, 3]."""
    if pixels.shape[:2] == (side, side):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def present(shown: pd.DataFrame) -> list:
    """Rows of a gallery that there is a picture of, as named tuples."""
    there = shown["path"].notna() | shown["image_id"].notna()
    return list(shown[there].itertuples())
