"""One look at the training images: the evidence for every claim, and samples for the explainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from filterscope import tables
from filterscope.words.explaining.attended import Attended, drawn
from filterscope.words.explaining.evidence import Correlations, Evidence, EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs
from filterscope.words.firing import Thresholds
from filterscope.words.truth import ImageTruth


class Sums(Protocol):
    """Whatever is summed up image by image, from maps [d, h, w] and their truth."""

    def add(self, maps: torch.Tensor, scene: ImageTruth) -> None: ...


@dataclass(frozen=True)
class StudySettings:
    """What one look at the training images is for.

    evidence: how claims follow. explanation: how maps become the explainer's inputs. overlap: IoU above which an object
    belongs to a region. attended: samples for the explainer per object, at most. run: images that are summed up before
    their sums are added; shards begin where a run does.
    """

    evidence: EvidenceSettings
    explanation: ExplanationSettings
    overlap: float
    attended: float
    run: int = 32


class Studied:
    """What training images add up to, of all of them or of a shard's."""

    def __init__(self, correlations: Correlations, attended: Attended):
        self.correlations, self.attended = correlations, attended

    @classmethod
    def begun(
        cls,
        tokens: int,
        objects: int,
        pairs: TopPairs,
        thresholds: Thresholds,
        settings: StudySettings,
        seed: int,
        device: torch.device,
    ) -> Studied:
        """Of no image yet; tokens, objects and pairs: of all training images, not of a shard's."""
        sampled = drawn(pairs, round(settings.attended * objects), seed)
        return cls(
            Correlations(pairs.shape[0], tokens, device, settings.run),
            Attended(pairs, sampled, thresholds, tokens, settings.overlap, settings.explanation, device),
        )

    def look(
        self,
        seen: Iterable[tuple[int, torch.Tensor, ImageTruth]],
        keep: Callable[[int, dict[str, np.ndarray]], None],
        *others: Sums,
    ) -> None:
        """Go through images, as `scenes` gives them.

        keep: called with every image's id and its samples, which are those of `Attended.add`. others: what else is
        summed up in this look.
        """
        for image_id, maps, scene in seen:
            for each in (self.correlations, *others):
                each.add(maps, scene)
            keep(image_id, self.attended.add(image_id, maps, scene))

    def sums(self) -> dict[str, np.ndarray]:
        """All of it, by name, as another job takes it in."""
        return self.correlations.sums() | self.attended.sums()

    def take_in(self, sums: Mapping[str, np.ndarray]) -> None:
        """Add what another job has summed up of other images."""
        self.correlations.take_in(sums)
        self.attended.take_in(sums)

    @property
    def fired(self) -> np.ndarray:
        """Of how many of its top training images every filter's region shows a token, [d]."""
        return self.attended.fired

    def evidence(self, settings: EvidenceSettings) -> Evidence:
        """What follows of it for the filters' claims."""
        return Evidence.gathered(self.correlations, self.attended.shown, self.attended.fired, settings)


def sample_rows(image_id: int, samples: dict[str, np.ndarray], tokens: np.ndarray) -> dict:
    """Rows of `attended_activations` from an image's samples; tokens: all of them, objects [T]."""
    count = len(samples["filter"])
    return {
        "filter": samples["filter"],
        "image_id": np.full(count, image_id),
        "split": ["train"] * count,
        "tokens": [tokens[own].tolist() for own in samples["targets"]],
        "vector": tables.vectors(samples["vectors"]),
    }


def study_remarks(evidence: Evidence, fired: np.ndarray, tokens: np.ndarray) -> list[str]:
    """Sentences on tokens that no training image shows, and on filters that show nothing."""
    remarks = []
    unseen = tokens[evidence.images == 0].tolist()
    if unseen:
        remarks.append(f"no training image shows {', '.join(unseen)}: never claimed")
    silent = int((fired == 0).sum())
    if silent:
        remarks.append(f"{silent} filters fire on no object of their top training images")
    return remarks
