"""Measure whether the objects that filters are named after are what they answer to: laid into pictures, taken out."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, open_pictures, readable, reading
from filterscope.activations.streaming import Annotations, stream
from filterscope.data.networks import building
from filterscope.data.rejection import stop
from filterscope.words.explaining.targets import token_indices, token_list
from filterscope.words.proofs.answers import ProofSettings, plan, respond
from filterscope.words.proofs.causes import Effects, causes, counted, lent_claims, spread_of
from filterscope.words.proofs.windows import Windows, cutouts, framed, views


def measure_causes(
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
    settings: ProofSettings,
    bootstrap,
    confidence,
    false_discoveries,
    split,
    seed,
):
    """split: images that score, of which objects and backgrounds are; bootstrap, confidence: of the intervals."""
    device, chance = job.device(), np.random.default_rng(job.derived_seed(seed, "measure_causes"))
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    activity = tables.read(paths_to_image_activations, "image_activations")
    images = readable(tables.read(path_to_images, "images").to_pandas(), activity["image_id"].to_numpy(), split)
    spread = spread_of(activity, images["image_id"].to_numpy())
    claims = token_indices(tables.read(path_to_claims, "filter_claims")["claim"], tokens)
    claimed = np.isin(np.arange(len(tokens)), claims)
    annotations = Annotations(tables.read(path_to_annotations, "annotations"), images["image_id"].to_numpy()).table
    objects = framed(annotations, images, probe.inputs.crop, settings.smallest, tokens)
    chosen = plan(images["image_id"].to_numpy(), objects, claimed, settings, chance)
    job.LOGGER.info("%d objects are used; unusable: %s", len(chosen.objects), chosen.reasons())
    with reading(probe, building.load(probe.network, path_to_weights), device) as reader:
        grounds = images[images["image_id"].isin(chosen.backgrounds)]
        grounds = look(open_pictures(folder, grounds, None, probe.inputs), activations, title="batches of backgrounds")
        batch_size, around = activations.batch_size, Windows(folder, images, chosen.objects, probe.inputs.crop)
        found = cutouts(stream(around, batch_size, activations.workers, stop))
        answers = respond(chosen, views(grounds), found, reader, probe.inputs, batch_size, device, chance, job.progress)
    thresholds = tables.read(path_to_thresholds, "thresholds")
    table = causes(
        Effects(answers, ~thresholds["dead"].to_numpy(), spread, settings, bootstrap, confidence, seed),
        claims,
        lent_claims(claims, chance),
        tokens,
        chosen.unusable_by_token(),
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
        settings=ProofSettings(**snakemake.params.proofs),
        **snakemake.params.scores,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
