"""Name optimised pictures by the words that the explainer finds for them, and look for the filters' claims there."""

from dataclasses import replace
from pathlib import Path

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.pictures.picture_words import PicturePairs, agreement, claims_of, nearest_words_of
from filterscope.words.explaining.candidates import read_candidates
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.firing import Thresholds


def name_pictures(
    path_to_pictures,
    path_to_thresholds,
    path_to_weights,
    path_to_categories,
    path_to_vocabulary,
    path_to_allowed,
    path_to_explainer,
    path_to_claims,
    path_to_table,
    path_to_csv,
    probe: ProbeSettings,
    settings: ExplanationSettings,
    first,
):
    """path_to_claims is None where there are no masks; first: words of the categories that a claim should be among."""
    device = job.device()
    vocabulary, sought = read_candidates(path_to_categories, path_to_vocabulary, path_to_allowed)
    claims = claims_of(tables.read(path_to_claims, "filter_claims").to_pandas() if path_to_claims else None)
    # The picture is the network's input as it is: nothing of it is cropped.
    inputs = replace(probe.inputs, resize=probe.inputs.crop)
    with reading(probe, building.load(probe.network, path_to_weights), device) as reader:
        explainer = load_explainer(path_to_explainer, settings.explainer_size(reader), vocabulary.dimension).to(device)
        pairs = PicturePairs(tables.read(path_to_pictures, "pictures").to_pandas(), reader.filters)
        pictures = open_pictures(Path(path_to_pictures).parent, pairs.images(), None, inputs)
        thresholds = Thresholds.of(tables.read(path_to_thresholds, "thresholds").to_pandas())
        said = nearest_words_of(pictures, pairs.top, reader, inputs, explainer, thresholds, sought, settings, device)
    table = pairs.table(said["vocabulary"], said["categories"], vocabulary.words, claims, first)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "picture_words", path)
    job.LOGGER.info("%s", agreement(table))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    name_pictures(
        path_to_pictures=snakemake.input.table,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_allowed=snakemake.input.get("allowed") or None,
        path_to_explainer=snakemake.input.explainer,
        path_to_claims=snakemake.input.get("claims") or None,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        settings=ExplanationSettings.of(
            snakemake.params.words, ExtractionSettings(**snakemake.params.activations)
        ).faithful(Faithful(**snakemake.params.faithful)),
        first=snakemake.params.first,
    )
