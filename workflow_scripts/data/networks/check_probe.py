"""Check one probe before anything is downloaded or computed: its network is built and shown a black picture."""

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import refuse_too_large
from filterscope.activations.probing import ProbeSettings, checked


def check_probe(path_to_table, probe: ProbeSettings, name, settings: ExtractionSettings, pictures, max_memory=None):
    """The network has random weights, or a factory's own; name: of the probe.

    pictures: of the largest dataset that it is shown. max_memory: gigabytes, or None for no limit.
    """
    line = checked(probe, name)
    refuse_too_large(name, [line], settings, pictures, max_memory)
    tables.write({key: [value] for key, value in line.items()}, "checked_layers", path_to_table)
    job.LOGGER.info(
        "%s: %s %s of %s x %s cells", *(line[key] for key in ("layer", "filters", "layout", "width", "height"))
    )
    if line["remark"]:
        job.LOGGER.warning("%s: %s", line["layer"], line["remark"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    check_probe(
        path_to_table=snakemake.output.table,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.wildcards.probe,
        settings=ExtractionSettings(**snakemake.params.activations),
        pictures=snakemake.params.pictures,
        max_memory=snakemake.params.max_memory,
    )
