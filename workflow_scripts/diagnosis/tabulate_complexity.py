"""Tabulate the complexity of all measured sets beside the published values (seed 001, table 1)."""

import pyarrow.csv as pa_csv

from filterscope import job, tables
from filterscope.diagnosis.complexity import complexity_table


def tabulate_complexity(paths_to_measured, path_to_published, paths_to_table, published_as):
    """paths_to_measured: by set of samples, the files of its tables by name; paths_to_table: Parquet and CSV."""
    measured = {
        name: {table: tables.read(path, table).to_pandas() for table, path in paths.items()}
        for name, paths in paths_to_measured.items()
    }
    published = tables.checked(pa_csv.read_csv(path_to_published), "published_complexity", str(path_to_published))
    table = complexity_table(measured, published.to_pandas(), published_as)
    for path in paths_to_table:
        tables.write(table, "complexity", path)
    for row in table[table["complete"]].itertuples():
        job.LOGGER.info(
            "%s, %s (%s): %.5g; shuffled labels %.5g", *(row.samples, row.measure, row.embedding, row.value, row.null)
        )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_complexity(
        paths_to_measured=snakemake.params.measured,
        path_to_published=snakemake.input.published,
        paths_to_table=(snakemake.output.table, snakemake.output.csv),
        published_as=snakemake.params.published_as,
    )
