"""Look for the settings of one schedule by random search on the validation split."""

from functools import partial

from filterscope import job, tables
from filterscope.apt.scheduling import ScheduleSettings
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.temperature import building, material, tuning
from filterscope.temperature.building import Choice
from filterscope.temperature.training import ScheduledTrainingSettings


def tune_schedule(
    path_to_samples, path_to_trials, path_to_csv, name, network, schedule, search, settings, trials, seed
):
    """name: of the samples, whose validation split is that of the trainings; search: ranges of settings."""
    split_seed = job.derived_seed(seed, "validation", name)
    data = material.prepare(read_samples(path_to_samples), settings.validation, split_seed, job.device())
    own_seed = job.derived_seed(seed, "tune_schedule")
    build = partial(building.build, network, data.shape, len(data.classes), own_seed)
    progress = partial(job.progress, total=trials, title="trials")
    table = tuning.tune(build, data, schedule, search, settings, trials, own_seed, progress)
    for path in (path_to_trials, path_to_csv):
        tables.write(table, "tuning_trials", path)
    best = table[table["chosen"]].iloc[0]
    job.LOGGER.info("trial %d: validation accuracy %.3f, %s", best["trial"], best["val_accuracy"], best["settings"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    tune_schedule(
        path_to_samples=snakemake.input.samples,
        path_to_trials=snakemake.output.trials,
        path_to_csv=snakemake.output.csv,
        name=snakemake.wildcards.samples,
        network=Choice(**snakemake.params.network),
        schedule=ScheduleSettings.from_mapping(snakemake.params.schedule),
        search=snakemake.params.search,
        settings=ScheduledTrainingSettings(**snakemake.params.training),
        trials=snakemake.params.trials,
        seed=snakemake.params.seed,
    )
