"""Tabulate wins, losses and cost of the schedules."""

from filterscope import job, tables
from filterscope.temperature.duel import EQUAL, UNDECIDED, duel_table, pairs_table


def tabulate_duel(paths_to_results, path_to_duel, path_to_duel_csv, path_to_pairs, path_to_pairs_csv, trials):
    """trials: trainings that tuning took, by "network samples schedule"."""
    results = tables.read(paths_to_results, "training_results").to_pandas()
    trials = {tuple(key.split(" ")): count for key, count in trials.items()}
    pairs = pairs_table(results, trials)
    table = duel_table(results, pairs, trials)
    for path in (path_to_pairs, path_to_pairs_csv):
        tables.write(pairs, "duel_pairs", path)
    for path in (path_to_duel, path_to_duel_csv):
        tables.write(table, "duel", path)
    fair = pairs[pairs["budget"] == EQUAL]
    decided = fair[fair["outcome"] != UNDECIDED]
    job.LOGGER.info("%d of %d pairs of equal tuning budgets decided", len(decided) // 2, len(fair) // 2)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_duel(
        paths_to_results=list(snakemake.input.results),
        path_to_duel=snakemake.output.duel,
        path_to_duel_csv=snakemake.output.duel_csv,
        path_to_pairs=snakemake.output.pairs,
        path_to_pairs_csv=snakemake.output.pairs_csv,
        trials=snakemake.params.trials,
    )
