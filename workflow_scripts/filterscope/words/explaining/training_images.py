"""One look at the training images: the evidence for every claim, and samples for the explainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    belongs to a region. attended: samples for the explainer per object, at most.
    """

    evidence: EvidenceSettings
    explanation: ExplanationSettings
    overlap: float
    attended: float


def study(
    seen: Iterable[tuple[int, torch.Tensor, ImageTruth]],
    tokens: int,
    objects: int,
    pairs: TopPairs,
    thresholds: Thresholds,
    settings: StudySettings,
    seed: int,
    device: torch.device,
    keep: Callable[[int, dict[str, np.ndarray]], None],
    *others: Sums,
) -> tuple[Evidence, np.ndarray]:
    """The evidence, and of how many of its top training images every filter's region shows a token, [d].

    seen: training images, as `scenes` gives them. tokens, objects: how many there are. pairs: all filters and their
    top training images. keep: called with every image's id and its samples, which are those of `Attended.add`.
    others: what else is summed up in this look.
    """
    correlations = Correlations(pairs.shape[0], tokens, device)
    sampled = drawn(pairs, round(settings.attended * objects), seed)
    shown = Attended(pairs, sampled, thresholds, tokens, settings.overlap, settings.explanation, device)
    for image_id, maps, scene in seen:
        for each in (correlations, *others):
            each.add(maps, scene)
        keep(image_id, shown.add(image_id, maps, scene))
    return Evidence.gathered(correlations, shown.shown, shown.fired, settings.evidence), shown.fired


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
