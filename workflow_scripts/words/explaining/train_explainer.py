"""Train an explainer, from pooled activations to word vectors, and its null, which learns from shuffled labels."""

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
    at_the_end=PhaseCheckpoints.remove,
):
    """paths_to_attended: samples pooled by filters' attention, with the tokens that their regions show.

    shuffled_labels trains the null explainer. faithful: defects of the reference, of which `settings` have theirs.
    code: digest of the program; a checkpoint of another program is not taken up. path_to_temperatures: of a training
    that follows a schedule of the temperature room; the table has no lines for others. at_the_end: called with the
    training's checkpoints when all is written.
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
    temperatures, checkpoints = [], PhaseCheckpoints(Path(path_to_weights), words, taught.rows, seed, code)
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
    for path in (path_to_history, path_to_csv):
        tables.write(pd.DataFrame(history), "history", path)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(model.cpu(), temporary)
    at_the_end(checkpoints)
    job.LOGGER.info("chosen by %d samples: %s", len(parts.choose), in_words(history))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    faithful, ended = Faithful(**snakemake.params.faithful), []
    settings = ExplainerSettings(**snakemake.params.training).faithful(faithful)
    written = ("weights", "history", "csv", "temperatures")
    for null in (each for each in ("", "null_") if snakemake.output.get(f"{each}weights")):
        train_explainer(
            paths_to_pooled=list(snakemake.input.pooled),
            paths_to_attended=list(snakemake.input.attended),
            path_to_categories=snakemake.input.categories,
            path_to_vocabulary=snakemake.input.vocabulary,
            **{f"path_to_{name}": snakemake.output[f"{null}{name}"] for name in written},
            settings=settings,
            seed=snakemake.params.seed,
            shuffled_labels=bool(null),
            faithful=faithful,
            code=snakemake.params.code,
            at_the_end=ended.append,
        )
    for checkpoints in ended:  # only now: a job killed while the null learns finds what it has done
        checkpoints.remove()
