"""A probe and the images that it was shown: what the jobs of this room look at once more, and by which files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from filterscope import tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.maps import KeptMaps
from filterscope.activations.probing import ProbeSettings, look, open_pictures
from filterscope.activations.readable import readable
from filterscope.activations.streaming import Batch, MaskGrid
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.words.explaining.targets import Tokens
from filterscope.words.truth import ImageTruth, Truth, scenes


class View(NamedTuple):
    """Images as a probe sees them; truth: what is in them, where their masks were asked for."""

    batches: Iterator[Batch]
    reader: Reader | KeptMaps
    truth: Truth | None


@dataclass(frozen=True)
class ProbedImages:
    """A probe, the images of a dataset that it was shown, and where all that is known of both is kept.

    path_to_annotations, paths_to_image_activations: of datasets with masks. paths_to_maps: of all shards; none where
    the network has to look again. path_to_weights: None of a network that was never trained, which initial_seed
    initialises.
    """

    probe: ProbeSettings
    activations: ExtractionSettings
    folder: str | Path
    path_to_images: str | Path
    path_to_categories: str | Path
    path_to_thresholds: str | Path
    path_to_weights: str | Path | None
    paths_to_maps: Sequence[str | Path] = ()
    paths_to_image_activations: Sequence[str | Path] = ()
    path_to_annotations: str | Path | None = None
    initial_seed: int | None = None

    @classmethod
    def of(cls, files: Mapping, params, threads: int) -> ProbedImages:
        """From a rule's files and parameters of these names, for so many threads."""
        return cls(
            ProbeSettings.from_mapping(params.probe),
            ExtractionSettings(**params.activations, workers=threads),
            files.get("pictures"),
            files.get("images"),
            files.get("categories"),
            files.get("thresholds"),
            files.get("weights") or None,
            list(files.get("maps", [])),
            list(files.get("image_activations", [])),
            files.get("annotations"),
            getattr(params, "seed", None),
        )

    def images(self) -> pd.DataFrame:
        """The `images` table."""
        return tables.read(self.path_to_images, "images").to_pandas()

    def readable(self, split: str) -> pd.DataFrame:
        """The images of a split, or of all, that the extraction could read."""
        extracted = tables.column(self.paths_to_image_activations, "image_activations", "image_id")
        return readable(self.images(), extracted, split)

    def objects(self, images: pd.DataFrame) -> int:
        """How many objects these images have."""
        owners = tables.column([self.path_to_annotations], "annotations", "image_id")
        return int(np.isin(owners, images["image_id"]).sum())

    def tokens(self) -> Tokens:
        """The tokens of the categories."""
        return Tokens.of(tables.read(self.path_to_categories, "categories").to_pandas())

    def thresholds(self) -> pd.DataFrame:
        """The `thresholds` table."""
        return tables.read(self.path_to_thresholds, "thresholds").to_pandas()

    def trained_labels(self) -> pa.ChunkedArray:
        """The tokens of every annotation that was trained on."""
        annotations, images = tables.read(self.path_to_annotations, "annotations"), self.images()
        training = images.loc[images["split"] == "train", "image_id"]
        return annotations["tokens"].filter(pd.Series(annotations["image_id"].to_numpy()).isin(training).to_numpy())

    def network(self) -> nn.Module:
        """The network with its weights, or as it was before any training."""
        if self.path_to_weights is None:
            return building.initialise(self.probe.network, self.initial_seed)
        return building.load(self.probe.network, self.path_to_weights)

    @contextmanager
    def view(
        self,
        images: pd.DataFrame,
        device: torch.device,
        tokens: list[str] | None = None,
        maps: bool = True,
        load: Callable[[], nn.Module] | None = None,
        title: str = "batches of images",
    ) -> Iterator[View]:
        """Some of the images as the probe sees them.

        tokens: known ones, where the images' truth is wanted. maps: whether maps that were kept will do. load: gives
        the network, where the caller has it already.
        """
        kept = self.paths_to_maps if maps else []
        with reading_again(self.probe, kept, images["image_id"], load or self.network, device) as reader:
            annotations = None if tokens is None else tables.read(self.path_to_annotations, "annotations")
            grids = MaskGrid() if tokens is None else self.probe.input_masks
            pictures = pictures_again(reader, self.folder, images, annotations, self.probe, grids)
            truth = None if tokens is None else Truth(pictures.annotations.table, tokens)
            yield View(look(pictures, self.activations, title=title), reader, truth)

    def truths(self, images: pd.DataFrame, tokens: list[str], device: torch.device) -> list[ImageTruth]:
        """What is in some of the images, in their order; nothing but their masks is read."""
        annotations = tables.read(self.path_to_annotations, "annotations")
        grids = self.probe.input_masks
        pictures = open_pictures(self.folder, images, annotations, self.probe.inputs, grids, decoded=False)
        truth = Truth(pictures.annotations.table, tokens)
        return [truth.of(pictures[place], self.probe.inputs.crop, device) for place in range(len(pictures))]

    @contextmanager
    def scenes(
        self, images: pd.DataFrame, tokens: list[str], device: torch.device, title: str = "batches of images"
    ) -> Iterator[tuple[Iterator[tuple[int, torch.Tensor, ImageTruth]], int]]:
        """Some of the images one by one, as `truth.scenes` gives them, and how many objects they have."""
        with self.view(images, device, tokens, title=title) as (batches, reader, truth):
            yield scenes(batches, reader, self.probe.inputs, truth, device), len(truth)
