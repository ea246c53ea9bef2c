"""Name senses by the words that tell the images nearest to their centres from those of the filter's other senses."""

import pandas as pd

from filterscope import job, tables
from filterscope.activations.again import pair_at_hand
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.faithful import Faithful
from filterscope.pictures.files import CHANCE
from filterscope.pictures.senses.words import locate_kept, sense_words
from filterscope.words.explaining.candidates import read_candidates
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings


def name_senses(
    path_to_members,
    path_to_images,
    paths_to_maps,
    paths_to_explained_maps,
    path_to_weights,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    path_to_explainer,
    path_to_table,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    explained: ProbeSettings | None,
    activations: ExtractionSettings,
    settings: ExplanationSettings,
    nearest,
    printed,
    most,
    seed,
):
    """explained: the layer of the same network that the explainer knows, None for the filters' own; nearest: images of
    a sense that are explained, at most; printed: words of a sense; most: gigabytes of maps that were not kept."""
    device = job.device()
    vocabulary, sought = read_candidates(path_to_categories, path_to_vocabulary, path_to_allowed)
    members = tables.read(path_to_members, "sense_images").to_pandas()
    near = members[members["rank"] < nearest]
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(near["image_id"])]
    look = images, folder, path_to_weights, activations, most, device
    with pair_at_hand(probe, explained, paths_to_maps, paths_to_explained_maps, *look) as (fired, seen):
        size = settings.explainer_size(seen)
        explainer = load_explainer(path_to_explainer, size, vocabulary.dimension).to(device).eval()
        found = locate_kept(near, fired, seen, explainer, settings.pool, device)
    words, taught = sought["vocabulary"][0], set(sought["categories"][0].words)
    table = sense_words(found, words, printed, job.derived_seed(seed, "sense_words"), taught)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "sense_words", path)
    first = table[table["rank"] == 0]
    apart = pd.to_numeric(first["p"]).dropna()
    job.LOGGER.info("words tell %d of %d senses apart", int((apart <= CHANCE).sum()), len(apart))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    activations = ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads)
    explained = snakemake.params.explained
    name_senses(
        path_to_members=snakemake.input.members,
        path_to_images=snakemake.input.images,
        paths_to_maps=list(snakemake.input.maps),
        paths_to_explained_maps=list(snakemake.input.explained_maps),
        path_to_weights=snakemake.input.weights,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        path_to_explainer=snakemake.input.explainer,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        explained=ProbeSettings.from_mapping(explained) if explained else None,
        activations=activations,
        settings=ExplanationSettings.of(snakemake.params.words, activations).faithful(
            Faithful(**snakemake.params.faithful)
        ),
        nearest=snakemake.params.nearest,
        printed=snakemake.params.words["printed"],
        most=snakemake.params.kept,
        seed=snakemake.params.seed,
    )
