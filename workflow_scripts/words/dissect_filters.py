"""Dissect the filters: the token whose masks overlap each one's region best, on training images."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, open_pictures, readable, reading
from filterscope.data import networks
from filterscope.words.dissection import Dissection
from filterscope.words.firing import Thresholds
from filterscope.words.targets import Tokens
from filterscope.words.truth import Truth, scenes


def dissect_filters(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_thresholds,
    path_to_weights,
    path_to_overlaps,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    resolution,
    kept,
):
    """resolution: px of the grid of comparison; kept: tokens reported per filter, as many again never supervised."""
    device = job.device()
    extracted = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = readable(tables.read(path_to_images, "images").to_pandas(), extracted, "train")
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    thresholds = Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas())
    dissection = Dissection(thresholds, len(tokens.every), resolution, device)
    annotations = tables.read(path_to_annotations, "annotations")
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        pictures = open_pictures(folder, images, annotations, probe.inputs, probe.input_masks)
        truth = Truth(pictures.annotations.table, tokens.every)
        batches = look(pictures, activations, title="batches of training images")
        for _, maps, scene in scenes(batches, reader, probe.inputs, truth, device):
            dissection.add(maps, scene)
    best = dissection.best(kept, tokens.unsupervised)
    best["token"] = np.array(tokens.every, object)[best["token"]]
    tables.write(best, "overlaps", path_to_overlaps)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    dissect_filters(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        path_to_overlaps=snakemake.output.overlaps,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        resolution=snakemake.params.resolution,
        kept=snakemake.params.kept,
    )
