"""What a probe answered to images that the extraction has seen: read from what was kept, or looked at again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from filterscope import job
from filterscope.activations.extraction import ActivationError, ExtractionSettings, refuse_not_finite
from filterscope.activations.maps import BYTES, HeldMaps, KeptMaps, stored_maps
from filterscope.activations.probing import ProbeSettings, look, open_pictures, reading, together
from filterscope.activations.streaming import Batch, MaskGrid, PictureDataset
from filterscope.data.networks import building
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader, Readers


@contextmanager
def reading_again(
    probe: ProbeSettings,
    paths_to_maps: Sequence[str | Path],
    image_ids: Iterable[int],
    load: Callable[[], nn.Module],
    device: torch.device,
) -> Iterator[Reader | KeptMaps]:
    """Maps of these images: those that were kept, if all were, else the probe's layer of the network.

    load: gives the network with its weights; called where it is needed.
    """
    kept = stored_maps(paths_to_maps, image_ids)
    if kept is None and paths_to_maps:
        job.LOGGER.info("looking at the pictures again: their maps were not kept (activations.kept)")
    with reading(probe, load(), device) if kept is None else nullcontext(kept) as reader:
        try:
            yield reader
        finally:
            if kept is not None:
                kept.close()


@contextmanager
def maps_at_hand(
    probe: ProbeSettings,
    paths_to_maps: Sequence[str | Path],
    images: pd.DataFrame,
    folder: str | Path,
    path_to_weights: str | Path,
    settings: ExtractionSettings,
    most: float,
    device: torch.device,
) -> Iterator[KeptMaps]:
    """Maps of these images for whoever needs them in an order of their own: those that were kept, if all were, else
    those of a further look, which lie in a temporary folder meanwhile.

    images: rows of the dataset's `images`, whose files lie in the folder; settings: how they are looked at. Raises
    ActivationError where that would take more than `most` gigabytes.
    """
    kept = stored_maps(paths_to_maps, images["image_id"].tolist())
    if kept is not None:
        with kept:
            yield kept
        return
    job.LOGGER.info("looking at %d pictures again: their maps were not kept (activations.kept)", len(images))
    network = building.load(probe.network, path_to_weights)

    def batches() -> Iterable[Batch]:
        return look(open_pictures(folder, images, None, probe.inputs), settings)

    with kept_for_now([probe], network, len(images), batches, most, device) as found:
        maps = next(found)
        if isinstance(maps, ActivationError):
            raise maps
        if not isinstance(maps, KeptMaps):
            raise ActivationError(
                f"layer {probe.layer}: maps of {len(images)} images take more than {most:g} GB of disk: ask for "
                "fewer filters or images, or raise activations.kept"
            )
        yield maps


@contextmanager
def pair_at_hand(
    probe: ProbeSettings, other: ProbeSettings | None, paths_to_maps, paths_to_other_maps, *how
) -> Iterator[tuple[KeptMaps, KeptMaps]]:
    """`maps_at_hand` of a probe and of another layer of its network: its own, where there is no other.

    how: the images and whatever else `maps_at_hand` takes.
    """
    with maps_at_hand(probe, paths_to_maps, *how) as maps:
        if other is None:
            yield maps, maps
            return
        with maps_at_hand(other, paths_to_other_maps, *how) as others:
            yield maps, others


def pictures_again(
    reader: Reader | KeptMaps,
    folder: str | Path,
    images: pd.DataFrame,
    annotations: pa.Table | None,
    probe: ProbeSettings,
    grids: MaskGrid = MaskGrid(),
    shown: bool = False,
) -> PictureDataset:
    """Pictures for a reader, which are not decoded where it needs none; shown: whether they are wanted in any case."""
    decoded = shown or not isinstance(reader, KeptMaps)
    return open_pictures(folder, images, annotations, probe.inputs, grids, decoded=decoded)


@contextmanager
def kept_for_now(
    probes: Sequence[ProbeSettings],
    network: nn.Module,
    images: int,
    batches: Callable[[], Iterable[Batch]],
    most: float,
    device: torch.device,
) -> Iterator[Iterator[Reader | KeptMaps | ActivationError]]:
    """A reader for each layer of a network whose maps are needed several times, and by this job alone.

    The pictures are looked at once, in all layers together, and their maps lie in a temporary folder meanwhile; where
    those of so many images would take more than `most` gigabytes, the layer's reader looks itself. A layer that is not
    finite is an error instead. batches: gives the pictures.
    """
    with ExitStack() as stack:
        held: list[HeldMaps] = []
        with together(probes, network, device) as readers:
            cells = [each.filters * each.height * each.width for each in readers.readers]
            fits = images * sum(cells) * BYTES <= most * 1e9
            if fits:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="filterscope-")))
                for place, each in enumerate(readers.readers):
                    kept = HeldMaps(folder / str(place), each.layer, (each.filters, each.height, each.width))
                    held.append(stack.enter_context(kept))
                stopped = _keep(readers, held, batches(), probes[0], device)
        yield _kept(held, stopped) if fits else _one_by_one(probes, network, device)


def _kept(held: Sequence[HeldMaps], stopped: dict[int, ActivationError]) -> Iterator[HeldMaps | ActivationError]:
    for place, each in enumerate(held):
        yield stopped.get(place, each)
        each.close()


def _one_by_one(probes: Sequence[ProbeSettings], network: nn.Module, device: torch.device) -> Iterator[Reader]:
    for probe in probes:
        with reading(probe, network, device) as reader:
            yield reader


def _keep(
    readers: Readers, held: Sequence[HeldMaps], batches: Iterable[Batch], probe: ProbeSettings, device: torch.device
) -> dict[int, ActivationError]:
    """Hold the maps of all layers; the errors of those that stopped, by number."""
    stopped: dict[int, ActivationError] = {}
    for batch in batches:
        with torch.inference_mode():
            seen = readers(normalise(batch.pictures(device), probe.inputs))
        for place, maps in enumerate(seen):
            try:
                refuse_not_finite(maps, batch, readers.readers[place].layer)
            except ActivationError as error:
                stopped.setdefault(place, error)
            if place not in stopped:
                held[place].add(batch.image_ids, maps)
    return stopped
