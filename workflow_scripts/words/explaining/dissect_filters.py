"""Dissect the filters on training images: Network Dissection's labels, the evidence for every claim, and samples.

One look at the training images serves all three; that of a large dataset is cut into shards, which are put together
where all have looked.
"""

import numpy as np

from filterscope import job, tables
from filterscope.data.networks.untrained import is_untrained
from filterscope.faithful import Faithful
from filterscope.words.dissecting import Dissected
from filterscope.words.explaining.evidence import EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.training_images import StudySettings, study_remarks
from filterscope.words.looking import ProbedImages


def dissect_filters(
    shown: ProbedImages,
    settings: StudySettings,
    resolution,
    kept,
    seed,
    path_to_overlaps=None,
    path_to_evidence=None,
    path_to_attended=None,
    path_to_sums=None,
    scatteritem=None,
    paths_to_shards=(),
    passing_on=False,
):
    """resolution: px of the grid of comparison; kept: tokens reported per filter, as many again never supervised.

    scatteritem: the shard that is looked at, whose sums and samples are written instead of the tables. paths_to_shards:
    sums of all shards, from which the tables follow; then nothing is looked at, and no samples are written. passing_on:
    where the layer stopped the shard's tables say so, and nothing is raised: they are read beside other layers'.
    """
    if paths_to_shards:
        dissected = Dissected.gathered(shown, paths_to_shards, settings, resolution)
    else:
        asked = (path_to_attended, settings, resolution, seed, job.device(), scatteritem)
        try:
            dissected = Dissected.looked(shown, *asked)
        except tables.StoppedError as error:
            if not passing_on:
                raise
            job.LOGGER.error("%s; the tables say so", error)
            tables.write_stopped("shard_sums", path_to_sums, error.reason)
            tables.write_stopped("attended_activations", path_to_attended, error.reason)
            return
    if scatteritem is not None:
        dissected.write_sums(path_to_sums)
        return
    evidence = dissected.evidence()
    tables.write(dissected.overlaps(kept), "overlaps", path_to_overlaps)
    tables.write(evidence.table(dissected.tokens.every), "evidence", path_to_evidence)
    for remark in study_remarks(evidence, dissected.studied.fired, np.array(dissected.tokens.every, object)):
        job.LOGGER.warning("%s", remark)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    params = snakemake.params
    explanation = ExplanationSettings(params.words["method"], params.activations["pool"])
    dissect_filters(
        ProbedImages.of(snakemake.input, params, snakemake.threads),
        StudySettings(
            EvidenceSettings.from_mapping(params.words),
            explanation.faithful(Faithful(**params.faithful)),
            params.overlap,
            params.attended,
            params.activations["batch_size"],
        ),
        resolution=params.resolution,
        kept=params.kept,
        seed=params.seed,
        path_to_overlaps=snakemake.output.get("overlaps"),
        path_to_evidence=snakemake.output.get("evidence"),
        path_to_attended=snakemake.output.get("attended"),
        path_to_sums=snakemake.output.get("sums"),
        scatteritem=snakemake.wildcards.get("scatteritem"),
        paths_to_shards=list(snakemake.input.get("sums", [])),
        passing_on=is_untrained(snakemake.wildcards.probe),
    )
