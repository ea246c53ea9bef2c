"""Tabulate the complexity of all measured sets beside the published values (Debugger, table 1)."""

import io

from filterscope import job, tables
from filterscope.diagnosis.complexity.growth import complexity_table, read_published


def tabulate_complexity(paths_to_measured, published, path_to_table, path_to_csv, published_as):
    """paths_to_measured: by set of samples, the files of its tables by name."""
    measured = {
        name: {table: tables.read(path, table).to_pandas() for table, path in paths.items()}
        for name, paths in paths_to_measured.items()
    }
    table = complexity_table(measured, read_published(published), published_as)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "complexity", path)
    for row in table[table["complete"]].itertuples():
        job.LOGGER.info(
            "%s, %s (%s): %.5g; shuffled labels %.5g", *(row.samples, row.measure, row.embedding, row.value, row.null)
        )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_complexity(
        paths_to_measured=job.located(snakemake.params.measured, snakemake.input),
        published=io.StringIO(snakemake.params.published),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        published_as=snakemake.params.published_as,
    )
