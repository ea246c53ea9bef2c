"""Explain all filters of a probe: words for every top image, and the filters' words by vote."""

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, open_pictures, reading
from filterscope.data import networks
from filterscope.data.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.candidates import candidates, read_allowed
from filterscope.words.explainer import load_explainer
from filterscope.words.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.results import image_words, top_images, votes_table
from filterscope.words.targets import Tokens


def explain_filters(
    path_to_images,
    path_to_top_images,
    path_to_thresholds,
    path_to_weights,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    paths_to_explainers,
    paths_to_words,
    paths_to_votes,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    settings: ExplanationSettings,
    voting,
    weighting,
    printed,
):
    """paths_to_explainers, paths_to_words and paths_to_votes go by the explainer's name: words, shuffled_labels."""
    device = job.device()
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary")).including(tokens.every)
    sought = candidates(vocabulary, tokens.every, read_allowed(path_to_allowed), tokens.held_out)
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    pairs = TopPairs(top_ids, maxima)
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(pairs.image_ids)]
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        size = reader.filters * (reader.height * reader.width if settings.pool == "native" else 1)
        explainers = {
            name: load_explainer(path, size, vocabulary.dimension).to(device)
            for name, path in paths_to_explainers.items()
        }
        pictures = open_pictures(folder, images, None, probe.inputs)
        found = explain(
            look(pictures, activations),
            reader,
            probe.inputs,
            explainers,
            pairs,
            tables.read(path_to_thresholds, "thresholds")["threshold"].to_numpy(),
            sought,
            settings,
            device,
        )
    for name in paths_to_explainers:
        words = {where: found[name, where] for where in sought}
        with tables.Writer("image_words", paths_to_words[name]) as writer:
            for part in image_words(words, top_ids, vocabulary.words):
                writer.add(part)
        votes = votes_table(words, maxima, vocabulary.words, voting, weighting, printed)
        tables.write(votes, "filter_votes", paths_to_votes[name])
    job.LOGGER.info("%d filters explained by %d images", len(top_ids), len(images))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    names = snakemake.params.explainers
    activations = ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    explain_filters(
        path_to_images=snakemake.input.images,
        path_to_top_images=snakemake.input.top_images,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        paths_to_explainers={name: snakemake.input[name] for name in names},
        paths_to_words={name: snakemake.output[f"{name}_by_image"] for name in names},
        paths_to_votes={name: snakemake.output[f"{name}_by_filter"] for name in names},
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=activations,
        settings=ExplanationSettings(
            method=snakemake.params.words["method"],
            pool=activations.pool,
            per_image=snakemake.params.words["per_image"],
            batch_size=activations.batch_size,
        ).faithful(faithful),
        voting=snakemake.params.words["voting"],
        weighting=snakemake.params.words["weighting"],
        printed=snakemake.params.words["printed"],
    )
