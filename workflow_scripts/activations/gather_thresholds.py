"""Gather the tails of all shards into one threshold per filter."""

from filterscope import job, tables
from filterscope.activations.remarks import threshold_remarks
from filterscope.activations.thresholds import threshold_table
from filterscope.data.networks.untrained import is_untrained


def gather_thresholds(paths_to_tails, path_to_table, path_to_csv, quantile, passing_on=False):
    """quantile: of the activations of each filter that its threshold is. path_to_csv: None where nobody reads it.

    passing_on: where the layer stopped the table says so, and nothing is raised: it is read beside other layers'.
    """
    try:
        shards = [tables.read(path, "tails") for path in paths_to_tails]
    except tables.StoppedError as error:
        if not passing_on:
            raise
        job.LOGGER.error("%s; the table says so", error)
        tables.write_stopped("thresholds", path_to_table, error.reason)
        return
    counts = ("filter", "n", "positive", "elsewhere")
    tails = [
        {**{name: shard[name].to_numpy() for name in counts}, "values": tables.matrix(shard["values"])}
        for shard in shards
    ]
    table = threshold_table(tails, quantile)
    for path in filter(None, (path_to_table, path_to_csv)):
        tables.write(table, "thresholds", path)
    job.LOGGER.info("%d filters, %d of them dead, %d activations each", len(table), table["dead"].sum(), table["n"][0])
    for remark in threshold_remarks(table):
        job.LOGGER.warning("%s", remark)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    gather_thresholds(
        paths_to_tails=list(snakemake.input.tails),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.get("csv"),
        quantile=1 - snakemake.params.quantile if snakemake.params.lower_tail else snakemake.params.quantile,
        passing_on=is_untrained(snakemake.wildcards.probe),
    )
