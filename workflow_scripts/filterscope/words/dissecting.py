"""The look at the training images: what Network Dissection, the filters' claims and the explainer learn from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from filterscope import tables
from filterscope.activations.mining import mined
from filterscope.activations.streaming import whole_batches
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explanation import TopPairs
from filterscope.words.explaining.targets import Tokens
from filterscope.words.explaining.training_images import Studied, StudySettings, sample_rows
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.rivals.dissection import Dissection
from filterscope.words.sums import read_sums, write_sums
from filterscope.words.truth import scenes


@dataclass
class Dissected:
    """Sums over training images, of all of them or of a shard's."""

    studied: Studied
    dissection: Dissection
    tokens: Tokens
    settings: StudySettings

    @classmethod
    def looked(
        cls,
        shown: ProbedImages,
        path_to_attended: str | Path,
        settings: StudySettings,
        resolution: int,
        seed: int,
        device: torch.device,
        scatteritem: str | None = None,
    ) -> Dissected:
        """Look at the training images, or at those of a shard, and write the samples that filters' attention pools.

        resolution: px of the grid on which regions and masks are compared.
        """
        images, evidence = shown.readable("train"), settings.evidence
        top = mined(shown.paths_to_image_activations, evidence.top_images, evidence.top_share, "train")
        dissected = cls._begun(shown, TopPairs(*top.best()), shown.objects(images), settings, resolution, seed, device)
        if scatteritem is not None:
            images = whole_batches(images, scatteritem, shown.activations.batch_size)
        dissected._look(shown, images, path_to_attended, device)
        return dissected

    @classmethod
    def gathered(
        cls, shown: ProbedImages, paths_to_sums: Iterable[str | Path], settings: StudySettings, resolution: int
    ) -> Dissected:
        """What all shards have summed up. Nothing is looked at."""
        nobody = np.zeros((len(shown.thresholds()), 0))
        pairs = TopPairs(nobody, nobody)
        dissected = cls._begun(shown, pairs, 0, settings, resolution, 0, torch.device("cpu"))
        for path in paths_to_sums:
            sums = read_sums(path)
            dissected.studied.take_in(sums)
            dissected.dissection.take_in(sums)
        return dissected

    @classmethod
    def _begun(
        cls,
        shown: ProbedImages,
        pairs: TopPairs,
        objects: int,
        settings: StudySettings,
        resolution: int,
        seed: int,
        device: torch.device,
    ) -> Dissected:
        tokens, thresholds = shown.tokens(), Thresholds.of(shown.thresholds())
        return cls(
            Studied.begun(len(tokens.every), objects, pairs, thresholds, settings, seed, device),
            Dissection(thresholds, len(tokens.every), resolution, device),
            tokens,
            settings,
        )

    def _look(
        self, shown: ProbedImages, images: pd.DataFrame, path_to_attended: str | Path, device: torch.device
    ) -> None:
        every = np.array(self.tokens.every, object)
        with (
            shown.view(images, device, self.tokens.every, title="batches of training images") as view,
            tables.Writer("attended_activations", path_to_attended) as samples,
        ):
            if not len(images):  # of so few a shard may have none
                size = self.settings.explanation.explainer_size(view.reader)
                samples.add(tables.empty("attended_activations", size))
            self.studied.look(
                scenes(view.batches, view.reader, shown.probe.inputs, view.truth, device),
                lambda image_id, found: samples.add(sample_rows(image_id, found, every)),
                self.dissection,
            )

    def write_sums(self, path: str | Path) -> None:
        """Write the `shard_sums` table, for the job that gathers all."""
        write_sums(self.studied.sums() | self.dissection.sums(), path)

    def overlaps(self, kept: int) -> pd.DataFrame:
        """The `overlaps` table; kept: tokens reported per filter, as many again never supervised."""
        best = self.dissection.best(kept, self.tokens.unsupervised)
        best["token"] = np.array(self.tokens.every, object)[best["token"]]
        return best

    def evidence(self) -> Evidence:
        """What follows for the filters' claims."""
        return self.studied.evidence(self.settings.evidence)
