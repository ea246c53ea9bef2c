"""Pictures and masks of a dataset, decoded in worker processes and handed on batch by batch.

Memory does not grow with the dataset: one batch of pictures and its masks at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch
from pycocotools import mask as coco_mask
from torch.utils.data import DataLoader, Dataset

from filterscope import job
from filterscope.data.geometry import Geometry
from filterscope.data.images import ImageError, load_decoder, read_image

# Pixels of a picture up to which it is read sooner than handed over: a process that reads it costs some hundred
# milliseconds to begin, and what it has read is copied twice.
SMALL = 2**15


@dataclass(frozen=True)
class MaskGrid:
    """At which grids masks are wanted: `sampled` at cell centres, `covered` as shares of cells; (rows, columns).

    transposed: the reference's defect that a box's mask is allocated as (width, height), but filled as [y, x].
    """

    sampled: tuple[tuple[int, int], ...] = ()
    covered: tuple[tuple[int, int], ...] = ()
    transposed: bool = False


@dataclass
class Look:
    """One picture as the network sees it, and the masks of its objects."""

    image_id: int
    picture: torch.Tensor  # uint8 [3, crop, crop]
    annotations: np.ndarray  # positions in the annotation table, [k]
    masks: dict[tuple, np.ndarray]  # ("sampled", size) -> bool [k, rows, columns]; ("covered", size) -> float32
    error: str | None = None


@dataclass
class Batch:
    """Pictures that go through the network together."""

    looks: list[Look]

    @property
    def image_ids(self) -> np.ndarray:
        return np.array([look.image_id for look in self.looks], np.int64)

    def pictures(self, device: torch.device) -> torch.Tensor:
        """uint8 [B, 3, crop, crop] on the device."""
        return torch.stack([look.picture for look in self.looks]).to(device, non_blocking=True)


class Annotations:
    """The annotations of some images, ordered by image, so that an image's objects are a slice."""

    def __init__(self, table: pa.Table | None, image_ids: np.ndarray):
        self.table = None
        if table is not None:
            here = table.filter(pc.is_in(table["image_id"], value_set=pa.array(image_ids)))
            self.table = here.sort_by([("image_id", "ascending"), ("annotation_id", "ascending")])
            keys = self.table["image_id"].to_numpy()
            self._first = dict(zip(image_ids.tolist(), np.searchsorted(keys, image_ids, "left").tolist(), strict=True))
            self._last = dict(zip(image_ids.tolist(), np.searchsorted(keys, image_ids, "right").tolist(), strict=True))

    def of(self, image_id: int) -> tuple[np.ndarray, list[bytes]]:
        """Positions in the table and run lengths of an image's objects."""
        if self.table is None:
            return np.zeros(0, np.int64), []
        first, last = self._first[image_id], self._last[image_id]
        return np.arange(first, last), self.table["mask"].slice(first, last - first).to_pylist()


class Files:
    """The files of some images of a dataset, by position, read the way the images table says."""

    def __init__(self, folder: str | Path, images: pd.DataFrame):
        self.folder = Path(folder)
        self.image_ids = images["image_id"].to_numpy()
        self.paths = images["path"].tolist()
        self.sizes = images[["height", "width"]].to_numpy()
        self.turned = images["turned"].to_numpy()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def small(self) -> bool:
        """Whether reading one of them is a matter of a millisecond at most."""
        return bool(len(self.sizes)) and self.sizes.prod(axis=1).mean() <= SMALL

    def read(self, index: int) -> torch.Tensor:
        """uint8 [3, height, width]. Raises ImageError, also for a size that is not the table's."""
        picture = read_image(self.folder / self.paths[index], bool(self.turned[index]))
        found, told = tuple(picture.shape[1:]), tuple(self.sizes[index].tolist())
        if found != told:
            cause = f"is {found[1]} x {found[0]} px, the images table says {told[1]} x {told[0]} px"
            raise ImageError(self.paths[index], cause)
        return picture


