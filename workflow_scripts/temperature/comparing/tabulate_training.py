"""Tabulate test errors: published ones, and ours with intervals over the seeds."""

import io

from filterscope import job, tables
from filterscope.temperature.duel import read_published, training_table


def tabulate_training(paths_to_results, published, path_to_table, path_to_csv, experiments):
    """experiments: the published one that a network on some samples repeats, by "network samples"."""
    results = tables.read(paths_to_results, "training_results").to_pandas()
    repeated = {tuple(key.split(" ")): name for key, name in experiments.items()}
    table = training_table(results, read_published(published), repeated)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "training_table", path)
    job.LOGGER.info("%d trainings, %d lines", len(results), len(table))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_training(
        paths_to_results=list(snakemake.input.results),
        published=io.StringIO(snakemake.params.published),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        experiments=snakemake.params.experiments,
    )
