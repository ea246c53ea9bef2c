"""Resample the training samples of a set by one method, guided by the expected capacity."""

from functools import partial

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples, write_samples
from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.resampling import unbalanced
from filterscope.diagnosis.resampling.methods import SYNTHETIC, ResamplingSettings, guided


def resample_samples(
    path_to_samples,
    path_to_resampled,
    path_to_origins,
    path_to_history,
    path_to_csv,
    entry,
    method,
    settings: ResamplingSettings,
    measure,
    encoder,
    seed,
    threads=1,
):
    """entry: rare, kept; measure: norm and ties of the expected capacity; encoder: network of the features, or None."""
    job.use_threads(threads)
    samples = read_samples(path_to_samples)
    rarity = unbalanced.rarity(samples.classes, entry["rare"], entry["kept"])
    chance = np.random.default_rng(job.derived_seed(seed, "resample_samples", "draw"))
    drawn = unbalanced.draw(samples, rarity, 1.0, chance)
    device = "cpu"
    if encoder:  # without a network no torch is loaded
        device = job.device()
    values, test = unbalanced.space(drawn, encoder, job.derived_seed(seed, "encoder"), device, job.progress)
    seeds = np.random.SeedSequence(job.derived_seed(seed, "resample_samples", method)).generate_state(
        settings.iterations
    )
    made, history = guided(values, drawn.train.labels, method, settings, partial(expected_capacity, **measure), seeds)
    resampled = unbalanced.with_test(made, drawn, test)
    write_samples(resampled, path_to_resampled)
    origin = np.concatenate([np.where(made.origin == SYNTHETIC, -1, drawn.origin[made.origin]), drawn.test_origin])
    origins = pd.DataFrame({"sample": np.arange(len(origin)), "origin": pd.array(origin, "Int64")})
    tables.write(origins.assign(origin=origins["origin"].mask(origin < 0)), "resampled_origins", path_to_origins)
    for path in (path_to_history, path_to_csv):
        tables.write(pd.DataFrame(history), "resampling_history", path)
    best = next(row for row in reversed(history) if row["best"])
    counts = f"{best['removed']} of {len(drawn.train)} samples removed, {best['synthetic']} made"
    job.LOGGER.info("%s: %s; %.1f bits, the least of %d draws", method, counts, best["unrounded"], len(history))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    resample_samples(
        path_to_samples=snakemake.input.samples,
        path_to_resampled=snakemake.output.samples,
        path_to_origins=snakemake.output.origins,
        path_to_history=snakemake.output.history,
        path_to_csv=snakemake.output.csv,
        entry=snakemake.params.entry,
        method=snakemake.wildcards.method,
        settings=ResamplingSettings(**snakemake.params.settings),
        measure=snakemake.params.measure,
        encoder=unbalanced.Encoder.from_mapping(snakemake.params.encoder),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
