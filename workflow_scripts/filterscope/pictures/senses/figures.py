"""The sheet of a filter's senses: the images nearest to the centre of each, their mean, and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope.figures import Figure
from filterscope.pictures.figures import Card, Shown, sheet
from filterscope.pictures.photographs import Photographs, mean_image

NEAREST = 3  # images of a sense, one by one

# The window of an image around the place where the filter is strongest, uint8 [S, S, 3]; a row of `sense_images`.
Windows = Callable[[object], np.ndarray]


def windows_of(photographs: Photographs, share: float) -> Windows:
    """Windows of photographs; share: of the side of their views."""
    return lambda row: window(photographs.view(row.image_id), row.peak_row, row.peak_column, share)


def window(view: np.ndarray, row: float, column: float, share: float) -> np.ndarray:
    """The part of a view uint8 [S, S, 3] around a place, enlarged to the view's own size.

    row, column: of the place, shares of the view's side; share: of the side of the window. What would lie outside is
    moved inside; 1 is the view itself.
    """
    side = view.shape[0]
    size = max(1, round(share * side))
    if size >= side:
        return view
    top, left = (int(np.clip(round(place * side - size / 2), 0, side - size)) for place in (row, column))
    part = Image.fromarray(view[top : top + size, left : left + size])
    return np.asarray(part.resize((side, side), Image.Resampling.BICUBIC))


def mean_of_sense(rows: pd.DataFrame, windows: Windows) -> np.ndarray:
    """Mean of the windows of some `sense_images`, uint8 [S, S, 3]."""
    return mean_image(np.stack([windows(row) for row in rows.itertuples()])).round().astype(np.uint8)


def sense_sheet(
    title: str,
    members: pd.DataFrame,
    names: Mapping[tuple[int, int], str],
    pictures: pd.DataFrame | None,
    windows: Windows,
    nearest: int,
    beside: Path,
) -> Figure:
    """The sheet of one filter.

    members: its rows of `sense_images`; names: of senses, by filter and sense; pictures: `sense_pictures` of all, whose
    files lie in the folder `beside`, None where none were asked for; nearest: images that are averaged, at most.
    """
    cards = []
    for sense, rows in members.groupby("sense"):
        near = rows[rows["rank"] < nearest].sort_values("rank")
        shown = [Shown(windows(row), f"{row.maximum:.3g}") for row in near.head(NEAREST).itertuples()]
        shown.append(Shown(mean_of_sense(near, windows), f"mean of {len(near)}"))
        key = (int(rows["filter"].iloc[0]), int(sense))
        if pictures is not None:
            made = pictures[(pictures["filter"] == key[0]) & (pictures["sense"] == key[1])].iloc[0]
            pixels = None if pd.isna(made["path"]) else np.asarray(Image.open(beside / made["path"]))
            shown.append(Shown(pixels, made["recipe"] if pixels is not None else made["status"]))
        said = f": {names[key]}" if key in names else ""
        cards.append(Card(f"sense {sense}   {len(rows)} images{said}", shown))
    return sheet(title, cards)


def title_of(row) -> str:
    """Title of the sheet of a row of `senses` that is told; its numbers may be real, as pandas has them beside gaps."""
    found = f"{int(row.senses)} senses" if row.senses > 1 else "one sense"
    return f"filter {row.filter}: {found} (strength {row.strength:.2f}, likeness {row.likeness:.2f})"
