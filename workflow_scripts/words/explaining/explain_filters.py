"""Explain all filters of a probe: words for every top image, and the filters' words by vote."""

from functools import partial

from filterscope import job, tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look
from filterscope.data.networks import building
from filterscope.data.networks.heads import class_names, feeds_table, head_weights
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import candidates, read_allowed
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.explaining.proposals import ProposalSettings, apart, known_chances, proposers
from filterscope.words.explaining.targets import Tokens
from filterscope.words.explaining.top_maps import TopMaps
from filterscope.words.firing import Thresholds
from filterscope.words.results import claimed, image_words, top_images, votes_table
from filterscope.words.scoring.score_table import WORDS

NAMELESS = (
    "words.allowed lists %d words, none of which is a category's, as %s is: filters are described, but none has a "
    "name, since only masks of a category could support one"
)


def explain_filters(
    path_to_images,
    path_to_top_images,
    path_to_thresholds,
    path_to_weights,
    paths_to_maps,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    path_to_evidence,
    paths_to_explainers,
    paths_to_words,
    paths_to_votes,
    path_to_apart,
    path_to_heatmaps,
    path_to_feeds,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    settings: ExplanationSettings,
    proposals: ProposalSettings,
    voting,
    weighting,
    printed,
    voted=False,
):
    """paths_to_explainers, paths_to_words and paths_to_votes go by the explainer's name: words, shuffled_labels.

    path_to_evidence: of the dataset that the explainers learnt from. voted: whether claims are voted for, the published
    way, and not chosen by the evidence.
    """
    device = job.device()
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary")).including(tokens.every)
    allowed = read_allowed(path_to_allowed)
    sought = candidates(vocabulary, tokens.every, allowed, tokens.held_out)
    claimable = tokens.claimable(allowed)
    if not claimable.any():
        job.LOGGER.warning(NAMELESS, len(allowed), tokens.supervised[0])
    evidence = Evidence.of(tables.read(path_to_evidence, "evidence").to_pandas(), tokens.every)
    known = known_chances(evidence, tokens, paths_to_explainers)
    of_tokens = vocabulary.restricted(tokens.supervised)
    asked, whole = (
        {name: proposers(among, of_tokens, each, proposals, device) for name, each in known.items()}
        for among in (sought, candidates(vocabulary, tokens.every))
    )
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    pairs, kept = TopPairs(top_ids, maxima), TopMaps(maxima)
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(pairs.image_ids)]
    network = building.load(probe.network, path_to_weights)
    feeds = feeds_table(head_weights(network, probe.layer, probe.inputs.crop), class_names(probe.network))
    maps = paths_to_maps if settings.from_maps else []
    with reading_again(probe, maps, images["image_id"], lambda: network, device) as reader:
        size = settings.explainer_size(reader)
        explainers = {
            name: load_explainer(path, size, vocabulary.dimension).to(device)
            for name, path in paths_to_explainers.items()
        }
        pictures = pictures_again(reader, folder, images, None, probe)
        found = explain(
            look(pictures, activations),
            reader,
            probe.inputs,
            explainers,
            pairs,
            Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas()),
            asked,
            settings,
            device,
            kept,
        )
    for name in paths_to_explainers:
        words = {where: found.words[name, where] for where in sought}
        with tables.Writer("image_words", paths_to_words[name]) as writer:
            for part in image_words(words, top_ids, vocabulary.words):
                writer.add(part)
        claims = None
        if name == WORDS and not voted:
            claims = claimed(evidence.claims(claimable), found.directions[name], vocabulary, tokens.every)
        weigh = partial(whole[name]["vocabulary"].of_words, found.directions[name])
        votes = votes_table(words, maxima, vocabulary.words, voting, weighting, printed, claims, weigh)
        tables.write(votes, "filter_votes", paths_to_votes[name])
    tables.write(kept.table(top_ids), "heatmaps", path_to_heatmaps)
    tables.write(feeds, "feeds", path_to_feeds)
    tables.write(apart(found.directions[WORDS], asked[WORDS], printed), "words_apart", path_to_apart)
    job.LOGGER.info("%d filters explained by %d images", len(top_ids), len(images))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    names, words = snakemake.params.explainers, snakemake.params.words
    activations = ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    explain_filters(
        path_to_images=snakemake.input.images,
        path_to_top_images=snakemake.input.top_images,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        paths_to_maps=list(snakemake.input.maps),
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        path_to_evidence=snakemake.input.evidence,
        paths_to_explainers={name: snakemake.input[name] for name in names},
        paths_to_words={name: snakemake.output[f"{name}_by_image"] for name in names},
        paths_to_votes={name: snakemake.output[f"{name}_by_filter"] for name in names},
        path_to_apart=snakemake.output.apart,
        path_to_heatmaps=snakemake.output.heatmaps,
        path_to_feeds=snakemake.output.feeds,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=activations,
        settings=ExplanationSettings.of(words, activations).faithful(faithful),
        proposals=ProposalSettings(words["evidence"], words["novelty"]).faithful(faithful),
        voting=words["voting"],
        weighting=words["weighting"],
        printed=words["printed"],
        voted=faithful.published_words,
    )
