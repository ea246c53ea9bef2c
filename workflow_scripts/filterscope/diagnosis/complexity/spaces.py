"""The spaces that a config names, filled with the samples of a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from filterscope.data.samples.labelled_samples import LabelledSamples, stratified
from filterscope.diagnosis.labelled import DiagnosisError

RAW, TSNE, AUTOENCODER, AUTOENCODER_TSNE = "raw", "tsne", "autoencoder", "autoencoder_tsne"


@dataclass(frozen=True)
class EmbeddingSettings:
    """most: samples that are embedded. dimensions, components, perplexity: of t-SNE. The others: of the autoencoder."""

    most: int = 2000
    dimensions: int = 2
    components: int = 50
    perplexity: float = 30.0
    codes: int = 8
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 0.002


@dataclass(frozen=True)
class Space:
    """points [N, d] with labels int64 [N]; explained: share of the variance that an autoencoder kept."""

    points: np.ndarray
    labels: np.ndarray
    explained: float | None = None


# Pictures float32 [N, C, H, W] in 0 to 1 to features [N, d].
Features = Callable[[np.ndarray], np.ndarray]


def space(
    name: str,
    samples: LabelledSamples,
    settings: EmbeddingSettings,
    seed: int,
    features: Features | None = None,
    device="cpu",
) -> Space:
    """The samples in the space of this name; any other name than the four is that of `features`.

    Raw values are those of all samples; embedded are at most settings.most, drawn by class.
    Raises DiagnosisError for a name without features.
    """
    if name == RAW:
        return Space(samples.values.reshape(len(samples), -1), samples.labels)
    rows = np.arange(len(samples))
    if len(rows) > settings.most:
        rows = stratified(samples.labels, settings.most, np.random.default_rng([seed, settings.most]))
    values, labels = samples.values[rows], samples.labels[rows]
    if name == TSNE:
        return Space(_tsne(values.reshape(len(values), -1), settings, seed), labels)
    if name in (AUTOENCODER, AUTOENCODER_TSNE):
        if name == AUTOENCODER_TSNE and settings.codes < settings.dimensions:
            wanted = f"t-SNE in {settings.dimensions} dimensions needs as many"
            raise DiagnosisError(f"codes of the autoencoder: {settings.codes}, but {wanted}: raise codes")
        from filterscope.diagnosis.complexity.autoencoder import (  # torch takes seconds to load
            AutoencoderSettings,
            encode,
        )

        trained = AutoencoderSettings(settings.codes, settings.epochs, settings.batch_size, settings.learning_rate)
        found = encode(values, trained, seed, device)
        points = _tsne(found.codes, settings, seed) if name == AUTOENCODER_TSNE else found.codes
        return Space(points, labels, found.explained)
    if features is None:
        raise DiagnosisError(f"{name!r} is no embedding, and no network's features are given for it")
    pictures = LabelledSamples(values, labels, samples.classes, samples.split[rows]).images()
    return Space(features(pictures), labels)


def _tsne(values: np.ndarray, settings: EmbeddingSettings, seed: int) -> np.ndarray:
    from filterscope.diagnosis.complexity.tsne import tsne  # scikit-learn takes seconds to load

    return tsne(values, seed, settings.dimensions, settings.components, settings.perplexity)
