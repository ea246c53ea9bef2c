"""Name facets by the words that an explainer finds for the images nearest to their centres."""

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.data.networks import building
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.pictures.facets.words import FacetPairs
from filterscope.pictures.picture_words import nearest_words_of
from filterscope.words.explaining.candidates import candidates, read_allowed
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.targets import Tokens
from filterscope.words.firing import Thresholds


def name_facets(
    path_to_facets,
    path_to_images,
    path_to_thresholds,
    path_to_weights,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    path_to_explainer,
    path_to_table,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    settings: ExplanationSettings,
    nearest,
    voting,
    printed,
):
    """nearest: images of a facet that are explained, at most; voting, printed: as for filters."""
    device = job.device()
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary")).including(tokens.every)
    sought = {"vocabulary": candidates(vocabulary, tokens.every, read_allowed(path_to_allowed))["vocabulary"]}
    facets = tables.read(path_to_facets, "facets").to_pandas()
    images = tables.read(path_to_images, "images").to_pandas()
    with reading(probe, building.load(probe.network, path_to_weights), device) as reader:
        explainer = load_explainer(path_to_explainer, settings.explainer_size(reader), vocabulary.dimension).to(device)
        pairs = FacetPairs(facets, nearest, reader.filters)
        images = images[images["image_id"].isin(pairs.top.image_ids)]
        pictures = open_pictures(folder, images, None, probe.inputs)
        thresholds = Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas())
        said = nearest_words_of(
            pictures, pairs.top, reader, probe.inputs, explainer, thresholds, sought, settings, device
        )
    table = pairs.vote(said["vocabulary"], vocabulary.words, voting, printed)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "facet_words", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    name_facets(
        path_to_facets=snakemake.input.facets,
        path_to_images=snakemake.input.images,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        path_to_explainer=snakemake.input.explainer,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        settings=ExplanationSettings.of(
            snakemake.params.words, ExtractionSettings(**snakemake.params.activations)
        ).faithful(Faithful(**snakemake.params.faithful)),
        nearest=snakemake.params.nearest,
        voting=snakemake.params.words["voting"],
        printed=snakemake.params.words["printed"],
    )
