"""Dissect the filters on training images: Network Dissection's labels, the evidence for every claim, and samples.

One look at the training images serves all three.
"""

import numpy as np

from filterscope import job, tables
from filterscope.activations.mining import mined
from filterscope.faithful import Faithful
from filterscope.words.explaining.evidence import EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs
from filterscope.words.explaining.training_images import StudySettings, sample_rows, study, study_remarks
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.rivals.dissection import Dissection


def dissect_filters(
    shown: ProbedImages,
    path_to_overlaps,
    path_to_evidence,
    path_to_attended,
    settings: StudySettings,
    resolution,
    kept,
    seed,
):
    """resolution: px of the grid of comparison; kept: tokens reported per filter, as many again never supervised."""
    device = job.device()
    images, tokens = shown.readable("train"), shown.tokens()
    every = np.array(tokens.every, object)
    thresholds = Thresholds.of(shown.thresholds())
    dissection = Dissection(thresholds, len(every), resolution, device)
    chosen = settings.evidence
    pairs = TopPairs(*mined(shown.paths_to_image_activations, chosen.top_images, chosen.top_share, "train").best())
    with (
        shown.scenes(images, tokens.every, device, "batches of training images") as (seen, objects),
        tables.Writer("attended_activations", path_to_attended) as samples,
    ):
        evidence, fired = study(
            seen,
            len(every),
            objects,
            pairs,
            thresholds,
            settings,
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
    params = snakemake.params
    explanation = ExplanationSettings(params.words["method"], params.activations["pool"])
    dissect_filters(
        ProbedImages.of(snakemake.input, params, snakemake.threads),
        path_to_overlaps=snakemake.output.overlaps,
        path_to_evidence=snakemake.output.evidence,
        path_to_attended=snakemake.output.attended,
        settings=StudySettings(
            EvidenceSettings.from_mapping(params.words),
            explanation.faithful(Faithful(**params.faithful)),
            params.overlap,
            params.attended,
        ),
        resolution=params.resolution,
        kept=params.kept,
        seed=params.seed,
    )
