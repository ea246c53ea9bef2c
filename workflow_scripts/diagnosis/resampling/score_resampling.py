"""Score classifiers trained on resampled training samples, for several draws of these."""

from functools import partial

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.resampling import unbalanced
from filterscope.diagnosis.resampling.evaluation import score
from filterscope.diagnosis.resampling.methods import ResamplingSettings


def score_resampling(
    path_to_samples,
    path_to_scores,
    path_to_csv,
    entry,
    settings: ResamplingSettings,
    measure,
    encoder,
    methods,
    classifiers,
    seeds,
    drawn,
    seed,
    threads=1,
):
    """entry: rare, kept; seeds: draws; drawn: share of the training samples in each."""
    job.use_threads(threads)
    samples = read_samples(path_to_samples)
    rarity = unbalanced.rarity(samples.classes, entry["rare"], entry["kept"])
    capacity, parts = partial(expected_capacity, **measure), []
    device = "cpu"
    if encoder:  # without a network no torch is loaded
        device = job.device()
    for number in job.progress(range(seeds), seeds, "draws"):
        chance = np.random.default_rng(job.derived_seed(seed, "score_resampling", number))
        own = unbalanced.draw(samples, rarity, drawn, chance)
        train, test = unbalanced.space(own, encoder, job.derived_seed(seed, "encoder", number), device)
        each = (train, own.train.labels), (test, own.test.labels)
        scored = score(*each, own.rare, methods, classifiers, settings, capacity, int(chance.integers(2**31)))
        parts.append(scored.assign(seed=number, rare=samples.classes[own.rare]))
    scores = pd.concat(parts, ignore_index=True)
    for path in (path_to_scores, path_to_csv):
        tables.write(scores, "resampling_scores", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    score_resampling(
        path_to_samples=snakemake.input.samples,
        path_to_scores=snakemake.output.scores,
        path_to_csv=snakemake.output.csv,
        entry=snakemake.params.entry,
        settings=ResamplingSettings(**snakemake.params.settings),
        measure=snakemake.params.measure,
        encoder=unbalanced.Encoder.from_mapping(snakemake.params.encoder),
        **snakemake.params.comparison,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
