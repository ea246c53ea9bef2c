"""Name facets by the words that tell the images nearest to their centres from those of the class's other facets."""

from collections.abc import Sequence

import pandas as pd

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, open_pictures
from filterscope.activations.streaming import stream
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.rejection import stop
from filterscope.faithful import Faithful
from filterscope.pictures.facets.words import EXPLAINED, locate, words_apart
from filterscope.pictures.files import CHANCE
from filterscope.words.explaining.candidates import read_candidates
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings


def name_facets(
    path_to_facets,
    path_to_images,
    path_to_weights,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    paths_to_explainers,
    path_to_table,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    explained: Sequence[ProbeSettings],
    settings: ExplanationSettings,
    nearest,
    printed,
    seed,
):
    """probe: of the output units; explained: the layer of the same network that each explainer knows, or the same.

    nearest: images of a facet that are explained, at most; printed: words of a facet that are kept.
    """
    device = job.device()
    vocabulary, sought = read_candidates(path_to_categories, path_to_vocabulary, path_to_allowed)
    facets = tables.read(path_to_facets, "facets").to_pandas()
    near = facets[facets["rank"] < nearest]
    images = tables.read(path_to_images, "images").to_pandas()
    pictures = open_pictures(folder, images[images["image_id"].isin(near["image_id"])], None, probe.inputs)
    network = building.load(probe.network, path_to_weights).to(device)
    units, *layers = (Reader(network, at.layer, at.call, input_size=probe.inputs.crop) for at in (probe, *explained))
    asked = [
        (maps, load_explainer(path, settings.explainer_size(maps), vocabulary.dimension).to(device))
        for maps, path in zip(layers, paths_to_explainers, strict=True)
    ]
    batches = stream(pictures, settings.batch_size, 0, stop)
    found = locate(batches, near, units, asked, probe.inputs, settings.pool, device)
    words, taught = sought["vocabulary"][0], set(sought["categories"][0].words)
    table = words_apart(found, words, printed, job.derived_seed(seed, "facet_words"), taught)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "facet_words", path)
    apart = table[(table["rank"] == 0) & (pd.to_numeric(table["p"]) <= CHANCE)]
    told = len(apart), len(near[["unit", "facet"]].drop_duplicates()), len(near) - len(found.rows)
    job.LOGGER.info("words tell %d of %d facets apart; in %d images their unit is silent", *told)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    name_facets(
        path_to_facets=snakemake.input.facets,
        path_to_images=snakemake.input.images,
        path_to_weights=snakemake.input.weights,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        paths_to_explainers=list(snakemake.input.explainers),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        explained=[ProbeSettings.from_mapping(each) for each in snakemake.params.explained],
        settings=ExplanationSettings.of(
            snakemake.params.words, ExtractionSettings(**snakemake.params.activations)
        ).faithful(Faithful(**snakemake.params.faithful)),
        nearest=EXPLAINED,
        printed=snakemake.params.words["printed"],
        seed=snakemake.params.seed,
    )
