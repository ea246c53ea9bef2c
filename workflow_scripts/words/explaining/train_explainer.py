"""Train one explainer: from pooled activations to word vectors."""

from pathlib import Path

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.resumption import PhaseCheckpoints
from filterscope.words.explaining.samples import learnt_from, split_samples
from filterscope.words.explaining.taught import TaughtWords
from filterscope.words.explaining.training import ExplainerSettings, fit, in_words


def train_explainer(
    paths_to_pooled,
    paths_to_attended,
    path_to_categories,
    path_to_vocabulary,
    path_to_weights,
    path_to_history,
    path_to_csv,
    settings: ExplainerSettings,
    seed,
    shuffled_labels=False,
    faithful: Faithful = Faithful(),
    code="",
    path_to_temperatures=None,
):
    """paths_to_attended: samples pooled by filters' attention, with the tokens that their regions show.

    shuffled_labels trains the null explainer. faithful: defects of the reference, of which `settings` have theirs.
    code: digest of the program; a checkpoint of another program is not taken up. path_to_temperatures: of a training
    that follows a schedule of the temperature room; the table has no lines for others.
    """
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary"))
    taught = TaughtWords.of(tables.read(path_to_categories, "categories").to_pandas(), vocabulary)
    shards = (tables.read(path, "pooled_activations") for path in paths_to_pooled)
    attended = (tables.read(path, "attended_activations") for path in paths_to_attended) if settings.attended else None
    gathered = learnt_from(shards, attended, taught.tokens, seed if shuffled_labels else None)
    job.LOGGER.info("%s", gathered.counted())
    parts = split_samples(gathered, settings.choosing, seed, faithful.scored_images_choose, faithful.instance_split)
    del gathered
    words = taught.decisive(settings.vocabulary_negatives > 0)
    temperatures, checkpoints = [], PhaseCheckpoints(path_to_weights, words, taught.rows, seed, code)
    model, history = fit(
        parts,
        taught.vectors,
        settings,
        seed,
        job.device(),
        taught.every,
        taught.rows,
        checkpoint=checkpoints,
        progress=lambda epochs: job.progress(epochs, len(epochs), "epochs"),
        measured=temperatures.append,
    )
    if path_to_temperatures is not None:
        found = temperatures[-1]
        tables.write(found if len(found) else tables.empty("temperatures"), "temperatures", path_to_temperatures)
    table = pd.DataFrame(history)
    for path in (path_to_history, path_to_csv):
        tables.write(table, "history", path)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(model.cpu(), temporary)
    checkpoints.remove()
    job.LOGGER.info("chosen by %d samples: %s", len(parts.choose), in_words(history))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    train_explainer(
        paths_to_pooled=list(snakemake.input.pooled),
        paths_to_attended=list(snakemake.input.attended),
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_weights=Path(snakemake.output.weights),
        path_to_history=snakemake.output.history,
        path_to_csv=snakemake.output.csv,
        settings=ExplainerSettings(**snakemake.params.training).faithful(faithful),
        seed=snakemake.params.seed,
        shuffled_labels=snakemake.params.shuffled_labels,
        faithful=faithful,
        code=snakemake.params.code,
        path_to_temperatures=snakemake.output.temperatures,
    )
