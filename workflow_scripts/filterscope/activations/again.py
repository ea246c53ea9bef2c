"""What a probe answered to images that the extraction has seen: read from what was kept, or looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from filterscope import job
from filterscope.activations.maps import StoredMaps, stored_maps
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import MaskGrid, PictureDataset
from filterscope.data.networks.layers import Reader


@contextmanager
def reading_again(
    probe: ProbeSettings,
    paths_to_maps: Sequence[str | Path],
    image_ids: Iterable[int],
    load: Callable[[], nn.Module],
    device: torch.device,
) -> Iterator[Reader | StoredMaps]:
    """Maps of these images: those that were kept, if all were, else the probe's layer of the network.

    load: gives the network with its weights; called where it is needed.
    """
    kept = stored_maps(paths_to_maps, image_ids)
    if kept is None:
        job.LOGGER.info("looking at the pictures again: their maps were not kept (activations.kept)")
    with reading(probe, load(), device) if kept is None else nullcontext(kept) as reader:
        try:
            yield reader
        finally:
            if kept is not None:
                kept.close()


def pictures_again(
    reader: Reader | StoredMaps,
    folder: str | Path,
    images: pd.DataFrame,
    annotations: pa.Table | None,
    probe: ProbeSettings,
    grids: MaskGrid = MaskGrid(),
    shown: bool = False,
) -> PictureDataset:
    """Pictures for a reader, which are not decoded where it needs none; shown: whether they are wanted in any case."""
    decoded = shown or not isinstance(reader, StoredMaps)
    return open_pictures(folder, images, annotations, probe.inputs, grids, decoded=decoded)
