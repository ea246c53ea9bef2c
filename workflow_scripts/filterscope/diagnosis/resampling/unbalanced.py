"""Samples made unbalanced, and the space in which they are resampled: their values, or a network's features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filterscope.data.samples.labelled_samples import LabelledSamples, joined
from filterscope.diagnosis.labelled import pictures
from filterscope.diagnosis.resampling.methods import Resampled
from filterscope.diagnosis.resampling.rarity import Rarity, drawn, rare_label
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Encoder:
    """The scaled network whose features are resampled, and how it is trained."""

    family: str
    width: float
    training: ScaledTrainingSettings

    @classmethod
    def from_mapping(cls, mapping: Mapping | None) -> Encoder | None:
        """None where there is none."""
        return mapping and cls(mapping["family"], mapping["width"], ScaledTrainingSettings(**mapping["training"]))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Training samples that were drawn and the whole test split, with their numbers in the source."""

    train: LabelledSamples
    test: LabelledSamples
    origin: np.ndarray
    test_origin: np.ndarray
    rare: int


def rarity(classes: Sequence[str], rare: str | None, kept: float) -> Rarity:
    """The rare class by its name. Raises ValueError for a name that no class has."""
    if rare is not None and rare not in classes:
        raise ValueError(f"the rare class is {rare!r}, which is no class; classes are {', '.join(classes)}")
    return Rarity(None if rare is None else classes.index(rare), kept)


def draw(samples: LabelledSamples, rarity: Rarity, share: float, chance: np.random.Generator) -> Drawn:
    """Draw this share of the training samples, of the rare class what remains of it; nothing touches the test split.

    Raises ValueError where there is no train or no test split.
    """
    train, test = samples.part("train"), samples.part("test")
    chosen = drawn(train.labels, rarity, share, chance)
    part = LabelledSamples(train.values[chosen], train.labels[chosen], train.classes, train.split[chosen])
    places = (np.flatnonzero(samples.split == split) for split in ("train", "test"))
    of_train, of_test = places
    return Drawn(part, test, of_train[chosen], of_test, rare_label(part.labels, rarity))


def space(
    drawn: Drawn,
    encoder: Encoder | None,
    seed: int,
    device: torch.device | str = "cpu",
    progress: Callable = iter,
) -> tuple[np.ndarray, np.ndarray]:
    """Training and test values in which samples are resampled, float32 [N, ...]; pictures in 0 to 1.

    With an encoder these are features [N, f] of a network that is trained on the unbalanced training samples only, so
    that it knows no more of the rare class than they tell.
    """
    if encoder is None:
        return tuple(pictures(each) if len(each.shape) == 3 else each.flat() for each in (drawn.train, drawn.test))
    from filterscope.diagnosis.scaled.trained import features, scaled_network  # torch takes seconds to load
    from filterscope.diagnosis.scaled.training import train

    images, classes = pictures(drawn.train), len(drawn.train.classes)
    network, _ = train(
        lambda: scaled_network(encoder.family, encoder.width, images, classes),
        images,
        drawn.train.labels,
        encoder.training,
        seed,
        device,
        progress=progress,
    )
    return features(network, images, device), features(network, pictures(drawn.test), device)


def with_test(made: Resampled, drawn: Drawn, test: np.ndarray) -> LabelledSamples:
    """Resampled training samples beside the untouched test split, in the space that they were resampled in."""
    parts = {"train": (made.values, made.labels), "test": (test, drawn.test.labels)}
    return joined(parts, drawn.train.classes)
