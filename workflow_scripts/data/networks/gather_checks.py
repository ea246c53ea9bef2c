"""Gather what the checks of all probes found: the layers that the study reads, in one table."""

from filterscope import job, tables


def gather_checks(paths_to_checks, path_to_table):
    """One line per probe, in the order of the paths."""
    tables.write(tables.read(paths_to_checks, "checked_layers"), "checked_layers", path_to_table)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    gather_checks(paths_to_checks=list(snakemake.input), path_to_table=snakemake.output.table)
