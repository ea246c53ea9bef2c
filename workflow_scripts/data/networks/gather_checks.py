"""Gather what the checks of all probes found: the layers that the study reads, in one table."""

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import refuse_too_large


def gather_checks(paths_to_checks, path_to_table, groups=None, max_memory=None):
    """One line per probe, in the order of the paths; a study that reads no layer has none.

    groups: by the name of a probe of several layers, which are read in one pass, its activations' settings and how many
    pictures it is shown. max_memory: gigabytes that each pass may need, or None for no limit.
    """
    found = tables.read(paths_to_checks, "checked_layers") if paths_to_checks else tables.empty("checked_layers")
    for name, (settings, pictures) in (groups or {}).items():
        lines = [line for line in found.to_pylist() if line["probe"].startswith(f"{name}.")]
        if lines:
            refuse_too_large(name, lines, ExtractionSettings(**settings), pictures, max_memory)
    tables.write(found, "checked_layers", path_to_table)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    gather_checks(
        paths_to_checks=list(snakemake.input),
        path_to_table=snakemake.output.table,
        groups=snakemake.params.groups,
        max_memory=snakemake.params.max_memory,
    )
