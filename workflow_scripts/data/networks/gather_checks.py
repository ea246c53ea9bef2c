"""Gather what the checks of all probes found: the layers that the study reads, in one table."""

from filterscope import job, tables


def gather_checks(paths_to_checks, path_to_table):
    """One line per probe, in the order of the paths; a study that reads no layer has none."""
    found = tables.read(paths_to_checks, "checked_layers") if paths_to_checks else tables.empty("checked_layers")
    tables.write(found, "checked_layers", path_to_table)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    gather_checks(paths_to_checks=list(snakemake.input), path_to_table=snakemake.output.table)
