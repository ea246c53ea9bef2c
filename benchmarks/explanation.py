"""Explaining and scoring all 2,048 filters of ResNet-50 `layer4`: time and memory for 1, 2 and 4 times the images.

Every size runs in a process of its own, whose peak memory the operating system tells.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import torch
from material import real_study

from filterscope.activations.extraction import read_maps
from filterscope.activations.mining import TopImages
from filterscope.activations.probing import open_pictures, reading
from filterscope.activations.streaming import MaskGrid, stream
from filterscope.activations.tails import Tail
from filterscope.activations.thresholds import threshold
from filterscope.data.rejection import stop
from filterscope.words.explaining.candidates import candidates
from filterscope.words.explaining.explainer import Explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.explaining.proposals import ProposalSettings, proposers
from filterscope.words.explaining.targets import token_list
from filterscope.words.in_memory_run import MiningSettings, row_from_words
from filterscope.words.results import constant_row, shuffled_row
from filterscope.words.scoring.score_table import WORDS
from filterscope.words.scoring.scored_images import measure
from filterscope.words.scoring.scores import ScoreSettings
from filterscope.words.truth import Truth

BATCH = 32


def measured(times: int) -> None:
    """Print seconds and peak memory for the validation images, repeated so many times."""
    torch.set_num_threads(2)
    study, device = real_study(), torch.device("cpu")
    own = study.images[study.images["split"] == "val"]
    step = int(study.images["image_id"].max()) + 1
    images = pd.concat([own.assign(image_id=own["image_id"] + step * each) for each in range(times)], ignore_index=True)
    objects = study.annotations.to_pandas()
    objects = objects[objects["image_id"].isin(own["image_id"])]
    repeated = [
        objects.assign(
            image_id=objects["image_id"] + step * each, annotation_id=objects["annotation_id"] + 10**13 * each
        )
        for each in range(times)
    ]
    annotations = study.annotations.schema.empty_table().from_pandas(
        pd.concat(repeated), schema=study.annotations.schema, preserve_index=False
    )
    tokens = token_list(study.categories)
    inputs, side = study.probe.inputs, study.probe.inputs.crop
    with reading(study.probe, study.network, device) as reader:
        # Mining, which the workflow has cached by then, is not timed.
        top, tail = TopImages(25), Tail(reader.filters, 0.995, len(images) * reader.height * reader.width)
        for batch in stream(open_pictures(study.folder, images, None, inputs), BATCH, 2, stop):
            maps = read_maps(batch, reader, inputs, device)
            tail.add(maps)
            top.add(batch.image_ids, maps.amax((2, 3)).numpy(), maps.mean((2, 3)).numpy())
        thresholds = threshold([tail.table()["values"]], tail.n, 0.995)
        top_ids, maxima = top.best()  # 25 also of few images, so that only the number of images differs
        # What training images say of the filters is another rule's work; how much they say does not matter here.
        surprise = np.zeros((reader.filters, len(tokens)))

        started = time.perf_counter()
        model = Explainer(reader.filters, study.vocabulary.dimension, power=0.5, hidden=512).eval()
        pairs = TopPairs(top_ids, maxima)
        sought = candidates(study.vocabulary, tokens)
        asked = proposers(sought, study.vocabulary.restricted(tokens), surprise, ProposalSettings(0.015, 0.036), device)
        shown = images[images["image_id"].isin(pairs.image_ids)]
        words = explain(
            stream(open_pictures(study.folder, shown, None, inputs), BATCH, 2, stop),
            reader,
            inputs,
            {WORDS: model},
            pairs,
            thresholds,
            {WORDS: asked},
            ExplanationSettings(),
            device,
        )
        explained = time.perf_counter() - started

        rows_of_tokens = study.vocabulary.rows(tokens)
        row = row_from_words(
            {where: each for (_, where), each in words.words.items()}, rows_of_tokens, maxima, MiningSettings()
        )
        shape = top_ids.shape
        rows = {
            WORDS: row,
            "constant_words": constant_row(np.arange(len(tokens)), shape, 20),
            "shuffled_filters": shuffled_row(row, (maxima > 0).sum(1), 0),
        }
        pictures = open_pictures(study.folder, images, annotations, inputs, MaskGrid(sampled=((side, side),)))
        measure(
            stream(pictures, BATCH, 2, stop),
            reader,
            inputs,
            Truth(pictures.annotations.table, tokens),
            {},
            rows,
            images["image_id"].to_numpy(),
            top_ids,
            maxima,
            thresholds,
            maxima.max(1) <= 0,
            ScoreSettings(),
            0,
            device,
            decoys=True,
        )
    scored = time.perf_counter() - started - explained
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"| {len(images)} | {explained:.1f} | {scored:.1f} | {explained + scored:.1f} | {peak:.2f} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measured(int(sys.argv[1]))
    else:
        print(
            "| images | explaining (s) | scoring (s) | both (s) | peak memory (GiB) |\n|---|---|---|---|---|",
            flush=True,
        )
        for times in (1, 2, 4):
            subprocess.run([sys.executable, __file__, str(times)], check=True)
