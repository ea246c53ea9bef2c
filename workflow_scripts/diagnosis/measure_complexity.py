"""Measure how hard labelled samples are: expected capacity, and separability of the classes in every embedding."""

from functools import partial

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.data.samples import read_samples
from filterscope.diagnosis.complexity import (
    CurveSettings,
    capacity_curve,
    place_rows,
    separability_curve,
    similarity_rows,
)
from filterscope.diagnosis.neighbours import TREE_DIMENSIONS
from filterscope.diagnosis.separability import SeparabilitySettings
from filterscope.diagnosis.spaces import EmbeddingSettings, space


def measure_complexity(
    path_to_samples,
    paths_to_tables,
    embeddings,
    probes,
    curve: CurveSettings,
    norm,
    ties,
    separability: SeparabilitySettings,
    embedding: EmbeddingSettings,
    seed,
    threads=1,
):
    """Of the training samples. paths_to_tables: by schema. probes: by embedding that is one, settings and weights."""
    samples = read_samples(path_to_samples).part("train")
    device = "cpu"
    if embeddings != ["raw"] or np.prod(samples.shape) > TREE_DIMENSIONS:  # a plane does without torch
        job.use_threads(threads)
        device = job.device()
    seed = job.derived_seed(seed, "complexity")
    found = {"expected_capacities": [capacity_curve(samples.values, samples.labels, curve, seed, norm, ties)]}
    for name in job.progress(embeddings, len(embeddings), "embeddings"):
        features = _features(*probes[name], device) if name in probes else None
        held = space(name, samples, embedding, seed, features, device)
        rows, whole = separability_curve(held.points, held.labels, curve, separability, seed, device)
        job.LOGGER.info("%s: CSG %.4g, %.0f effective samples", name, whole.csg, whole.effective_samples)
        size = {"count": [len(held.labels)], "dimensions": [held.points.shape[1]], "explained": [held.explained]}
        for table, added in (
            ("separabilities", rows),
            ("embeddings", pd.DataFrame(size)),
            ("class_similarities", similarity_rows(whole, samples.classes)),
            ("class_places", place_rows(whole, samples.classes)),
        ):
            found.setdefault(table, []).append(added.assign(embedding=name))
    for table, path in paths_to_tables.items():
        tables.write(pd.concat(found[table], ignore_index=True), table, path)


def _features(probe, path_to_weights, device):
    """What a probe makes of pictures."""
    from filterscope.data import networks
    from filterscope.diagnosis.features import network_features

    settings = networks.NetworkSettings.from_mapping(probe["network"])
    network = networks.load(settings, path_to_weights)
    return partial(network_features, network, probe["layer"], probe["call"], inputs=settings.input, device=device)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    params = snakemake.params
    measure_complexity(
        path_to_samples=snakemake.input.samples,
        paths_to_tables=dict(snakemake.output.items()),
        embeddings=params.embeddings,
        probes={
            name: (probe, path)
            for (name, probe), path in zip(params.probes.items(), snakemake.input.weights, strict=True)
        },
        curve=CurveSettings(**params.curve),
        norm=params.order["norm"],
        ties=params.order["ties"],
        separability=SeparabilitySettings(**params.separability),
        embedding=EmbeddingSettings(**params.embedding),
        seed=params.seed,
        threads=snakemake.threads,
    )
