"""Tabulate the capacities of all networks, largest last."""

from filterscope import job, tables


def tabulate_capacity(paths_to_networks, paths_to_table):
    """paths_to_table: Parquet and CSV."""
    table = tables.read(paths_to_networks, "network_capacities").sort_by([("capacity", "ascending")])
    for path in paths_to_table:
        tables.write(table, "network_capacities", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_capacity(
        paths_to_networks=snakemake.input.networks,
        paths_to_table=(snakemake.output.table, snakemake.output.csv),
    )
