"""Which of our additions win on validation data: each default switched back alone, for one real network.

Recall over the whole vocabulary and over the categories, through the same trial that measures the defects.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import torch
from material import real_study

from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import reading
from filterscope.activations.streaming import Annotations
from filterscope.data.rejection import stop
from filterscope.words.explanation import ExplanationSettings
from filterscope.words.scoring import ScoreSettings
from filterscope.words.training import TrainingSettings
from filterscope.words.trial import Material, MiningSettings, Trials, TrialSettings

DEFAULT = TrialSettings(
    ExtractionSettings(),
    TrainingSettings(learning_rate=0.003, averaging=3, vocabulary_negatives=1024),
    MiningSettings(),
    ExplanationSettings(),
    ScoreSettings(bootstrap=100),
)


def variants() -> dict[str, tuple[int, TrialSettings]]:
    """By name: components removed from the vocabulary, and settings."""

    def trained(**changed) -> TrialSettings:
        return dataclasses.replace(DEFAULT, training=dataclasses.replace(DEFAULT.training, **changed))

    without = trained(vocabulary_negatives=0)
    return {
        "default": (0, DEFAULT),
        "no negatives from the vocabulary": (0, without),
        "common component kept": (-1, DEFAULT),
        "neither": (-1, without),
        "masks at cell centres": (0, dataclasses.replace(DEFAULT, extraction=ExtractionSettings(masks="nearest"))),
        "projection": (0, dataclasses.replace(DEFAULT, explanation=ExplanationSettings("projection"))),
        "two components removed": (2, DEFAULT),
        "weights not averaged": (0, trained(averaging=0)),
        "weights not averaged, learning rate 0.001": (0, trained(averaging=0, learning_rate=0.001)),
        "dadapt_adam, batch 2048": (0, trained(optimiser="dadapt_adam", batch_size=2048)),
    }


def main(name: str) -> None:
    """Print a table."""
    torch.set_num_threads(2)
    print(
        "| variant | vocabulary @5 | @10 | @20 | categories @5 | @10 | @20 |\n|---|---|---|---|---|---|---|", flush=True
    )
    trials: dict[int, Trials] = {}
    study = real_study(name)
    with reading(study.probe, study.network, torch.device("cpu")) as reader:
        for variant, (components, settings) in variants().items():
            if components not in trials:
                vocabulary = real_study(name, components).vocabulary
                annotations = Annotations(study.annotations, study.images["image_id"].to_numpy()).table
                parts = (study.folder, study.images, annotations, study.categories, vocabulary, None)
                material = Material(*parts, study.probe.inputs, stop)
                trials[components] = Trials(material, reader, 0, torch.device("cpu"))
            table = trials[components].run(settings)
            recall = table[table["metric"] == "recall"]
            values = [f"{np.asarray(each)[0]:.3f}" for each in recall["resamples"]]
            print(f"| {variant} | {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "alexnet")
