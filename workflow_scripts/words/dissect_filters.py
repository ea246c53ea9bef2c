"""Dissect the filters: the token whose masks overlap each one's region best, on training images."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings, read_maps
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import MaskGrid, stream
from filterscope.data import networks
from filterscope.data.rejection import stop
from filterscope.words.dissection import Dissection
from filterscope.words.targets import Tokens
from filterscope.words.truth import Truth


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
    readable = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[(images["split"] == "train") & images["image_id"].isin(readable)]
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    thresholds = tables.read(path_to_thresholds, "thresholds")["threshold"].to_numpy()
    side = probe.inputs.crop
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        annotations = tables.read(path_to_annotations, "annotations")
        pictures = open_pictures(folder, images, annotations, probe.inputs, MaskGrid(sampled=((side, side),)))
        truth = Truth(pictures.annotations.table, tokens.every)
        dissection = Dissection(thresholds, len(tokens.every), resolution, device)
        batches = stream(pictures, activations.batch_size, activations.workers, stop)
        for batch in job.progress(batches, -(-len(images) // activations.batch_size), "batches of training images"):
            maps = read_maps(batch, reader, probe.inputs, device)
            for index, look in enumerate(batch.looks):
                dissection.add(maps[index], truth.of(look, side, device))
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
