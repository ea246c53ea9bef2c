"""Photographs of a dataset, one by one, as a network is shown them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope.data.geometry import Geometry
from filterscope.data.images import read_pixels
from filterscope.data.networks.settings import InputSettings
from filterscope.job import LOGGER

NAMED = 3  # images that a warning names


@dataclass(frozen=True)
class Photographs:
    """paths: of the images, by image_id, below the folder; turned: those that are turned as their camera says."""

    folder: str | Path
    paths: Mapping[int, str]
    geometry: Geometry
    turned: frozenset[int]

    @classmethod
    def of(cls, folder: str | Path, images: pd.DataFrame, inputs: InputSettings) -> Photographs:
        """Of the `images` of a dataset."""
        paths = dict(zip(images["image_id"].tolist(), images["path"], strict=True))
        turned = frozenset(images["image_id"][images["turned"]].tolist())
        return cls(folder, paths, Geometry(inputs.resize, inputs.crop), turned)

    def view(self, image_id: int) -> np.ndarray:
        """The network's view of a photograph, uint8 [S, S, 3]."""
        photograph = read_pixels(f"{self.folder}/{self.paths[image_id]}", image_id in self.turned)
        return self.geometry.picture(photograph).transpose(1, 2, 0)


@dataclass(frozen=True)
class Beside(Sequence):
    """Photographs that go with each of several pictures, uint8 [m, 3, S, S] each, read when they are asked for.

    chosen: their image_ids, picture by picture.
    """

    photographs: Photographs
    chosen: Sequence[Sequence[int]]

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, which):
        if isinstance(which, slice):
            return Beside(self.photographs, self.chosen[which])
        import torch  # takes seconds to load, and who only draws needs none

        shown = np.stack([self.photographs.view(int(each)) for each in self.chosen[which]])
        return torch.from_numpy(shown).permute(0, 3, 1, 2)


def mean_image(pictures: np.ndarray) -> np.ndarray:
    """Pixel mean of pictures [m, ...], float64."""
    return np.mean(np.asarray(pictures), axis=0, dtype=np.float64)


def warn_of_small(images: pd.DataFrame, inputs: InputSettings) -> None:
    """Log which of the `images` are smaller than the network's input: enlarged, they are blurred to it."""
    small = images[images[["width", "height"]].min(axis=1) < inputs.crop]
    if len(small):
        named = [f"{row.path} ({row.width} x {row.height} px)" for row in small.head(NAMED).itertuples()]
        LOGGER.warning(
            "%d of %d images are smaller than the network's input of %d x %d px and are enlarged, which blurs them: %s",
            *(len(small), len(images), inputs.crop, inputs.crop),
            ", ".join(named) + (", ..." if len(small) > NAMED else ""),
        )
