"""Tabulate the capacities of all networks, largest last."""

from filterscope import job, tables


def tabulate_capacity(paths_to_networks, path_to_table, path_to_csv):
    table = tables.read(paths_to_networks, "network_capacities").sort_by([("capacity", "ascending")])
    for path in (path_to_table, path_to_csv):
        tables.write(table, "network_capacities", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_capacity(
        paths_to_networks=snakemake.input.networks,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
