"""What an explainer learns from: pooled activations, and the tokens of what they were pooled over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from filterscope import tables
from filterscope.words.explaining.targets import multi_hot

FEWEST = 2  # objects to learn from, and to choose the epoch by


@dataclass(frozen=True)
class ExplainerSamples:
    """Pooled activations float32 [n, d] and the tokens of their objects, bool [n, C].

    attended: how many of them, the last ones, were pooled by a filter's attention and not under an object's mask.
    """

    activations: np.ndarray
    targets: np.ndarray
    attended: int = 0

    def __post_init__(self):
        if len(self.activations) != len(self.targets):
            raise ValueError(f"{len(self.activations)} activations but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.activations)

    def shuffled_labels(self, seed: int) -> ExplainerSamples:
        """The same activations with their targets permuted: the null that training cannot beat honestly."""
        order = np.random.default_rng(seed).permutation(len(self))
        return ExplainerSamples(self.activations, self.targets[order], self.attended)

    def those(self, chosen: np.ndarray) -> ExplainerSamples:
        """The chosen ones; bool [n]."""
        attended = int(chosen[len(self) - self.attended :].sum())
        return ExplainerSamples(self.activations[chosen], self.targets[chosen], attended)


@dataclass(frozen=True)
class Gathered:
    """All samples, with the image of each, [n], and whether that is a training image, bool [n]."""

    samples: ExplainerSamples
    image_ids: np.ndarray
    training: np.ndarray

    def counted(self) -> str:
        """How many of each, as a person reads it."""
        return f"{len(self.samples) - self.samples.attended} objects and {self.samples.attended} attended samples"

    @classmethod
    def joined(cls, objects: Gathered, attended: Gathered | None) -> Gathered:
        """Objects and, after them, attended samples."""
        if attended is None or not len(attended.samples):
            return objects
        parts = (objects, attended)
        samples = ExplainerSamples(
            np.concatenate([part.samples.activations for part in parts]),
            np.concatenate([part.samples.targets for part in parts]),
            len(attended.samples),
        )
        image_ids, training = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("image_ids", "training")
        )
        return cls(samples, image_ids, training)


def gather_samples(shards: Iterable[pa.Table], tokens: list[str]) -> Gathered:
    """Samples of all objects with one of these tokens.

    shards: `pooled_activations` or `attended_activations`, taken in one by one: of Visual Genome's objects, whose
    activations are 16 GB, a third are never supervised.
    """
    parts = []
    for pooled in shards:
        targets = multi_hot(pooled["tokens"], tokens)
        known = targets.any(1)
        training = pooled["split"].to_numpy()[known] == "train"
        images = pooled["image_id"].to_numpy()[known]
        parts.append((tables.matrix(pooled["vector"])[known], targets[known], images, training))
    activations, targets, image_ids, training = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Gathered(ExplainerSamples(activations, targets), image_ids, training)


def learnt_from(
    pooled: Iterable[pa.Table], attended: Iterable[pa.Table] | None, tokens: list[str], shuffle: int | None = None
) -> Gathered:
    """The samples of an explainer: of objects, and of filters' attention where there are such.

    pooled: `pooled_activations`, attended: `attended_activations`, each taken in table by table when its turn comes.
    shuffle: seed by which labels are shuffled, for a null.
    """
    gathered = gather_samples(pooled, tokens)
    if attended is not None:
        gathered = Gathered.joined(gathered, gather_samples(attended, tokens))
    if shuffle is None:
        return gathered
    return replace(gathered, samples=gathered.samples.shuffled_labels(shuffle))


@dataclass(frozen=True)
class Parts:
    """Images to learn from and images that choose, as samples; final: what the weights that are kept learn from.

    Scored images are in none of them.
    """

    learn: ExplainerSamples
    choose: ExplainerSamples
    final: ExplainerSamples | None  # None: the weights of the best epoch are kept


def split_samples(
    gathered: Gathered, share: float, seed: int, scored_choose: bool = False, by_instance: bool = False
) -> Parts:
    """Samples by their part: images that choose are cut from the training images, by image.

    share: of the training images, that choose the epoch; they are learnt from, too, once it is chosen.
    scored_choose: the published way, in which the images that are scored choose the epoch. by_instance: its
    other defect, parts drawn at random by object, so that an image's objects are in both. Raises ValueError where
    there are too few training images, or objects in them, for two parts.
    """
    samples, training = gathered.samples, gathered.training
    if scored_choose or by_instance:
        if by_instance:
            training = np.random.default_rng(seed).permutation(training)
        return Parts(samples.those(training), samples.those(~training), None)
    images = np.unique(gathered.image_ids[training])
    count = round(share * len(images))
    if not 1 <= count < len(images):
        raise ValueError(
            f"training.choosing is {share}: {count} of {len(images)} training images with objects would choose the "
            "epoch; at least 1 must, and 1 be left to learn from"
        )
    choosing = np.isin(gathered.image_ids, np.random.default_rng(seed).permutation(images)[:count])
    learnt, chosen = training & ~choosing, training & choosing
    if min(learnt.sum(), chosen.sum()) < FEWEST:
        raise ValueError(
            f"training.choosing is {share}: in {count} of {len(images)} training images with objects {chosen.sum()} "
            f"objects would choose the epoch and {learnt.sum()} be learnt from, should be at least {FEWEST} each: add "
            "annotated images"
        )
    return Parts(samples.those(learnt), samples.those(chosen), samples.those(training))
