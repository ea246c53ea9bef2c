"""What a shard of the images becomes in each layer of a network: the tables that all later jobs start from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from filterscope import job, tables
from filterscope.activations.extraction import ActivationError, ExtractionSettings, extracted, refuse_not_finite
from filterscope.activations.maps import MapsWriter
from filterscope.activations.streaming import Batch
from filterscope.activations.tails import Tail, deciding
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader, Readers
from filterscope.data.networks.settings import InputSettings
from filterscope.data.rejection import Rejections

NAMES = {
    "pooled": "pooled_activations",
    "images": "image_activations",
    "tails": "tails",
    "rejected": "rejected",
    "maps": "maps",
}


@dataclass(frozen=True)
class ShardPaths:
    """The tables of one layer's shard; maps is None where none are kept."""

    pooled: str | Path
    images: str | Path
    tails: str | Path
    rejected: str | Path
    maps: str | Path | None = None

    def stopped(self, reason: str) -> None:
        """Leave the reason in the place of all of them."""
        for kind, name in NAMES.items():
            if getattr(self, kind) is not None:
                tables.write_stopped(name, getattr(self, kind), reason)


class LayerShard:
    """Writes one layer's tables, batch by batch; they appear when all is well."""

    def __init__(
        self,
        reader: Reader,
        paths: ShardPaths,
        settings: ExtractionSettings,
        splits: pd.Series,
        annotations: pa.Table | None,
        device: torch.device,
        kept: Collection[int] = (),
    ):
        """splits: of all images of the dataset, by id. annotations: the shard's, as `Annotations` orders them.
        kept: ids of the images whose maps are kept.
        """
        self.layer, self.size = reader.layer, (reader.height, reader.width)
        self.paths, self.settings, self.splits, self.annotations = paths, settings, splits, annotations
        self._kept = kept
        self._chosen = pd.Series(deciding(splits), splits.index)
        cells = int(self._chosen.sum()) * reader.height * reader.width
        self._tail = Tail(reader.filters, settings.quantile, cells, device)
        self._vanished = Rejections(1.0)  # masks that cover nothing at map resolution are counted, never too many
        self._pooled = tables.Writer(NAMES["pooled"], paths.pooled)
        self._whole = tables.Writer(NAMES["images"], paths.images)
        shape = (reader.filters, *self.size)
        self._maps = MapsWriter(paths.maps, reader.layer, shape) if paths.maps is not None else None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> LayerShard:
        for writer in filter(None, (self._pooled, self._whole, self._maps)):
            self._stack.enter_context(writer)
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def add(self, batch: Batch, maps: torch.Tensor) -> None:
        """Take in a batch and its maps, float32 [B, d, h, w]. Raises ActivationError for what is not finite."""
        refuse_not_finite(maps, batch, self.layer)
        seen = extracted(batch, maps, self.settings)
        self._tail.add(maps, self._chosen.loc[seen.image_ids].to_numpy())
        self._whole.add(seen.image_rows(self.splits))
        if self.annotations is not None:
            self._pooled.add(seen.object_rows(self.annotations, self.splits))
            for number in seen.vanished(self.annotations, self.settings):
                self._vanished.add("mask", number, f"covers nothing at {self.size[0]} x {self.size[1]} cells")
        if self._maps is not None:
            own = np.array([image_id in self._kept for image_id in seen.image_ids.tolist()])
            self._maps.add(seen.image_ids[own], maps if own.all() else maps[torch.from_numpy(own)])

    def finish(self, unreadable: Rejections) -> None:
        """Write what is known only at the end; unreadable: the images that were left out."""
        if self.annotations is None:
            self._pooled.add(tables.empty(NAMES["pooled"], vector=1))
        kept = self._tail.table()
        tables.write(kept | {"values": tables.vectors(kept["values"])}, "tails", self.paths.tails)
        tables.write(unreadable.with_others(self._vanished), "rejected", self.paths.rejected)
        job.LOGGER.info("%s: %d masks left out", self.layer, len(self._vanished))


def read_shard(
    batches: Iterable[Batch],
    readers: Readers,
    shards: Sequence[LayerShard],
    inputs: InputSettings,
    device: torch.device,
    finish: Callable[[], Rejections],
) -> None:
    """Look at every image once, and fill the shards of all layers.

    A layer that is not finite stops, and its tables say so, as long as another goes on; the last one's error is raised.
    finish: called when all images were seen; gives those that were left out.
    """
    stopped: dict[int, str] = {}
    with contextlib.ExitStack() as stack:
        going = [stack.enter_context(contextlib.ExitStack()) for _ in shards]
        for each, own in zip(shards, going, strict=True):
            own.enter_context(each)
        for batch in batches:
            with torch.inference_mode():
                maps = readers(normalise(batch.pictures(device), inputs))
            for place, each in enumerate(shards):
                if place in stopped:
                    continue
                try:
                    each.add(batch, maps[place])
                except ActivationError as error:
                    if len(stopped) == len(shards) - 1:
                        raise
                    job.LOGGER.error("%s; the other layers go on", error)
                    going[place].__exit__(type(error), error, None)  # nothing appears of what it wrote
                    stopped[place] = str(error)
        unreadable = finish()
        for place, each in enumerate(shards):
            if place not in stopped:
                each.finish(unreadable)
    for place, reason in stopped.items():
        shards[place].paths.stopped(reason)
