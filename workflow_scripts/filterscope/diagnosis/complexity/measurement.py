"""All that is measured of one data set: expected capacity, and the separability of its classes in every space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from filterscope import job
from filterscope.data.samples.labelled_samples import LabelledSamples
from filterscope.diagnosis.complexity.growth import (
    CurveSettings,
    capacity_curve,
    place_rows,
    separability_curve,
    similarity_rows,
)
from filterscope.diagnosis.complexity.separability import SeparabilitySettings
from filterscope.diagnosis.complexity.spaces import EmbeddingSettings, Features, space


@dataclass(frozen=True)
class ComplexitySettings:
    """How data are measured; rules/config.schema.yaml says what the fields mean."""

    curve: CurveSettings
    norm: str = "sum"
    ties: str = "label"
    separability: SeparabilitySettings = field(default_factory=SeparabilitySettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> ComplexitySettings:
        """From the section of the config, without its sets."""
        return cls(
            curve=CurveSettings(mapping["sizes"], mapping["draws"]),
            norm=mapping["norm"],
            ties=mapping["ties"],
            separability=SeparabilitySettings(**mapping["separability"]),
            embedding=EmbeddingSettings(**mapping["embedding"]),
        )


def measured(
    samples: LabelledSamples,
    embeddings: Sequence[str],
    features: Mapping[str, Features],
    settings: ComplexitySettings,
    seed: int,
    device="cpu",
) -> dict[str, pd.DataFrame]:
    """Rows of the tables by name: `expected_capacities`, `separabilities`, `embeddings`, `class_similarities` and
    `class_places`.

    features: of the embeddings that are probes. Raises DiagnosisError for data that cannot be measured.
    """
    capacities = capacity_curve(samples.values, samples.labels, settings.curve, seed, settings.norm, settings.ties)
    found = {"expected_capacities": [capacities]}
    for name in job.progress(embeddings, len(embeddings), "embeddings"):
        held = space(name, samples, settings.embedding, seed, features.get(name), device)
        rows, whole = separability_curve(held.points, held.labels, settings.curve, settings.separability, seed, device)
        job.LOGGER.info("%s: CSG %.4g, %.0f effective samples", name, whole.csg, whole.effective_samples)
        size = {"count": [len(held.labels)], "dimensions": [held.points.shape[1]], "explained": [held.explained]}
        for table, added in (
            ("separabilities", rows),
            ("embeddings", pd.DataFrame(size)),
            ("class_similarities", similarity_rows(whole, samples.classes)),
            ("class_places", place_rows(whole, samples.classes)),
        ):
            found.setdefault(table, []).append(added.assign(embedding=name))
    return {table: pd.concat(parts, ignore_index=True) for table, parts in found.items()}
