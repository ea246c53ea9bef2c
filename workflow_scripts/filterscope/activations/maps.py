"""Maps that the extraction keeps, so that later jobs neither decode the photographs nor run the network again.

A map is kept as it is, float32, so whoever reads it computes what a further look would. Cells that are zero, most of
them behind a ReLU, take one bit.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from filterscope import tables

# Share of cells that are not zero above which a picture's maps are kept whole: a bit for each cell would cost more.
DENSE = 31 / 32
BYTES = 4  # of a cell
LARGEST = 1 << 30  # bytes of maps that are written at a time: Arrow counts those of a column in 32 bits


def kept_images(images: pd.DataFrame, split: str, cells: int, most: float) -> set[int]:
    """Ids of the images whose maps are kept: all of them, or those of the split that is scored, or none.

    images: the whole dataset's, not a shard's. split: val, train or all. cells: of an image's maps. most: gigabytes
    that the maps of the dataset may take, zeros counted like any other value.
    """
    scored = images[(images["split"] == split) | (split == "all")]
    for chosen in (images, scored):
        if len(chosen) * cells * BYTES <= most * 1e9:
            return set(chosen["image_id"].tolist())
    return set()


class MapsWriter:
    """Writes the maps of some images of one layer; the file appears when all is well."""

    def __init__(self, path: str | Path, layer: str, shape: tuple[int, int, int]):
        """shape: filters, height and width of a picture's maps."""
        names = ("filters", "height", "width")
        self._metadata = {"layer": layer, **{name: str(size) for name, size in zip(names, shape, strict=True)}}
        self._writer = tables.Writer("maps", path, plain=True)  # zeros are out, the rest hardly shrinks

    def __enter__(self) -> MapsWriter:
        self._writer.__enter__()
        return self

    def __exit__(self, kind, value, trace) -> None:
        if kind is None:
            nothing = pa.array([], pa.binary())  # a shard of which nothing is kept has a table all the same
            self._add(np.zeros(0, np.int64), nothing, nothing)
        self._writer.__exit__(kind, value, trace)

    def add(self, image_ids: np.ndarray, maps: torch.Tensor) -> None:
        """Take in the maps of some images, float32 [B, d, h, w]."""
        flat = maps.flatten(1).cpu().numpy()
        some = max(1, LARGEST // max(1, flat[:1].nbytes))
        for start in range(0, len(flat), some):
            part = flat[start : start + some]
            filled = part.view(np.int32) != 0  # by its bits: a negative zero stays one
            dense = np.count_nonzero(filled, axis=1) > DENSE * part.shape[1]
            cells = np.packbits(filled[~dense], axis=1)
            filled[dense] = True
            lengths = np.where(dense, 0, cells.shape[1])
            counts = np.count_nonzero(filled, axis=1) * BYTES
            self._add(image_ids[start : start + some], _binary(cells, lengths), _binary(part[filled], counts))

    def _add(self, image_ids: np.ndarray, cells: pa.Array, values: pa.Array) -> None:
        columns = {"image_id": image_ids, "cells": cells, "values": values}
        self._writer.add(pa.table(columns).replace_schema_metadata(self._metadata))


def _binary(values: np.ndarray, lengths: np.ndarray) -> pa.Array:
    """One after the other, pieces of so many bytes of the values' memory, which is not copied."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.binary(), len(lengths), buffers)


class KeptMaps(ABC):
    """Maps of a layer that somebody has kept, by image. Stands where a Reader of the layer would."""

    layer: str
    filters: int
    height: int
    width: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the files."""

    @abstractmethod
    def hold(self, image_ids: Iterable[int]) -> bool:
        """Whether the maps of all these images are kept."""

    @abstractmethod
    def of(self, image_ids: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
        """Their maps, float32 [B, d, h, w]. Images in the order in which they were kept are read fastest."""


class StoredMaps(KeptMaps):
    """The maps that the extraction kept of one layer, in tables."""

    def __init__(self, paths: Iterable[str | Path]):
        """paths: the `maps` tables of all shards, at least one. Raises TableError where one is of another layer."""
        self._files = [tables.opened(path, "maps") for path in paths]
        told = {
            tuple(file.schema_arrow.metadata[key] for key in (b"layer", b"filters", b"height", b"width"))
            for file in self._files
        }
        layer, *sizes = told.pop()
        self.layer, (self.filters, self.height, self.width) = layer.decode(), map(int, sizes)
        if told:
            raise tables.TableError(f"maps of layer {self.layer}: the shards are of different layers or sizes")
        self._places: dict[int, tuple[int, int, int]] = {}
        for number, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["image_id"])["image_id"].to_pylist()
                self._places |= {image_id: (number, group, row) for row, image_id in enumerate(ids)}
        self._open: tuple[tuple[int, int], pa.Table] | None = None  # the row group that was read last

    def close(self) -> None:
        for file in self._files:
            file.close()

    def hold(self, image_ids: Iterable[int]) -> bool:
        return all(image_id in self._places for image_id in image_ids)

    def of(self, image_ids: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
        maps = np.zeros((len(image_ids), self.filters * self.height * self.width), np.float32)
        for own, image_id in zip(maps, image_ids, strict=True):
            number, group, row = self._places[image_id]
            if self._open is None or self._open[0] != (number, group):
                self._open = (number, group), self._files[number].read_row_group(group)
            cells, values = (self._open[1][name][row].as_buffer() for name in ("cells", "values"))
            filled = np.frombuffer(values, np.float32)
            if cells.size:
                own[np.unpackbits(np.frombuffer(cells, np.uint8), count=len(own)).view(bool)] = filled
            else:
                own[:] = filled
        return torch.from_numpy(maps).view(-1, self.filters, self.height, self.width).to(device)


class HeldMaps(KeptMaps):
    """Maps that a job keeps for itself while it works: whole, in a plain file.

    Whoever reads a map four times pays more for taking its zeros out and putting them back than they take of a disk for
    minutes. The file is read and not mapped into memory, where it would count as the job's.
    """

    def __init__(self, path: str | Path, layer: str, shape: tuple[int, int, int]):
        """path: of a file that is made. shape: filters, height and width of a picture's maps."""
        self.layer, (self.filters, self.height, self.width) = layer, shape
        self._places: dict[int, int] = {}
        self._file = open(path, "w+b", buffering=0)  # noqa: SIM115 (closed by `close`)

    def close(self) -> None:
        self._file.close()

    def hold(self, image_ids: Iterable[int]) -> bool:
        return all(image_id in self._places for image_id in image_ids)

    def add(self, image_ids: np.ndarray, maps: torch.Tensor) -> None:
        """Take in the maps of some images, float32 [B, d, h, w]."""
        self._file.seek(0, os.SEEK_END)
        for image_id, own in zip(image_ids.tolist(), maps.cpu().numpy(), strict=True):
            left = memoryview(np.ascontiguousarray(own)).cast("B")
            while left:
                left = left[self._file.write(left) :]
            self._places[image_id] = len(self._places)

    def of(self, image_ids: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
        maps = np.empty((len(image_ids), self.filters, self.height, self.width), np.float32)
        for own, image_id in zip(maps, image_ids, strict=True):
            self._file.seek(self._places[image_id] * own.nbytes)
            left = memoryview(own).cast("B")
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise OSError(f"{self._file.name}: the maps of image {image_id} in layer {self.layer} are cut off")
                left = left[count:]
        return torch.from_numpy(maps).to(device)


def stored_maps(paths: Sequence[str | Path], image_ids: Iterable[int]) -> StoredMaps | None:
    """The kept maps of all these images; None where those of some must be looked at again."""
    if not paths:
        return None
    kept = StoredMaps(paths)
    if kept.hold(image_ids):
        return kept
    kept.close()
    return None
