"""Tabulate how long the trainings took, and what measuring added: the one table that differs between two runs."""

from filterscope import job, tables


def tabulate_times(paths_to_times, path_to_csv):
    table = tables.read(paths_to_times, "training_times")
    tables.write(table, "training_times", path_to_csv)
    job.LOGGER.info("%d trainings", table.num_rows)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_times(paths_to_times=list(snakemake.input.times), path_to_csv=snakemake.output.csv)
