"""Tabulate whether networks fit data: what the data need beside what the networks hold."""

import json

import pandas as pd
import pyarrow.parquet as pq

from filterscope import job, tables
from filterscope.diagnosis.fit import fit_row, need_of


def tabulate_fit(
    pairs, path_to_capacities, paths_to_needs, paths_to_samples, path_to_table, path_to_csv, tolerance, family
):
    """pairs: names of a network and of samples each; needs and samples: paths by name of the samples."""
    capacities = tables.read(path_to_capacities, "network_capacities").to_pandas().set_index("network")["capacity"]
    rows = []
    for network, samples in pairs:
        shape = json.loads(pq.read_schema(paths_to_samples[samples]).metadata[b"shape"])
        need, shuffled = need_of(tables.read(paths_to_needs[samples], "expected_capacities").to_pandas())
        row = fit_row(need, shuffled, int(capacities[network]), shape, tolerance, family, network, samples)
        job.LOGGER.info("%s %s", row["sentence"], row["caveats"])
        rows.append(row)
    table = pd.DataFrame(rows) if rows else tables.empty("fit")
    for path in (path_to_table, path_to_csv):
        tables.write(table, "fit", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    names = snakemake.params.samples
    tabulate_fit(
        pairs=snakemake.params.pairs,
        path_to_capacities=snakemake.input.capacities,
        paths_to_needs=dict(zip(names, snakemake.input.needs, strict=True)),
        paths_to_samples=dict(zip(names, snakemake.input.samples, strict=True)),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        tolerance=snakemake.params.tolerance,
        family=snakemake.params.family,
    )
