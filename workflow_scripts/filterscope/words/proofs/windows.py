"""Windows: the squares of photographs in which objects are shown to a network, out of the photographs' own pixels.

The view that a network is given otherwise is the centre of a photograph, made smaller: most objects are cut by its
edge, or a few pixels large in it. A window lies around its object as centrally as the photograph allows, so that the
object is whole, and a small one is shown larger. It is never made larger than it was taken, except where the photograph
itself is smaller than the network's input, as in the ordinary view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pycocotools import mask as coco_mask
from torch.utils.data import Dataset

from filterscope.activations.streaming import Batch, Files, Look
from filterscope.data.geometry import Geometry
from filterscope.data.images import ImageError
from filterscope.words.explaining.targets import multi_hot
from filterscope.words.proofs.composing import LONGEST, Cutout

# Longest side of an object's box, share of its window's side: on both axes there is as much beside it as there is of
# it, from which a hole can be filled. A large object takes more, as the photograph ends; a small one less, as its
# window is never smaller than the network's input.
SHOWN = 0.5
# Reasons for which an object is not used.
TINY, BORDER, LONG = "tiny", "touches the border", "too long for a square of the photograph"


def outlines(runs: list[bytes], sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (top, left, height, width; int [n, 4], px) and areas ([n], px^2) of masks.

    runs: COCO compressed run lengths. sizes: height and width of every mask's photograph, px, [n, 2].
    """
    masks = [{"size": size, "counts": run} for size, run in zip(sizes.tolist(), runs, strict=True)]
    boxes = coco_mask.toBbox(masks).reshape(-1, 4)[:, [1, 0, 3, 2]] if masks else np.zeros((0, 4))
    return boxes.astype(np.int64), np.array([int(coco_mask.area(mask)) for mask in masks], np.int64)


def windows(boxes: np.ndarray, sizes: np.ndarray, crop: int) -> np.ndarray:
    """Windows (top, left, side; int [n, 3], px) of objects.

    boxes: as `outlines` gives them. sizes: height and width of the photographs, [n, 2]. crop: side of the network's
    input, px. An object that is longer than its photograph's shorter side is not whole in its window.
    """
    wanted = np.ceil(boxes[:, 2:].max(1, initial=0) / SHOWN).astype(np.int64)
    sides = np.minimum(np.maximum(wanted, crop), sizes.min(1, initial=np.iinfo(np.int64).max))
    corners = (2 * boxes[:, :2] + boxes[:, 2:] - sides[:, None]) // 2
    return np.column_stack([np.clip(corners, 0, sizes - sides[:, None]), sides])


def framed(
    annotations: pa.Table, images: pd.DataFrame, crop: int, smallest: float, tokens: list[str] | None = None
) -> pd.DataFrame:
    """Objects with their windows and what is seen of them there.

    annotations: of these images; images: of the images table. crop: side of the network's input, px. smallest: share
    of the window below which an object is tiny.

    Returns the columns annotation_id, image_id, category and mask of the annotations, and top, left and side of the
    window (px), share (of it that the object covers), long (longest side of its box, share of the window's) and
    unusable: why it cannot be used, or "". What touches the photograph's border mostly goes on beyond it: laid
    elsewhere it would end in a straight edge. With `tokens` also a column of that name: which of them each object has,
    an array of indices.
    """
    objects = annotations.select(["annotation_id", "image_id", "category", "mask"]).to_pandas()
    sizes = images.set_index("image_id").loc[objects["image_id"], ["height", "width"]].to_numpy()
    boxes, areas = outlines(objects["mask"].tolist(), sizes)
    places = windows(boxes, sizes, crop)
    long, share = boxes[:, 2:].max(1, initial=0) / places[:, 2], areas / places[:, 2] ** 2
    reasons = {
        BORDER: ((boxes[:, :2] <= 0) | (boxes[:, :2] + boxes[:, 2:] >= sizes)).any(1),
        LONG: long > LONGEST,
        TINY: share < smallest,
    }
    unusable = np.select(list(reasons.values()), list(reasons), "")
    top, left, side = places.T
    objects = objects.assign(top=top, left=left, side=side, share=share, long=long, unusable=unusable)
    if tokens is not None:
        objects["tokens"] = [np.flatnonzero(own) for own in multi_hot(annotations["tokens"], tokens)]
    return objects


class Windows(Dataset):
    """Objects in their windows, as a network takes them: each with the mask of itself alone.

    images: of the images table. objects: as `framed` gives them. crop: side of the network's input, px.
    """

    decoded = masked = True  # both are wanted, see PictureDataset

    def __init__(self, folder: str | Path, images: pd.DataFrame, objects: pd.DataFrame, crop: int):
        self.files = Files(folder, images.set_index("image_id", drop=False).loc[objects["image_id"]])
        self.masks, self.places = objects["mask"].tolist(), objects[["top", "left", "side"]].to_numpy()
        self.geometry = Geometry(crop, crop)

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, index: int) -> Look:
        image_id, position = int(self.files.image_ids[index]), np.array([index])
        try:
            picture = self.files.read(index)
        except ImageError as error:
            return Look(image_id, torch.zeros(0), position, {}, str(error))
        top, left, side = self.places[index].tolist()
        rows, columns = slice(top, top + side), slice(left, left + side)
        mask = coco_mask.decode({"size": list(picture.shape[1:]), "counts": self.masks[index]})
        mask = self._sampled(mask[rows, columns])
        view = self.geometry.picture(picture[:, rows, columns])
        return Look(image_id, view, position, {("sampled", mask.shape): mask[None]})

    def _sampled(self, mask: np.ndarray) -> np.ndarray:
        """The mask where the network's pixels have their centres; one that falls between them, where its own lie."""
        sampled = self.geometry.mask(mask).astype(bool)
        if not sampled.any():
            rows, columns = np.nonzero(mask)
            sampled[rows * len(sampled) // len(mask), columns * len(sampled) // len(mask)] = True
        return sampled


def views(batches: Iterable[Batch]) -> dict[int, torch.Tensor]:
    """Pictures as the network is given them, uint8 [3, crop, crop], by image id."""
    return {look.image_id: look.picture for batch in batches for look in batch.looks}


def cutouts(batches: Iterable[Batch]) -> Iterator[Cutout]:
    """Objects out of the batches that are streamed from `Windows`."""
    for look in (look for batch in batches for look in batch.looks):
        (mask,) = look.masks["sampled", tuple(look.picture.shape[1:])]
        yield Cutout(look.image_id, look.picture, mask)
