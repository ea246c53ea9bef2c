"""Tabulate wins, losses and cost of the schedules."""

from filterscope import job, tables
from filterscope.temperature.duel import EQUAL, UNDECIDED, duel_table, pairs_table


def tabulate_duel(paths_to_results, paths, trials):
    """trials: trainings that tuning took, by "network samples schedule"; paths: duel and pairs, and as CSV."""
    results = tables.read(paths_to_results, "training_results").to_pandas()
    trials = {tuple(key.split(" ")): count for key, count in trials.items()}
    pairs = pairs_table(results, trials)
    table = duel_table(results, pairs, trials)
    for name, kind, found in (("duel_pairs", "pairs", pairs), ("duel", "duel", table)):
        for path in (paths[kind], paths[f"{kind}_csv"]):
            tables.write(found, name, path)
    fair = pairs[pairs["budget"] == EQUAL]
    decided = fair[fair["outcome"] != UNDECIDED]
    job.LOGGER.info("%d of %d pairs of equal tuning budgets decided", len(decided) // 2, len(fair) // 2)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_duel(
        paths_to_results=list(snakemake.input.results),
        paths=dict(snakemake.output.items()),
        trials=snakemake.params.trials,
    )
