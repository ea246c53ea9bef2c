"""An explainer's training that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path

from filterscope import resumption
from filterscope.words.explaining.samples import ExplainerSamples
from filterscope.words.explaining.training import ExplainerSettings, ExplainerState


class Checkpoint(resumption.Checkpoint):
    """The training's state on disk."""

    kind = ExplainerState


beside = Checkpoint.beside


class PhaseCheckpoints:
    """The checkpoints of a training's phases, beside its weights: it goes on only if it is just this one.

    parts: arrays, seeds and digests that make it this one, besides the samples and settings of a phase.
    """

    def __init__(self, path_to_weights: Path, *parts):
        self.path, self.parts = path_to_weights, parts
        self.made: list[Checkpoint] = []

    def __call__(self, samples: ExplainerSamples, settings: ExplainerSettings, phase: str) -> Checkpoint:
        """That of a phase, as `training.fit` asks for it."""
        own = self.path.with_name(f"{self.path.stem}.{phase}")
        self.made.append(beside(own, samples.activations, samples.targets, settings, *self.parts))
        return self.made[-1]

    def remove(self) -> None:
        """The training is finished."""
        for each in self.made:
            each.remove()
