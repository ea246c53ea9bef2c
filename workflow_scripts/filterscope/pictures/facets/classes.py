"""Which images of a dataset belong to a class: by folder, by the main object's shape, or by its category."""

from __future__ import annotations

import difflib

import pandas as pd

from filterscope.data.networks.embedded_training import main_shapes
from filterscope.data.scenes.words import SHAPES

FOLDER, SHAPE, CATEGORY = "folder", "shape", "category"
NO_CLASS = "there is none: a class is a folder of pictures, or what the largest object of annotated ones is"


def class_of_images(images: pd.DataFrame, annotations: pd.DataFrame | None, by: str) -> pd.Series:
    """The class of every image that has one, by image_id.

    by: "folder", the first folder of its path; "shape", that of its largest object (generated scenes); "category",
    that of its largest object.
    """
    if by == FOLDER:
        inside = images[images["path"].str.contains("/")]
        return inside.set_index("image_id")["path"].str.split("/").str[0]
    if by == SHAPE:
        return main_shapes(annotations).map(lambda number: SHAPES[number])
    if by != CATEGORY:
        raise ValueError(f"classes by {by!r}: should be one of {FOLDER}, {SHAPE}, {CATEGORY}")
    largest = annotations.sort_values(["area", "image_id"], kind="stable").groupby("image_id").tail(1)
    return largest.set_index("image_id")["category"].sort_index()


def images_of_class(images: pd.DataFrame, classes: pd.Series, name: str) -> pd.DataFrame:
    """The images of one class. Raises ValueError where it has none, with the classes that there are."""
    own = images[images["image_id"].map(classes) == name]
    if own.empty:
        known = sorted(set(classes))
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:8]
        hint = f"there are, for example, {', '.join(near)}" if near else NO_CLASS
        raise ValueError(f"class {name!r} has no image in the dataset; {hint}")
    return own.reset_index(drop=True)
