"""Which filters and photographs an entry of the config means, and how strongly real photographs excite filters."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from filterscope.pictures.recipes.objectives import Target


def strongest_of(table: pd.DataFrame) -> list[int]:
    """Filters of the `strongest_filters` table, each once, by number."""
    return sorted({int(number) for number in table["filter"]})


def chosen_targets(filters: Sequence[int] | str, position, available: int) -> list[Target]:
    """One target for each filter of the config, or for all that the layer has."""
    from filterscope.pictures.recipes.objectives import Target  # with torch, which who only wants names does without

    numbers = range(available) if filters == "all" else filters
    place = tuple(position) if isinstance(position, (list, tuple)) else position
    return [Target(int(number), place) for number in numbers]


def chosen_images(images: pd.DataFrame, wanted: Sequence[int | str]) -> pd.DataFrame:
    """Rows of `images` named by number or by path, in this order.

    Raises ValueError for one that the dataset does not have, with the nearest paths.
    """
    rows = []
    for each in wanted:
        found = images[(images["path"] == each) | (images["image_id"] == each)]
        if found.empty:
            near = difflib.get_close_matches(str(each), images["path"], n=3, cutoff=0.4) or images["path"].tolist()[:3]
            raise ValueError(f"image {each!r} is not in the dataset; there are, for example, {', '.join(near)}")
        rows.append(found.iloc[:1])
    return pd.concat(rows, ignore_index=True)


@dataclass(frozen=True)
class Best:
    """The image that excites each filter most, [d] each."""

    image_ids: np.ndarray
    activations: np.ndarray


def best_images(image_ids: np.ndarray, activations: np.ndarray) -> Best:
    """The best of some images; activations: [N, d]. Ties go to the first image."""
    first = activations.argmax(0)
    return Best(image_ids[first], activations[first, np.arange(activations.shape[1])])


def first_images(image_ids: np.ndarray, activations: np.ndarray, count: int) -> list[int]:
    """The images [N] that excite one filter most, at most so many, the strongest first; activations: its own [N]."""
    return image_ids[np.argsort(-activations, kind="stable")[:count]].tolist()


def names_of(filter_names: pd.DataFrame | None) -> dict[int, str]:
    """Names of the filters that have one, from `filter_names`; none where nothing was explained."""
    if filter_names is None:
        return {}
    named = filter_names.dropna(subset="name")
    return dict(zip(named["filter"], named["name"], strict=True))
