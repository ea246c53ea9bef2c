"""Dissect the filters on training images: Network Dissection's labels, the evidence for every claim, and samples.

One look at the training images serves all three.
"""

from functools import partial

import numpy as np

from filterscope import job, tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.mining import mined
from filterscope.activations.probing import ProbeSettings, look, readable
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.words.explaining.evidence import EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs
from filterscope.words.explaining.targets import Tokens
from filterscope.words.explaining.training_images import StudySettings, sample_rows, study, study_remarks
from filterscope.words.firing import Thresholds
from filterscope.words.rivals.dissection import Dissection
from filterscope.words.truth import Truth, scenes


def dissect_filters(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_thresholds,
    path_to_weights,
    paths_to_maps,
    path_to_overlaps,
    path_to_evidence,
    path_to_attended,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    explanation: ExplanationSettings,
    settings: EvidenceSettings,
    attended,
    overlap,
    resolution,
    kept,
    seed,
):
    """attended: samples of the explainer per training object, at most. overlap: IoU above which an object belongs to a
    region. resolution: px of the grid of comparison; kept: tokens reported per filter, as many again never supervised.
    """
    device = job.device()
    extracted = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = readable(tables.read(path_to_images, "images").to_pandas(), extracted, "train")
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    every = np.array(tokens.every, object)
    thresholds = Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas())
    annotations = tables.read(path_to_annotations, "annotations")
    dissection = Dissection(thresholds, len(tokens.every), resolution, device)
    load = partial(building.load, probe.network, path_to_weights)
    pairs = TopPairs(*mined(paths_to_image_activations, settings.top_images, settings.top_share, "train").best())
    with (
        reading_again(probe, paths_to_maps, images["image_id"], load, device) as reader,
        tables.Writer("attended_activations", path_to_attended) as samples,
    ):
        pictures = pictures_again(reader, folder, images, annotations, probe, probe.input_masks)
        objects = pictures.annotations.table
        batches = look(pictures, activations, title="batches of training images")
        evidence, fired = study(
            scenes(batches, reader, probe.inputs, Truth(objects, tokens.every), device),
            len(every),
            pairs,
            thresholds,
            StudySettings(settings, explanation, overlap, round(attended * len(objects))),
            seed,
            device,
            lambda image_id, found: samples.add(sample_rows(image_id, found, every)),
            dissection,
        )
    best = dissection.best(kept, tokens.unsupervised)
    best["token"] = every[best["token"]]
    tables.write(best, "overlaps", path_to_overlaps)
    tables.write(evidence.table(tokens.every), "evidence", path_to_evidence)
    for remark in study_remarks(evidence, fired, every):
        job.LOGGER.warning("%s", remark)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    activations = ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads)
    words = snakemake.params.words
    dissect_filters(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        paths_to_maps=list(snakemake.input.maps),
        path_to_overlaps=snakemake.output.overlaps,
        path_to_evidence=snakemake.output.evidence,
        path_to_attended=snakemake.output.attended,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=activations,
        explanation=ExplanationSettings(words["method"], activations.pool).faithful(
            Faithful(**snakemake.params.faithful)
        ),
        settings=EvidenceSettings.from_mapping(words),
        attended=snakemake.params.attended,
        overlap=snakemake.params.overlap,
        resolution=snakemake.params.resolution,
        kept=snakemake.params.kept,
        seed=snakemake.params.seed,
    )