class PictureDataset(Dataset):
    """Images of a dataset with their masks, by position.

    random_crops: seed of the switch `random_crops`: pictures cropped and flipped at random while masks stay.
    decoded: whether pictures are wanted; without, only masks are, and nothing of a picture's file is read.
    """

    def __init__(
        self,
        folder: str | Path,
        images: pd.DataFrame,
        annotations: Annotations,
        geometry: Geometry,
        grids: MaskGrid,
        random_crops: int | None = None,
        decoded: bool = True,
    ):
        self.files, self.splits = Files(folder, images), images["split"].to_numpy()
        self.annotations, self.geometry, self.grids = annotations, geometry, grids
        self.random_crops, self.decoded = random_crops, decoded

    def __len__(self) -> int:
        return len(self.files)

    @property
    def masked(self) -> bool:
        """Whether masks are wanted and there."""
        return self.annotations.table is not None and bool(self.grids.sampled or self.grids.covered)

    def __getitem__(self, index: int) -> Look:
        image_id = int(self.files.image_ids[index])
        positions, runs = self.annotations.of(image_id)
        if not self.decoded:
            return Look(image_id, torch.zeros(0), positions, self._masks(runs, self.files.sizes[index]))
        try:
            picture = self.files.read(index)
        except ImageError as error:
            return Look(image_id, torch.zeros(0), positions, {}, str(error))
        return Look(image_id, self._view(picture, index), positions, self._masks(runs, self.files.sizes[index]))

    def _view(self, picture: torch.Tensor, index: int) -> torch.Tensor:
        if self.random_crops is None or self.splits[index] != "train":
            return self.geometry.picture(picture)
        chance = np.random.default_rng([self.random_crops, int(self.files.image_ids[index])])
        view = self.geometry.picture(picture, tuple(chance.random(2)))
        return view.flip(2) if chance.random() < 0.5 else view

    def _masks(self, runs: list[bytes], size: np.ndarray) -> dict[tuple, np.ndarray]:
        height, width = (int(each) for each in size)
        if runs:
            stacked = coco_mask.decode([{"size": [height, width], "counts": run} for run in runs])
        else:
            stacked = np.zeros((height, width, 0), np.uint8)
        if self.grids.transposed:
            side = min(height, width)
            wrong = np.zeros((width, height, stacked.shape[2]), np.uint8)
            wrong[:side, :side] = stacked[:side, :side]
            stacked = wrong
        masks = {}
        for grid in self.grids.sampled:
            masks["sampled", grid] = self.geometry.mask(stacked, grid).transpose(2, 0, 1).astype(bool)
        for grid in self.grids.covered:
            masks["covered", grid] = np.ascontiguousarray(self.geometry.coverage(stacked, grid).transpose(2, 0, 1))
        return masks


def stream(pictures: PictureDataset, batch_size: int, workers: int, reject) -> Iterator[Batch]:
    """Batches of readable pictures in the order of the table.

    reject: called as reject(image_id, reason) for a picture that cannot be read; it decides whether to go on.
    """
    if pictures.decoded:
        load_decoder(pictures.files.paths)
    if len(pictures) <= batch_size or not (pictures.decoded or pictures.masked):
        workers = 0  # there is nothing to share out
    if workers == 1 and (not pictures.decoded or pictures.files.small):
        workers = 0  # masks alone, or small pictures, take one process less than to be handed over by another
    loader = DataLoader(
        pictures,
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=_together,
        prefetch_factor=2 if workers else None,
        worker_init_fn=decode_alone,
    )
    for looks, pictures in loader:
        for look in looks:
            if look.error:
                reject(look.image_id, look.error)
        readable = [look for look in looks if not look.error]
        for look, picture in zip(readable, pictures, strict=True):
            look.picture = picture
        if readable:
            yield Batch(readable)


def _together(looks: list[Look]) -> tuple[list[Look], torch.Tensor]:
    """Readable pictures as one tensor: a tensor that crosses processes costs a file descriptor."""
    readable = [look.picture for look in looks if not look.error]
    pictures = torch.stack(readable) if readable else torch.zeros(0)
    return [replace(look, picture=torch.zeros(0)) for look in looks], pictures


def decode_alone(_worker: int) -> None:
    """A decoding process has one thread, and ends with the job."""
    job.end_with_parent()
    torch.set_num_threads(1)


def shard(images: pd.DataFrame, scatteritem: str, batch_size: int = 1) -> pd.DataFrame:
    """The images of one shard, named as Snakemake's scattergather does: '2-of-8'. Contiguous, in table order.

    As far as there are enough of them a shard has whole batches: of another size some layers round otherwise. Raises
    ValueError where there are more shards than images.
    """
    _, total = _place(scatteritem)
    if total > len(images):
        raise ValueError(f"shards is {total}, more than the {len(images)} images; lower it")
    return whole_batches(images, scatteritem, batch_size if -(-len(images) // batch_size) >= total else 1)


def whole_batches(images: pd.DataFrame, scatteritem: str, batch_size: int) -> pd.DataFrame:
    """The images of one shard of some of the dataset's, the batches as they were without shards; there may be none."""
    number, total = _place(scatteritem)
    batches = np.array_split(np.arange(-(-len(images) // batch_size)), total)[number - 1]
    if not len(batches):
        return images.iloc[:0]
    return images.iloc[batches[0] * batch_size : (batches[-1] + 1) * batch_size]


def _place(scatteritem: str) -> tuple[int, int]:
    number, _, total = scatteritem.partition("-of-")
    if not total or not 1 <= int(number) <= int(total):
        raise ValueError(f"shard {scatteritem!r} should look like 2-of-8")
    return int(number), int(total)
