"""Train one explainer: from pooled activations to word vectors."""

from pathlib import Path

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.resumption import PhaseCheckpoints
from filterscope.words.explaining.samples import learnt_from, split_samples
from filterscope.words.explaining.targets import token_list
from filterscope.words.explaining.training import ExplainerSettings, fit


def train_explainer(
    paths_to_pooled,
    path_to_attended,
    path_to_categories,
    path_to_vocabulary,
    path_to_weights,
    path_to_history,
    path_to_csv,
    settings: ExplainerSettings,
    seed,
    shuffled_labels=False,
    instance_split=False,
    scored_choose=False,
    code="",
    path_to_temperatures=None,
):
    """path_to_attended: samples pooled by filters' attention, with the tokens that their regions show.

    shuffled_labels trains the null explainer. instance_split repeats a defect of the reference, parts drawn by object;
    scored_choose another one, that the scored images choose the epoch.

    code: digest of the program; a checkpoint of another program is not taken up. path_to_temperatures: of a training
    that follows a schedule of the temperature room; the table has no lines for others.
    """
    device = job.device()
    categories = tables.read(path_to_categories, "categories").to_pandas()
    tokens = token_list(categories)
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary"))
    vocabulary = vocabulary.including(token_list(categories, supervised_only=False))
    rows = vocabulary.rows(tokens)
    vectors = vocabulary.vectors[rows]
    shards = (tables.read(path, "pooled_activations") for path in paths_to_pooled)
    of_attention = (tables.read(path, "attended_activations") for path in [path_to_attended])
    null = seed if shuffled_labels else None
    gathered = learnt_from(shards, of_attention if settings.attended else None, tokens, null)
    parts = split_samples(gathered, settings.choosing, seed, scored_choose, instance_split)
    count, attended = len(gathered.samples), gathered.samples.attended
    del gathered
    words = vocabulary.vectors.numpy() if settings.vocabulary_negatives else vectors.numpy()
    temperatures, checkpoints = [], PhaseCheckpoints(path_to_weights, words, rows, seed, code)
    model, history = fit(
        parts,
        vectors,
        settings,
        seed,
        device,
        vocabulary.vectors,
        rows,
        checkpoint=checkpoints,
        progress=lambda epochs: job.progress(epochs, len(epochs), "epochs"),
        measured=temperatures.append,
    )
    if path_to_temperatures is not None:
        found = temperatures[-1]
        tables.write(found if len(found) else tables.empty("temperatures"), "temperatures", path_to_temperatures)
    table = pd.DataFrame(history)
    tables.write(table, "history", path_to_history)
    tables.write(table, "history", path_to_csv)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(model.cpu(), temporary)
    checkpoints.remove()
    best = table[table["best"]].iloc[0]
    job.LOGGER.info("%d objects and %d attended samples", count - attended, attended)
    job.LOGGER.info("chosen by %d samples: epoch %d, loss %.3f", len(parts.choose), best["epoch"], best["val_loss"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    train_explainer(
        paths_to_pooled=list(snakemake.input.pooled),
        path_to_attended=snakemake.input.attended,
        path_to_categories=snakemake.input.categories,
        path_to_vocabulary=snakemake.input.vocabulary,
        path_to_weights=Path(snakemake.output.weights),
        path_to_history=snakemake.output.history,
        path_to_csv=snakemake.output.csv,
        settings=ExplainerSettings(**snakemake.params.training).faithful(faithful),
        seed=snakemake.params.seed,
        shuffled_labels=snakemake.params.shuffled_labels,
        instance_split=faithful.instance_split,
        scored_choose=faithful.scored_images_choose,
        code=snakemake.params.code,
        path_to_temperatures=snakemake.output.temperatures,
    )
