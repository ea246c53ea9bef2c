"""Labelled pictures from a reference dataset: its objects, cropped, with their category or shape as class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from filterscope import job
from filterscope.data.geometry import resized_picture
from filterscope.data.images import read_image
from filterscope.data.samples.labelled_samples import TEST, TRAIN, LabelledSamples, SamplesError, joined
from filterscope.data.scenes.words import SHAPES

BY = ("category", "shape")
_SPLIT_OF = {"train": TRAIN, "val": TEST}


def read_crops(
    images: pd.DataFrame,
    annotations: pd.DataFrame,
    folder: str | Path,
    by: str,
    size: int,
    smallest: float,
    min_count: int,
) -> LabelledSamples:
    """Objects as uint8 [N, 3, size, size], in the order of the annotations; validation images are the test split.

    images: the images table (image_id, split, path, turned). annotations: of the annotations table image_id, category,
    tokens, x, y, w, h. by: whether the class is the "category", or the "shape" among the tokens (scenes). smallest:
    px, shorter side of a box below which an object is left out. min_count: training objects below which a class is.

    An object is cut out with the smallest square around its box, as far as the image goes. Raises SamplesError
    where no two classes are left, ImageError for images that cannot be read.
    """
    if by not in BY:
        raise SamplesError(f"by is {by!r}, should be one of {', '.join(BY)}")
    table = annotations.merge(images[["image_id", "split", "path", "turned"]], on="image_id", validate="many_to_one")
    table = table[table[["w", "h"]].min(axis=1) >= smallest]
    table = table.assign(named=[_class_of(row, by) for row in table.itertuples()], split=table["split"].map(_SPLIT_OF))
    counts = table.loc[table["split"] == TRAIN, "named"].value_counts()
    classes = sorted(counts.index[counts >= min_count])
    if len(classes) < 2:
        raise SamplesError(
            f"{len(classes)} classes have at least {min_count} training objects of {smallest:g} px or more; "
            f"two are needed: lower `min_count` or `smallest`"
        )
    table = table[table["named"].isin(classes)].reset_index(drop=True)
    job.LOGGER.info("%d of %d objects, %d classes", len(table), len(annotations), len(classes))
    values = np.empty((len(table), 3, size, size), np.uint8)
    pictures = table.groupby("path", sort=False)
    for path, objects in job.progress(pictures, pictures.ngroups, "cutting out objects"):
        picture = read_image(Path(folder, path), bool(objects["turned"].iloc[0]))
        for row in objects.itertuples():
            values[row.Index] = _cut(picture, (row.x, row.y, row.w, row.h), size)
    labels = np.array([classes.index(name) for name in table["named"]], np.int64)
    parts = {
        split: (values[own], labels[own])
        for split in (TRAIN, TEST)
        if (own := (table["split"] == split).to_numpy()).any()
    }
    boxes = table[["x", "y", "w", "h"]].to_numpy()
    origins = [
        f"{path} [{', '.join(f'{each:g}' for each in box)}]" for path, box in zip(table["path"], boxes, strict=True)
    ]
    split = table["split"].to_numpy()
    return joined(parts, classes, {name: np.array(origins, object)[split == name] for name in parts})


def _class_of(row, by: str) -> str:
    if by == "category":
        return row.category
    shapes = [token for token in row.tokens if token in SHAPES]
    if len(shapes) != 1:
        raise SamplesError(f"an object of image {row.image_id} has tokens {list(row.tokens)}: no shape of scenes")
    return shapes[0]


def _cut(picture: torch.Tensor, box: tuple[float, ...], size: int) -> np.ndarray:
    """uint8 [3, size, size] from a picture [3, H, W] and a box x, y, w, h in px."""
    x, y, w, h = box
    side = max(w, h, 1.0)
    left, top = x + w / 2 - side / 2, y + h / 2 - side / 2
    columns = _extent(left, side, picture.shape[2])
    rows = _extent(top, side, picture.shape[1])
    return resized_picture(picture[:, slice(*rows), slice(*columns)], (size, size)).numpy()


def _extent(start: float, side: float, length: int) -> tuple[int, int]:
    """First and last pixel, that one excluded, of a side inside the picture."""
    first = min(max(int(np.floor(start)), 0), length - 1)
    return first, min(max(int(np.ceil(start + side)), first + 1), length)
