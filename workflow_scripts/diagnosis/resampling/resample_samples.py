"""Resample the training samples of a set by every method, guided by the expected capacity."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples, write_samples
from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.resampling import unbalanced
from filterscope.diagnosis.resampling.methods import SYNTHETIC, ResamplingSettings, guided


def resample_samples(
    path_to_samples,
    paths: Mapping[str, Mapping[str, str | Path]],
    entry,
    settings: ResamplingSettings,
    measure,
    encoder,
    seed,
    threads=1,
):
    """paths: by method, of its samples, origins, history and csv. entry: rare, kept; measure: norm and ties of the
    expected capacity; encoder: network of the features, or None."""
    job.use_threads(threads)
    samples = read_samples(path_to_samples)
    rarity = unbalanced.rarity(samples.classes, entry["rare"], entry["kept"])
    chance = np.random.default_rng(job.derived_seed(seed, "resample_samples", "draw"))
    drawn = unbalanced.draw(samples, rarity, 1.0, chance)
    device = "cpu"
    if encoder:  # without a network no torch is loaded
        device = job.device()
    values, test = unbalanced.space(drawn, encoder, job.derived_seed(seed, "encoder"), device, job.progress)
    capacity = partial(expected_capacity, **measure)
    for method, own in paths.items():
        drawing = np.random.SeedSequence(job.derived_seed(seed, "resample_samples", method))
        seeds = drawing.generate_state(settings.iterations)
        made, history = guided(values, drawn.train.labels, method, settings, capacity, seeds)
        write_samples(unbalanced.with_test(made, drawn, test), own["samples"])
        origin = np.concatenate([np.where(made.origin == SYNTHETIC, -1, drawn.origin[made.origin]), drawn.test_origin])
        origins = pd.DataFrame({"sample": np.arange(len(origin)), "origin": pd.array(origin, "Int64")})
        tables.write(origins.assign(origin=origins["origin"].mask(origin < 0)), "resampled_origins", own["origins"])
        for path in (own["history"], own["csv"]):
            tables.write(pd.DataFrame(history), "resampling_history", path)
        best = next(row for row in reversed(history) if row["best"])
        counts = f"{best['removed']} of {len(drawn.train)} samples removed, {best['synthetic']} made"
        job.LOGGER.info("%s: %s; %.1f bits, the least of %d draws", method, counts, best["unrounded"], len(history))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    written = {
        method: {name: snakemake.output[name][place] for name in ("samples", "origins", "history", "csv")}
        for place, method in enumerate(snakemake.params.methods)
    }
    resample_samples(
        path_to_samples=snakemake.input.samples,
        paths=written,
        entry=snakemake.params.entry,
        settings=ResamplingSettings(**snakemake.params.settings),
        measure=snakemake.params.measure,
        encoder=unbalanced.Encoder.from_mapping(snakemake.params.encoder),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
