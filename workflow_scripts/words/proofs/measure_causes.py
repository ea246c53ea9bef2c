"""Measure whether the objects that filters are named after are what they answer to: laid into pictures, taken out."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.readable import readable
from filterscope.words.explaining.targets import token_indices, token_list
from filterscope.words.proofs.causes import Effects, causes, counted, lent_claims, spread_of
from filterscope.words.proofs.responses import ProofSettings, responses_of


def measure_causes(
    path_to_images,
    paths_to_image_activations,
    path_to_answers,
    path_to_categories,
    path_to_thresholds,
    path_to_claims,
    path_to_table,
    path_to_csv,
    settings: ProofSettings,
    bootstrap,
    confidence,
    false_discoveries,
    split,
    seed,
):
    """split: images that score; bootstrap, confidence: of the intervals. Nothing is looked at here."""
    chance = np.random.default_rng(job.derived_seed(seed, "measure_causes"))
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    activity = tables.read(paths_to_image_activations, "image_activations")
    images = readable(tables.read(path_to_images, "images").to_pandas(), activity["image_id"].to_numpy(), split)
    spread = spread_of(activity, images["image_id"].to_numpy())
    responses, unusable = responses_of(tables.read(path_to_answers, "answers"), tokens)
    claims = token_indices(tables.read(path_to_claims, "filter_claims")["claim"], tokens)
    thresholds = tables.read(path_to_thresholds, "thresholds")
    table = causes(
        Effects(responses, ~thresholds["dead"].to_numpy(), spread, settings, bootstrap, confidence, seed),
        claims,
        lent_claims(claims, chance),
        tokens,
        unusable,
        false_discoveries,
    )
    for path in (path_to_table, path_to_csv):
        tables.write(table, "filter_causes", path)
    job.LOGGER.info("%s", counted(table))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    measure_causes(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_answers=snakemake.input.answers,
        path_to_categories=snakemake.input.categories,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_claims=snakemake.input.claims,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        settings=ProofSettings(**snakemake.params.proofs),
        **snakemake.params.scores,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
