"""Check all probes before anything is downloaded or computed: their networks are built and shown a black picture."""

from collections.abc import Mapping

import pandas as pd

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, all_checked


def check_probes(path_to_table, probes: Mapping[str, ProbeSettings]):
    """One line per probe, in this order. The networks have random weights, or a factory's own."""
    lines = all_checked(probes, job.progress)
    tables.write(pd.DataFrame(lines), "checked_layers", path_to_table)
    for line in lines:
        told = (line[key] for key in ("probe", "layer", "filters", "layout", "width", "height"))
        job.LOGGER.info("%s: %s: %s %s of %s x %s cells", *told)
        if line["remark"]:
            job.LOGGER.warning("%s: %s: %s", line["probe"], line["layer"], line["remark"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    check_probes(
        path_to_table=snakemake.output.table,
        probes={name: ProbeSettings.from_mapping(each) for name, each in snakemake.params.probes.items()},
    )
