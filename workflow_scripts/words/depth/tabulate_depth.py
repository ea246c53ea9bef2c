"""Tabulate the layers of a network from the first to the last: names that hold, and kinds of words."""

from filterscope import job, tables
from filterscope.words.depth import depth_table


def tabulate_depth(probes, paths_to_names, paths_to_words, paths_to_claims, path_to_table, path_to_csv):
    """probes: of the group, in its order, as are the paths; paths_to_claims is empty where there are no masks."""

    def frames(paths, name):
        return {probe: tables.read(path, name).to_pandas() for probe, path in zip(probes, paths, strict=True)}

    claims = frames(paths_to_claims, "filter_claims") if paths_to_claims else dict.fromkeys(probes)
    table = depth_table(frames(paths_to_names, "filter_names"), frames(paths_to_words, "filter_words"), claims)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "depth", path)
    for line in table.itertuples():
        job.LOGGER.info("%s: %.0f %% of %d filters supported", line.probe, 100 * line.supported, line.live)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_depth(
        probes=snakemake.params.probes,
        paths_to_names=list(snakemake.input.names),
        paths_to_words=list(snakemake.input.words),
        paths_to_claims=list(snakemake.input.get("claims") or []),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
