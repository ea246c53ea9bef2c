"""Tabulate recall as it was published and as this study measured it, with its nulls."""

import io

from filterscope import job, tables
from filterscope.report.reproduction import read_published, recall_table


def tabulate_recall(published, paths_to_scores, path_to_table, path_to_csv):
    """paths_to_scores: by experiment and probe."""
    runs = {
        experiment: {probe: tables.read(path, "scores").to_pandas() for probe, path in paths.items()}
        for experiment, paths in paths_to_scores.items()
    }
    table = recall_table(read_published(published), runs)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "reproduced_recall", path)
    job.LOGGER.info("%d of %d experiments are in this study", len(runs), table["experiment"].nunique())


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_recall(
        published=io.StringIO(snakemake.params.published),
        paths_to_scores=job.located(snakemake.params.scores, snakemake.input),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
