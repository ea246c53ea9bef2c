"""Score the words of a probe beside their nulls and their rival, on images with masks."""

from filterscope import job, tables
from filterscope.faithful import Faithful
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.results import SaidPaths, top_images
from filterscope.words.scoring.scores import ScoreSettings, measure, score_remarks, support


def score_words(
    shown: ProbedImages,
    said: SaidPaths,
    path_to_top_images,
    path_to_measurements,
    path_to_claims,
    path_to_csv,
    settings: ScoreSettings,
    split,
    seed,
    defects=Faithful(),
):
    """said: words of every explainer (words, shuffled_labels), and what they are scored beside."""
    device = job.device()
    tokens, images, thresholds = shown.tokens(), shown.readable(split), shown.thresholds()
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    labels = shown.trained_labels()
    rows = said.rows(labels, tokens, maxima, max(settings.recall_at), seed)
    with shown.view(images, device, tokens.every) as (batches, reader, truth):
        measured = measure(
            batches,
            reader,
            shown.probe.inputs,
            truth,
            images["image_id"].to_numpy(),
            top_ids,
            maxima,
            Thresholds.of(thresholds),
            thresholds["dead"].to_numpy(),
            rows,
            settings.faithful(defects, reader.filters),
            seed,
            device,
            tokens.asked,
            decoys=True,
        )
    tables.write(tables.measurements(measured.table), "measurements", path_to_measurements)
    claims = support(measured, thresholds, tokens.every, settings)
    for path in (path_to_claims, path_to_csv):
        tables.write(claims, "filter_claims", path)
    for remark in score_remarks(images, claims):
        job.LOGGER.warning("%s", remark)
    job.LOGGER.info(
        "%d of %d live filters have a supported name; %d of %d lent claims would be",
        claims["supported"].sum(),
        (~thresholds["dead"]).sum(),
        claims["lent_supported"].sum(),
        claims["lent"].sum(),
    )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    score_words(
        ProbedImages.of(snakemake.input, snakemake.params, snakemake.threads),
        SaidPaths.of(snakemake.input, snakemake.params.explainers),
        path_to_top_images=snakemake.input.top_images,
        path_to_measurements=snakemake.output.measurements,
        path_to_claims=snakemake.output.claims,
        path_to_csv=snakemake.output.csv,
        settings=ScoreSettings(**snakemake.params.scores),
        split=snakemake.params.split,
        seed=snakemake.params.seed,
        defects=Faithful(**snakemake.params.faithful),
    )
