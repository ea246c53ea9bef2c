"""Score the words of a probe beside their nulls and their rival, on images with masks."""

from functools import partial

from filterscope import job, tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, readable
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.words.explaining.targets import Tokens
from filterscope.words.firing import Thresholds
from filterscope.words.results import compared_rows, scored_row, top_images, trained_labels
from filterscope.words.scoring.score_table import WORDS
from filterscope.words.scoring.scores import ScoreSettings, measure, score_remarks, support
from filterscope.words.truth import Truth

WORD_COLUMNS = ["candidates", "filter", "image_rank", "rank", "word"]


def score_words(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_thresholds,
    path_to_top_images,
    path_to_weights,
    paths_to_maps,
    path_to_overlaps,
    paths_to_words,
    paths_to_votes,
    path_to_measurements,
    path_to_claims,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    settings: ScoreSettings,
    split,
    seed,
    defects=Faithful(),
    path_to_clip_words=None,
):
    """paths_to_words and paths_to_votes go by row: words, shuffled_labels. path_to_clip_words: of CLIP-Dissect, where
    it is a rival."""
    device = job.device()
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    annotations = tables.read(path_to_annotations, "annotations")
    images = tables.read(path_to_images, "images").to_pandas()
    labels = trained_labels(annotations, images)
    extracted = tables.column(paths_to_image_activations, "image_activations", "image_id")
    images = readable(images, extracted, split)
    thresholds = tables.read(path_to_thresholds, "thresholds").to_pandas()
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    depth = max(settings.recall_at)
    rows = {
        name: scored_row(
            tables.batches(paths_to_words[name], "image_words", WORD_COLUMNS, rows=65536),
            tables.read(paths_to_votes[name], "filter_votes"),
            tokens.every,
            top_ids.shape,
            depth,
            held_out=tokens.unsupervised.any(),
        )
        for name in paths_to_words
    }
    rows |= compared_rows(
        rows[WORDS],
        labels,
        tables.read(path_to_overlaps, "overlaps"),
        tokens,
        maxima,
        depth,
        seed,
        tables.read(path_to_clip_words, "clip_words") if path_to_clip_words else None,
    )
    load = partial(building.load, probe.network, path_to_weights)
    with reading_again(probe, paths_to_maps, images["image_id"], load, device) as reader:
        pictures = pictures_again(reader, folder, images, annotations, probe, probe.input_masks)
        measured = measure(
            look(pictures, activations),
            reader,
            probe.inputs,
            Truth(pictures.annotations.table, tokens.every),
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
    tables.write(claims, "filter_claims", path_to_claims)
    tables.write(claims, "filter_claims", path_to_csv)
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
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_top_images=snakemake.input.top_images,
        path_to_weights=snakemake.input.weights,
        paths_to_maps=list(snakemake.input.maps),
        path_to_overlaps=snakemake.input.overlaps,
        paths_to_words={name: snakemake.input[f"{name}_by_image"] for name in snakemake.params.explainers},
        paths_to_votes={name: snakemake.input[f"{name}_by_filter"] for name in snakemake.params.explainers},
        path_to_measurements=snakemake.output.measurements,
        path_to_claims=snakemake.output.claims,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        settings=ScoreSettings(**snakemake.params.scores),
        split=snakemake.params.split,
        seed=snakemake.params.seed,
        defects=Faithful(**snakemake.params.faithful),
        path_to_clip_words=snakemake.input.get("clip_words") or None,
    )
