"""A probe at work: a network and a layer, and the pictures it looks at."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from filterscope import job
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.streaming import Annotations, Batch, MaskGrid, PictureDataset, stream
from filterscope.data.geometry import Geometry
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader, Readers
from filterscope.data.networks.passes import hooked, tensors_in
from filterscope.data.networks.settings import InputSettings, NetworkSettings
from filterscope.data.rejection import stop


@dataclass(frozen=True)
class ProbeSettings:
    """A layer of a network; call is which use of the module in one forward pass, -1 the last."""

    network: NetworkSettings
    layer: str
    call: int = -1

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> ProbeSettings:
        """From an entry of `probes` whose network is the entry of `networks` itself."""
        return cls(**{**mapping, "network": NetworkSettings.from_mapping(mapping["network"])})

    @property
    def inputs(self) -> InputSettings:
        return self.network.input

    @property
    def input_masks(self) -> MaskGrid:
        """Masks at the pixels of the network's input."""
        return MaskGrid(sampled=((self.inputs.crop, self.inputs.crop),))


@contextmanager
def reading(probe: ProbeSettings, network: nn.Module, device: torch.device) -> Iterator[Reader]:
    """The probe's layer of a network, read batch by batch on the device."""
    network = network.to(device, memory_format=torch.channels_last)
    with Reader(network, probe.layer, probe.call, input_size=probe.inputs.crop) as reader:
        yield reader


@contextmanager
def together(probes: Sequence[ProbeSettings], network: nn.Module, device: torch.device) -> Iterator[Readers]:
    """The layers of several probes of one network, read batch by batch in one forward pass on the device."""
    network = network.to(device, memory_format=torch.channels_last)
    layers = [(probe.layer, probe.call) for probe in probes]
    with Readers(network, layers, input_size=probes[0].inputs.crop) as readers:
        yield readers


@contextmanager
def largest_output(network: nn.Module) -> Iterator[list[int]]:
    """How many values the modules' outputs have, a number for each, while pictures are passed through the network."""
    sizes = [0]

    def note(module, given, output) -> None:
        sizes.extend(tensor.numel() for _, tensor in tensors_in(output))

    with hooked(list(network.modules()), note):
        yield sizes


def weights_size(network: nn.Module) -> int:
    """Bytes of all weights."""
    return sum(each.numel() * each.element_size() for each in network.state_dict().values())


class ProbeError(ValueError):
    """Probes whose network, layer or size of pictures is wrong: all of them."""


def all_checked(probes: Mapping[str, ProbeSettings], progress: Callable = iter) -> list[dict]:
    """Lines of the `checked_layers` table, one per probe, by name and in their order.

    A network is built once for probes of it that follow each other. Raises ProbeError, which names every probe that
    cannot be read, after all have been tried.
    """
    lines, wrong, first = [], [], None
    last: tuple[NetworkSettings, nn.Module] | None = None
    for name, probe in progress(probes.items()):
        try:
            if last is None or last[0] != probe.network:
                last = None  # two large networks are not held at once
                last = probe.network, building.build(probe.network)
            lines.append(checked(probe, name, last[1]))
        except Exception as error:  # what a user's own module raises can be anything
            traceback.clear_frames(error.__traceback__)  # which hold the network
            wrong.append(f"probe {name}: {str(error) or type(error).__name__}")
            first = first or error
    if wrong:
        raise ProbeError("; ".join(wrong)) from first
    return lines


def checked(probe: ProbeSettings, name: str, network: nn.Module) -> dict:
    """A line of the `checked_layers` table: the layer of the probe, name, as its network answers to a black picture.

    The network has the weights that it is built with, not those that it will be given. Raises LayerError where the
    layer or the size of its pictures is wrong.
    """
    reader = Reader(network, probe.layer, probe.call, input_size=probe.inputs.crop)
    with torch.inference_mode(), reader, largest_output(network) as largest:
        maps = reader(torch.zeros(1, 3, probe.inputs.crop, probe.inputs.crop))
    layout, remarks = reader.layout, []
    if layout.extra:
        remarks.append(f"{len(layout.extra)} of {len(layout.extra) + maps[0, 0].numel()} tokens stand for no place")
    if layout.path:
        remarks.append(f"read is {list(layout.path)} of what the layer puts out")
    if layout.assumed:
        remarks.append(layout.assumed)
    if maps[0, 0].numel() == 1:
        remarks.append("maps of one cell tell what excites a filter, not where")
    return {
        "probe": name,
        "layer": reader.layer,
        "call": reader.call,
        "layout": layout.kind,
        "filters": maps.shape[1],
        "height": maps.shape[2],
        "width": maps.shape[3],
        "resize": probe.inputs.resize,
        "crop": probe.inputs.crop,
        "weights": weights_size(network),
        "largest": max(largest),
        **{key: ", ".join(f"{each:.5g}" for each in getattr(probe.inputs, key)) for key in ("mean", "std")},
        "remark": "; ".join(remarks),
    }


def open_pictures(
    folder: str | Path,
    images: pd.DataFrame,
    annotations: pa.Table | None,
    inputs: InputSettings,
    grids: MaskGrid = MaskGrid(),
    random_crops: int | None = None,
    decoded: bool = True,
) -> PictureDataset:
    """Pictures as a network takes them; decoded: whether they are wanted, or only their masks."""
    return PictureDataset(
        folder,
        images,
        Annotations(annotations, images["image_id"].to_numpy()),
        Geometry(inputs.resize, inputs.crop),
        grids,
        random_crops=random_crops,
        decoded=decoded,
    )


def look(
    pictures: PictureDataset, settings: ExtractionSettings, reject: Callable = stop, title: str = "batches of images"
) -> Iterator[Batch]:
    """Batches of readable pictures, with a progress bar; reject as `stream` calls it."""
    batches = stream(pictures, settings.batch_size, settings.workers, reject)
    return job.progress(batches, -(-len(pictures) // settings.batch_size), title)
