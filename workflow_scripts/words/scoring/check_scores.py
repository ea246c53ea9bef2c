"""Test whether the scores notice wrong labels: some missing, some too many."""

from functools import partial

import pandas as pd

from filterscope import job, tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, readable
from filterscope.data.networks import building
from filterscope.words.explaining.targets import token_indices, token_list
from filterscope.words.firing import Thresholds
from filterscope.words.scoring.sanity import spoilt_metrics, verdicts
from filterscope.words.truth import Truth, scenes


def check_scores(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_thresholds,
    path_to_weights,
    paths_to_maps,
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
    extracted = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = readable(tables.read(path_to_images, "images").to_pandas(), extracted, split)
    claimed = token_indices(tables.read(path_to_claims, "filter_claims")["claim"], tokens)
    thresholds = Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas())
    annotations = tables.read(path_to_annotations, "annotations")
    load = partial(building.load, probe.network, path_to_weights)
    with reading_again(probe, paths_to_maps, images["image_id"], load, device) as reader:
        pictures = pictures_again(reader, folder, images, annotations, probe, probe.input_masks)
        truth = Truth(pictures.annotations.table, tokens)
        seen = scenes(look(pictures, activations), reader, probe.inputs, truth, device)
        metrics = spoilt_metrics(seen, claimed, thresholds, len(tokens), len(images), resolution, seed, device)
    table = pd.DataFrame(verdicts(metrics, claimed >= 0)).astype(object).where(lambda t: t.notna(), None)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "sanity", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    check_scores(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        paths_to_maps=list(snakemake.input.maps),
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
