"""Tabulate robustness against capacity over all samples and families, with its trends and one sentence on each."""

import pandas as pd

from filterscope import job, tables
from filterscope.diagnosis.robustness.observations import of_capacities, of_networks, sentence, trends


def tabulate_robustness(
    files,
    path_to_table,
    path_to_csv,
    path_to_networks,
    path_to_networks_csv,
    path_to_trends,
    path_to_trends_csv,
    path_to_text,
    loss,
    confidence,
    seed,
):
    """files: names of samples and the files of their networks and attacks; loss: of accuracy that is put up with."""
    observed, means, found, lines = [], [], [], ["# Is smaller more robust?", ""]
    for samples in dict.fromkeys(name for name, _ in files):
        own = [each for name, each in files if name == samples]
        attacks, networks = (
            pd.concat([tables.read(each[kind], name).to_pandas() for each in own], ignore_index=True)
            for kind, name in (("attacks", "attacks"), ("networks", "scaled_networks"))
        )
        each = of_networks(attacks, networks)
        of_each, trend = of_capacities(each, confidence), trends(each, loss, job.derived_seed(seed, "trends"))
        lines.append(f"- {sentence(samples, trend, of_each)}")
        job.LOGGER.info(lines[-1])
        for target, table in ((observed, each), (means, of_each), (found, trend)):
            target.append(table.assign(samples=samples))
    for table, name, paths in (
        (means, "robustness", (path_to_table, path_to_csv)),
        (observed, "robustness_networks", (path_to_networks, path_to_networks_csv)),
        (found, "robustness_trends", (path_to_trends, path_to_trends_csv)),
    ):
        for path in paths:
            tables.write(pd.concat(table, ignore_index=True), name, path)
    with tables.replacing(path_to_text) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_robustness(
        files=job.located(snakemake.params.files, snakemake.input),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_networks=snakemake.output.networks,
        path_to_networks_csv=snakemake.output.networks_csv,
        path_to_trends=snakemake.output.trends,
        path_to_trends_csv=snakemake.output.trends_csv,
        path_to_text=snakemake.output.text,
        **snakemake.params.judging,
        seed=snakemake.params.seed,
    )
