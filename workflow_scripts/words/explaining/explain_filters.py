"""Explain all filters of a probe: words for every top image, and the filters' words by vote."""

from filterscope import job, tables
from filterscope.data.networks.fields import field_table, receptive_field
from filterscope.data.networks.heads import class_names, feeds_table, head_weights
from filterscope.faithful import Faithful
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.explaining.explanation_tables import ExplanationPaths, KnownPaths, VoteSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.top_maps import TopMaps
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.results import top_images


def explain_filters(
    shown: ProbedImages,
    path_to_top_images,
    known: KnownPaths,
    written: ExplanationPaths,
    settings: ExplanationSettings,
    proposals: ProposalSettings,
    votes: VoteSettings,
):
    """known: what words are chosen by, and explainers by their name (words, shuffled_labels)."""
    device, probe = job.device(), shown.probe
    words = known.read(shown.tokens(), proposals, device)
    if not words.claimable.any():
        job.LOGGER.warning("%s", words.nameless())
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    pairs, kept = TopPairs(top_ids, maxima), TopMaps(maxima)
    images = shown.images()
    images = images[images["image_id"].isin(pairs.image_ids)]
    network = shown.network()
    share = receptive_field(network, probe.layer, probe.call, probe.inputs.crop)
    feeds = feeds_table(head_weights(network, probe.layer, probe.inputs.crop), class_names(probe.network))
    with shown.view(images, device, maps=settings.from_maps, load=lambda: network) as (batches, reader, _):
        size = settings.explainer_size(reader)
        found = explain(
            batches,
            reader,
            probe.inputs,
            {
                name: load_explainer(path, size, words.vocabulary.dimension).to(device)
                for name, path in known.paths_to_explainers.items()
            },
            pairs,
            Thresholds.of(shown.thresholds()),
            words.proposers,
            settings,
            device,
            kept,
        )
    written.write(found, words, votes, top_ids, maxima)
    tables.write(kept.table(top_ids), "heatmaps", written.path_to_heatmaps)
    tables.write(feeds, "feeds", written.path_to_feeds)
    field = field_table(probe.layer, share, probe.inputs.crop)
    tables.write(field, "receptive_field", written.path_to_field)
    job.LOGGER.info("%d filters explained by %d images", len(top_ids), len(images))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    params = snakemake.params
    shown = ProbedImages.of(snakemake.input, params, snakemake.threads)
    faithful = Faithful(**params.faithful)
    explain_filters(
        shown,
        path_to_top_images=snakemake.input.top_images,
        known=KnownPaths.of(snakemake.input, params.explainers),
        written=ExplanationPaths.of(snakemake.output, params.explainers),
        settings=ExplanationSettings.of(params.words, shown.activations).faithful(faithful),
        proposals=ProposalSettings(params.words["evidence"], params.words["novelty"]).faithful(faithful),
        votes=VoteSettings.of(params.words, faithful),
    )
