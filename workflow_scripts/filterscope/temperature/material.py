"""What a network is trained on: labelled samples as tensors, a validation split cut from the training samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from filterscope.data.samples.labelled_samples import TEST, TRAIN, LabelledSamples, SamplesError, held_out

_AT_ONCE = 500  # samples of an evaluation's batch


@dataclass(frozen=True, eq=False)
class SampleSplit:
    """Values as they were read, [N, C, H, W] or [N, d], and labels int64 [N]; on one device."""

    values: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class TrainingMaterial:
    """The splits, and mean and standard deviation of the training values: per channel, or per value of vectors."""

    train: SampleSplit
    validation: SampleSplit
    test: SampleSplit | None
    mean: Tensor
    deviation: Tensor
    classes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.train.values.shape[1:])

    @property
    def device(self) -> torch.device:
        return self.mean.device

    @property
    def learnt(self) -> list[np.ndarray]:
        """Values and labels of the training and the validation split: what a training depends on."""
        splits = (self.train, self.validation)
        return [each.cpu().numpy() for split in splits for each in (split.values, split.labels)]

    def normalised(self, values: Tensor) -> Tensor:
        """float32, as the network gets them: global normalisation (ActCooLR, E)."""
        return (values.to(torch.float32) - self.mean) / self.deviation

    def batches(self, split: SampleSplit, most: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised values and labels, in order; at most so many samples."""
        for first in range(0, min(len(split), most or len(split)), _AT_ONCE):
            last = min(first + _AT_ONCE, most or len(split))
            yield self.normalised(split.values[first:last]), split.labels[first:last]


def prepare(
    samples: LabelledSamples, validation: float, seed: int, device: torch.device | str = "cpu"
) -> TrainingMaterial:
    """The samples as tensors on a device.

    validation: share of the training samples, drawn by class, that is not trained on: hyper-parameters are chosen by
    it, the test split is for the end. Raises SamplesError where a split cannot have every class.
    """
    train = samples.part(TRAIN)
    count = round(validation * len(train))
    if not len(train.classes) <= count < len(train):
        raise SamplesError(
            f"validation is {validation}, which is {count} of {len(train)} training samples; "
            f"{len(train.classes)} classes need at least one each, and the training too"
        )
    held = held_out(train.labels, validation, seed, train.classes)
    has_test = bool((samples.split == TEST).any())
    learnt = train.values[~held]
    axes = (0, 2, 3) if learnt.ndim == 4 else (0,)
    mean = learnt.mean(axes, dtype=np.float64)
    deviation = learnt.std(axes, dtype=np.float64)
    shape = (-1, 1, 1) if learnt.ndim == 4 else (-1,)
    return TrainingMaterial(
        _split(learnt, train.labels[~held], device),
        _split(train.values[held], train.labels[held], device),
        _split(*_both(samples.part(TEST)), device) if has_test else None,
        torch.tensor(mean, dtype=torch.float32, device=device).reshape(shape),
        # A value that never changes tells nothing: it stays 0.
        torch.tensor(np.where(deviation > 0, deviation, 1), dtype=torch.float32, device=device).reshape(shape),
        train.classes,
    )


def _both(samples: LabelledSamples) -> tuple[np.ndarray, np.ndarray]:
    return samples.values, samples.labels


def _split(values: np.ndarray, labels: np.ndarray, device) -> SampleSplit:
    return SampleSplit(torch.from_numpy(np.ascontiguousarray(values)).to(device), torch.from_numpy(labels).to(device))
