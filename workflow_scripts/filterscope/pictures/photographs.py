"""Photographs of a dataset, one by one, as a network is shown them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import InputSettings


@dataclass(frozen=True)
class Photographs:
    """paths: of the images, by image_id, below the folder; apply_exif: turn them as their camera says."""

    folder: str | Path
    paths: Mapping[int, str]
    geometry: Geometry
    apply_exif: bool

    @classmethod
    def of(cls, folder: str | Path, images: pd.DataFrame, inputs: InputSettings, annotated: bool) -> Photographs:
        """Of the `images` of a dataset. annotated: masks lie on the files' pixels, which are not turned."""
        paths = dict(zip(images["image_id"].tolist(), images["path"], strict=True))
        return cls(folder, paths, Geometry(inputs.resize, inputs.crop), not annotated)

    def view(self, image_id: int) -> np.ndarray:
        """The network's view of a photograph, uint8 [S, S, 3]."""
        photograph = read_image(f"{self.folder}/{self.paths[image_id]}", apply_exif=self.apply_exif)
        return self.geometry.picture(photograph).permute(1, 2, 0).numpy()
