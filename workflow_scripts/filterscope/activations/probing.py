"""A probe at work: a network and a layer, and the pictures it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from filterscope.activations.streaming import Annotations, MaskGrid, Pictures
from filterscope.data.geometry import Geometry
from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings, NetworkSettings


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


@contextmanager
def reading(probe: ProbeSettings, network: nn.Module, device: torch.device) -> Iterator[Reader]:
    """The probe's layer of a network, read batch by batch on the device."""
    network = network.to(device, memory_format=torch.channels_last)
    with Reader(network, probe.layer, probe.call, input_size=probe.inputs.crop) as reader:
        yield reader


def open_pictures(
    folder: str | Path,
    images: pd.DataFrame,
    annotations: pa.Table | None,
    inputs: InputSettings,
    grids: MaskGrid = MaskGrid(),
    random_crops: int | None = None,
    apply_exif: bool = False,
) -> Pictures:
    """Pictures as a network takes them; apply_exif turns a user's own photographs as their camera says."""
    return Pictures(
        folder,
        images,
        Annotations(annotations, images["image_id"].to_numpy()),
        Geometry(inputs.resize, inputs.crop),
        grids,
        apply_exif=apply_exif,
        random_crops=random_crops,
    )
