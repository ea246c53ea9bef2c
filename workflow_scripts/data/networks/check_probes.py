"""Check all probes before anything is downloaded or computed: their networks are built and shown a black picture."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from filterscope import job, tables
from filterscope.activations.needs import MemoryLimitError, Pass, refuse_too_large
from filterscope.activations.probing import ProbeSettings, all_checked
from filterscope.data.datasets.counting import photographs


def check_probes(path_to_table, probes: Mapping[str, ProbeSettings], passes: Mapping[str, Pass], max_memory=None):
    """One line per probe, in this order. The networks have random weights, or a factory's own.

    passes: probes that are read together, by the name of the pass. max_memory: gigabytes that each may need, or None.
    """
    lines, too_large = all_checked(probes, partial(job.progress, title="probes")), []
    for name, each in passes.items():
        own = [line for line in lines if line["probe"] in each.probes]
        try:
            refuse_too_large(name, own, each.settings, each.pictures, max_memory, each.guessed)
        except MemoryLimitError as error:
            too_large.append(str(error))
    if too_large:
        raise MemoryLimitError("; ".join(too_large))
    tables.write(pd.DataFrame(lines), "checked_layers", path_to_table)
    for line in lines:
        told = (line[key] for key in ("probe", "layer", "filters", "layout", "width", "height"))
        job.LOGGER.info("%s: %s: %s %s of %s x %s cells", *told)
        if line["remark"]:
            job.LOGGER.warning("%s: %s: %s", line["probe"], line["layer"], line["remark"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    counted = {name: photographs(each) for name, each in snakemake.params.datasets.items()}
    check_probes(
        path_to_table=snakemake.output.table,
        probes={name: ProbeSettings.from_mapping(each) for name, each in snakemake.params.probes.items()},
        passes={name: Pass.from_mapping(each, counted) for name, each in snakemake.params.passes.items()},
        max_memory=snakemake.params.max_memory,
    )
