"""Measure how hard labelled samples are: expected capacity, and separability of the classes in every embedding."""

from functools import partial

import numpy as np

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.complexity.measurement import ComplexitySettings, measured
from filterscope.diagnosis.complexity.neighbours import TREE_DIMENSIONS


def measure_complexity(path_to_samples, paths_to_tables, embeddings, probes, settings, seed, threads=1):
    """Of the training samples. paths_to_tables: by schema. probes: by embedding that is one, settings and weights."""
    job.use_threads(threads)
    samples = read_samples(path_to_samples).part("train")
    device = "cpu"
    if embeddings != ["raw"] or np.prod(samples.shape) > TREE_DIMENSIONS:  # a plane does without torch
        device = job.device()
    features = {name: _features(*probe, device) for name, probe in probes.items()}
    found = measured(samples, embeddings, features, settings, job.derived_seed(seed, "complexity"), device)
    for table, path in paths_to_tables.items():
        tables.write(found[table], table, path)


def _features(probe, path_to_weights, device):
    """What a probe makes of pictures."""
    from filterscope.data.networks import building
    from filterscope.data.networks.settings import NetworkSettings
    from filterscope.diagnosis.complexity.features import network_features

    settings = NetworkSettings.from_mapping(probe["network"])
    network = building.load(settings, path_to_weights)
    return partial(network_features, network, probe["layer"], probe["call"], inputs=settings.input, device=device)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    probes = snakemake.params.probes
    measure_complexity(
        path_to_samples=snakemake.input.samples,
        paths_to_tables=dict(snakemake.output.items()),
        embeddings=snakemake.params.embeddings,
        probes=dict(zip(probes, zip(probes.values(), snakemake.input.weights, strict=True), strict=True)),
        settings=ComplexitySettings.from_mapping(snakemake.params.complexity),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
