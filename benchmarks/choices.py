"""Which of our additions win? Each default switched back alone, by cross-validation on training images.

The scored images choose nothing: the training images are split by image, one part is scored, the others are all that
thresholds, explainer, evidence and claims come from. Recall over the whole vocabulary and over the categories, and what
the claims reach, through the run in memory that measures the defects.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pandas as pd
import torch
from material import RealStudy, real_study

from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import reading
from filterscope.activations.streaming import Annotations
from filterscope.data.rejection import stop
from filterscope.words.explaining.evidence import EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.training import ExplainerSettings
from filterscope.words.in_memory_run import MiningSettings, ProbeTrials, TrialMaterial, TrialSettings
from filterscope.words.scoring.scores import ScoreSettings

FOLDS = 5
DEFAULT = TrialSettings(
    ExtractionSettings(),
    ExplainerSettings(
        learning_rate=0.003, averaging=3, vocabulary_negatives=1024, loss="softmax", power=0.5, hidden=512, attended=4
    ),
    MiningSettings(proposals=ProposalSettings(0.015, 0.036)),
    ExplanationSettings(),
    ScoreSettings(bootstrap=20),
)
# Columns of the table: metric, candidates and k of the measurements.
SHOWN = (
    *(("recall", where, k) for where in ("vocabulary", "categories") for k in (5, 10, 20)),
    *((metric, "categories", 1) for metric in ("iou", "f1", "auprc_lift", "correlation")),
)


def variants() -> dict[str, TrialSettings]:
    """Settings by name."""

    def trained(**changed) -> TrialSettings:
        return dataclasses.replace(DEFAULT, training=dataclasses.replace(DEFAULT.training, **changed))

    def mined(**changed) -> TrialSettings:
        return dataclasses.replace(DEFAULT, mining=dataclasses.replace(DEFAULT.mining, **changed))

    return {
        "default": DEFAULT,
        "objects alone are learnt from": trained(attended=0),
        "margin loss": trained(loss="csmr"),
        "inputs as they are": trained(power=1.0),
        "hidden layer as wide as the input": trained(hidden=None),
        "no negatives from the vocabulary": trained(vocabulary_negatives=0),
        "weights not averaged": trained(averaging=0),
        "nearest words alone": mined(proposals=ProposalSettings()),
        "new words pay nothing": mined(proposals=ProposalSettings(0.015, 0.0)),
        "claims not shrunk": mined(evidence=EvidenceSettings(shrinkage=0.0)),
        "claims not contrasted": mined(evidence=EvidenceSettings(contrast=0.0)),
        "claims voted for": mined(voted=True),
        "masks at cell centres": dataclasses.replace(DEFAULT, extraction=ExtractionSettings(masks="nearest")),
        "projection": dataclasses.replace(DEFAULT, explanation=ExplanationSettings("projection")),
    }


def folds(study: RealStudy, seed: int) -> TrialMaterial:
    """The training images alone, of which one part takes the place of the scored ones."""
    images = study.images[study.images["split"] == "train"].reset_index(drop=True)
    scored = np.random.default_rng(seed).permutation(len(images)) < len(images) // FOLDS
    images = images.assign(split=np.where(scored, "val", "train"))
    annotations = Annotations(study.annotations, images["image_id"].to_numpy()).table
    parts = (study.folder, images, annotations, study.categories, study.vocabulary, None)
    return TrialMaterial(*parts, study.probe.inputs, stop)


def main(name: str, seeds: int) -> None:
    """Print a table: means over as many splits as there are seeds."""
    torch.set_num_threads(2)
    study, lines = real_study(name), []
    with reading(study.probe, study.network, torch.device("cpu")) as reader:
        for seed in range(seeds):
            trials = ProbeTrials(folds(study, seed), reader, seed, torch.device("cpu"))
            for variant, settings in variants().items():
                table = trials.run(settings).set_index(["metric", "candidates", "k"])["resamples"]
                lines.append({"variant": variant, **{each: np.asarray(table[each])[0] for each in SHOWN}})
                print(f"seed {seed}, {variant}", file=sys.stderr, flush=True)
    means = pd.DataFrame(lines).groupby("variant", sort=False).mean()
    heads = [f"{metric} {where} @{k}" if metric == "recall" else metric for metric, where, k in SHOWN]
    print(f"| {name} | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for variant, row in means.iterrows():
        print(f"| {variant} | {' | '.join(f'{value:.4f}' for value in row)} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "alexnet", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
