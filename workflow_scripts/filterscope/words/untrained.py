"""Trials of the never-trained network: it looks at the pictures itself, or its tables are there, made in shards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import nn

from filterscope import job, tables
from filterscope.activations.again import kept_for_now, reading_again
from filterscope.activations.extraction import ActivationError
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.streaming import Batch
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explanation import TopPairs
from filterscope.words.explaining.samples import Gathered, gather_samples
from filterscope.words.explaining.targets import Tokens
from filterscope.words.explaining.training_images import Studied
from filterscope.words.firing import Thresholds
from filterscope.words.in_memory_run import PICTURES, MiningSettings, ProbeTrials, Seen, SharedLooks, TrialSettings
from filterscope.words.sums import read_sums


@dataclass(frozen=True)
class SeenPaths:
    """Tables of one layer, of all shards: what its scores need of what the network said to the pictures.

    looked: the `image_activations`. maps: of the images that score, if they were kept. thresholds: one table.
    """

    pooled: Sequence[str | Path]
    looked: Sequence[str | Path]
    sums: Sequence[str | Path]
    attended: Sequence[str | Path]
    maps: Sequence[str | Path]
    thresholds: Sequence[str | Path]

    @classmethod
    def of_layers(cls, files, layers: int) -> list[SeenPaths] | None:
        """Of every layer of a rule whose inputs of these names are all shards of one layer after the other; None where
        there are none, since one job looks at all pictures."""
        named = {each.name: list(files.get(each.name, [])) for each in fields(cls)}
        if not named["pooled"]:
            return None
        parts = {name: np.split(np.array(paths, object), layers) for name, paths in named.items()}
        return [cls(**{name: own[place].tolist() for name, own in parts.items()}) for place in range(layers)]


class TabulatedTrials(ProbeTrials):
    """Trials on what tables say, by the way of looking that they were made by; the top images are looked at again."""

    def __init__(self, paths: SeenPaths, *arguments):
        """arguments: of ProbeTrials."""
        super().__init__(*arguments)
        self.paths = paths

    def _look(self, settings, random_crops: bool) -> Seen:
        pooled = [
            tables.read(path, "pooled_activations").select(["annotation_id", "vector"]) for path in self.paths.pooled
        ]
        looked = pa.concat_tables(tables.read(path, "image_activations") for path in self.paths.looked)
        numbers = pa.concat_arrays([part for each in pooled for part in each["annotation_id"].chunks])
        positions = pc.index_in(numbers, value_set=self.material.annotations["annotation_id"].combine_chunks())
        (path_to_thresholds,) = self.paths.thresholds
        return Seen(
            positions.to_numpy(zero_copy_only=False).astype(np.int64),
            np.concatenate([tables.matrix(each["vector"]) for each in pooled]),
            looked["image_id"].to_numpy(),
            tables.matrix(looked["maximum"]),
            tables.matrix(looked["mean"]),
            Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas(), self.device),
        )

    def _study(
        self, images: pd.DataFrame, seen: Seen, tokens: Tokens, settings: TrialSettings
    ) -> tuple[Evidence, Gathered | None]:
        nobody = np.zeros((len(seen.thresholds), 0))
        asked = (TopPairs(nobody, nobody), seen.thresholds, settings.study, self.seed, torch.device("cpu"))
        studied = Studied.begun(len(tokens.every), 0, *asked)
        for path in self.paths.sums:
            studied.take_in(read_sums(path))
        evidence = studied.evidence(settings.mining.evidence)
        if not settings.training.attended:
            return evidence, None
        attended = (tables.read(path, "attended_activations") for path in self.paths.attended)
        return evidence, gather_samples(attended, tokens.supervised)


def trials_of_layers(
    probes: Sequence[ProbeSettings],
    network: nn.Module,
    batches: Callable[[], Iterable[Batch]],
    most: float,
    *arguments,
) -> Iterator[ProbeTrials | ActivationError]:
    """Trials on each layer of a network, which is shown all pictures here; the error of one that is not finite.

    batches: gives the pictures. most: gigabytes of maps that are kept meanwhile. arguments: material, seed and device.
    """
    material, seed, device = arguments
    shared = SharedLooks(PICTURES if len(probes) > 1 else 0)  # no layer's masks are decoded anew, while there is room
    with kept_for_now(probes, network, len(material.images), batches, most, device) as readers:
        for reader in readers:
            failed = isinstance(reader, ActivationError)
            yield reader if failed else ProbeTrials(material, reader, seed, device, job.progress, shared)


def trials_on_tables(
    probes: Sequence[ProbeSettings],
    network: nn.Module,
    seen: Sequence[SeenPaths],
    mining: MiningSettings,
    from_maps: bool,
    *arguments,
) -> Iterator[ProbeTrials | ActivationError]:
    """Trials on each layer of a network that has been shown all pictures, whose tables these are; the error of one that
    is not finite, in whichever shard.

    mining: as the trials have it, with the defects of the reference. from_maps: whether maps that were kept will do.
    arguments: material, seed and device.
    """
    material, seed, device = arguments
    shared = SharedLooks(PICTURES if len(probes) > 1 else 0)
    scored = material.images.loc[mining.mined(material.images["split"].to_numpy()), "image_id"]
    for probe, paths in zip(probes, seen, strict=True):
        try:
            tables.read(paths.thresholds, "thresholds")
        except tables.StoppedError as error:
            yield ActivationError(error.reason)
            continue
        maps = paths.maps if from_maps else []
        with reading_again(probe, maps, scored, lambda: network, device) as reader:
            yield TabulatedTrials(paths, material, reader, seed, device, job.progress, shared)
