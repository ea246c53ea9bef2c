"""Test whether the scores notice wrong labels: some missing, some too many."""

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings, read_maps
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import MaskGrid, stream
from filterscope.data import networks
from filterscope.data.rejection import stop
from filterscope.words.claims import Claims
from filterscope.words.sanity import SPOILERS, verdicts
from filterscope.words.targets import token_indices, token_list
from filterscope.words.truth import Truth


def test_scores(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_thresholds,
    path_to_weights,
    path_to_claims,
    path_to_table,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    resolution,
    split,
    seed,
):
    """Every live filter's own claim is scored against the true labels and against spoilt ones."""
    device = job.device()
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    readable = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(readable) & ((images["split"] == split) | (split == "all"))]
    claims = token_indices(tables.read(path_to_claims, "filter_claims")["claim"], tokens)
    thresholds = tables.read(path_to_thresholds, "thresholds")["threshold"].to_numpy()
    side = probe.inputs.crop
    once = np.ones((1, len(images)), np.float32)
    scores = {
        name: Claims({"words": claims}, thresholds, len(tokens), once, resolution, device)
        for name in ("true", *SPOILERS)
    }
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        annotations = tables.read(path_to_annotations, "annotations")
        pictures = open_pictures(folder, images, annotations, probe.inputs, MaskGrid(sampled=((side, side),)))
        truth = Truth(pictures.annotations.table, tokens)
        batches = stream(pictures, activations.batch_size, activations.workers, stop)
        position = 0
        for batch in job.progress(batches, -(-len(images) // activations.batch_size), "batches of images"):
            maps = read_maps(batch, reader, probe.inputs, device)
            for index, look in enumerate(batch.looks):
                scene = truth.of(look, side, device)
                scores["true"].add(position, maps[index], scene)
                for name, spoil in SPOILERS.items():
                    scores[name].add(position, maps[index], spoil(scene, look.image_id, seed))
                position += 1
    metrics = {name: score.metrics() for name, score in scores.items()}
    table = pd.DataFrame(verdicts(metrics, claims >= 0)).astype(object).where(lambda t: t.notna(), None)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "sanity", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    test_scores(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        path_to_claims=snakemake.input.claims,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        resolution=snakemake.params.resolution,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
