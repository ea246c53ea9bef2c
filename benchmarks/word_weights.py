"""Which weights of evidence and novelty? Recall and the share of new words, by cross-validation on training images.

As in choices.py the scored images choose nothing. One line per network, split and pair of weights; `--choose` reads
such lines of all networks and prints what the rule takes: of the pairs with enough new words on every network the one
with the largest mean recall.
"""

from __future__ import annotations

import dataclasses
import sys
from itertools import product

import numpy as np
import pandas as pd
import torch
from choices import DEFAULT, folds
from material import real_study

from filterscope.activations.probing import reading
from filterscope.words.explaining.novelty import novel
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.targets import token_list
from filterscope.words.in_memory_run import ProbeTrials
from filterscope.words.scoring.scores import ScoreSettings

EVIDENCE = (0.0, 0.01, 0.015, 0.02, 0.03)
NOVELTY = (0.024, 0.028, 0.032, 0.036)
# Share of the first words that must be new on every network.
NEW, FIRST = 0.25, 5
COLUMNS = ("network", "seed", "evidence", "novelty", "recall5", "recall10", "recall20", "new")


def weigh(name: str, seeds: range) -> None:
    """Print the lines of one network, as CSV."""
    torch.set_num_threads(1)
    study = real_study(name)
    pairs = {f"{evidence} {novelty}": (evidence, novelty) for evidence, novelty in product(EVIDENCE, NOVELTY)}
    proposals = {each: ProposalSettings(*weights) for each, weights in pairs.items()}
    settings = dataclasses.replace(DEFAULT, scores=ScoreSettings(bootstrap=1, resolution=28))
    is_new = np.array(novel(study.vocabulary.words, token_list(study.categories, supervised_only=False)))
    with reading(study.probe, study.network, torch.device("cpu")) as reader:
        for seed in seeds:
            trials = ProbeTrials(folds(study, seed), reader, seed, torch.device("cpu"))
            table, words = trials.compare(settings, proposals)
            recalls = table[(table["metric"] == "recall") & (table["candidates"] == "vocabulary")]
            values = recalls.set_index(["row", "k"])["resamples"]
            for each, weights in pairs.items():
                rows = words[each]["vocabulary"].rows[..., :FIRST]
                share = is_new[rows[rows >= 0]].mean()
                recall = [values[each, k][0] for k in (5, 10, 20)]
                print(",".join(map(str, [name, seed, *weights, *(f"{value:.5f}" for value in [*recall, share])])))
            sys.stdout.flush()


def choose(paths: list[str]) -> None:
    """Print the means over networks and splits, and the pair that is taken."""
    lines = pd.concat([pd.read_csv(path, names=COLUMNS) for path in paths])
    by_network = lines.groupby(["evidence", "novelty", "network"])[list(COLUMNS[4:])].mean()
    means = by_network.groupby(["evidence", "novelty"]).mean()
    means["least_new"] = by_network["new"].groupby(["evidence", "novelty"]).min()
    enough = means[means["least_new"] >= NEW]
    print(means.round(4).to_string())
    print("taken:", enough["recall5"].idxmax() if len(enough) else "none has enough new words")


if __name__ == "__main__":
    if sys.argv[1] == "--choose":
        choose(sys.argv[2:])
    else:
        first, last = map(int, sys.argv[2:4]) if len(sys.argv) > 2 else (0, 3)
        weigh(sys.argv[1], range(first, last))
