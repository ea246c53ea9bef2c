"""Gather the tails of all shards into one threshold per filter."""

from filterscope import job, tables
from filterscope.activations.tails import threshold


def gather_thresholds(paths_to_tails, path_to_table, path_to_csv, quantile):
    """quantile: of the activations of each filter that its threshold is."""
    shards = [tables.read(path, "tails") for path in paths_to_tails]
    seen = sum(shard["n"][0].as_py() for shard in shards)
    positive = sum(shard["positive"].to_numpy() for shard in shards)
    values = threshold([tables.matrix(shard["values"]) for shard in shards], seen, quantile)
    table = {
        "filter": shards[0]["filter"],
        "threshold": values,
        "dead": positive == 0,
        "n": [seen] * len(values),
    }
    tables.write(table, "thresholds", path_to_table)
    tables.write(table, "thresholds", path_to_csv)
    job.LOGGER.info("%d filters, %d of them dead, %d activations each", len(values), (positive == 0).sum(), seen)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    gather_thresholds(
        paths_to_tails=list(snakemake.input.tails),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        quantile=1 - snakemake.params.quantile if snakemake.params.lower_tail else snakemake.params.quantile,
    )
