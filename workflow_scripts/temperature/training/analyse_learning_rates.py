"""Analyse one step at many learning rates, at several moments of a training."""

from functools import partial

from filterscope import job, tables
from filterscope.apt import scheduling
from filterscope.apt.scheduling import ScheduleSettings
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.temperature import building, material, moments
from filterscope.temperature.building import Choice
from filterscope.temperature.training import ScheduledTrainingSettings


def analyse_learning_rates(
    path_to_samples,
    path_to_points,
    path_to_points_csv,
    path_to_fits,
    path_to_fits_csv,
    name,
    network: Choice,
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    at,
    number,
    seed,
    path_to_trials=None,
):
    """at: shares of the training; number: of the training, as train_with_schedule has it."""
    if path_to_trials is not None:
        schedule = scheduling.chosen(tables.read(path_to_trials, "tuning_trials").to_pandas(), schedule)
    split_seed = job.derived_seed(seed, "validation", name)
    data = material.prepare(read_samples(path_to_samples), settings.validation, split_seed, job.device())
    own_seed = job.derived_seed(seed, "train_with_schedule", str(number))
    built = building.build(network, data.shape, len(data.classes), own_seed)
    progress = partial(job.progress, total=settings.epochs, title="epochs")
    points, fits = moments.analyse_moments(built, data, schedule, settings, at, own_seed, progress)
    for path in (path_to_points, path_to_points_csv):
        tables.write(points, "range_points", path)
    for path in (path_to_fits, path_to_fits_csv):
        tables.write(fits, "range_fits", path)
    for fit in fits[fits["note"] != ""].itertuples():
        job.LOGGER.warning("after %g of the training, %s: %s", fit.moment, fit.layers, fit.note)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    analyse_learning_rates(
        path_to_samples=snakemake.input.samples,
        path_to_points=snakemake.output.points,
        path_to_points_csv=snakemake.output.points_csv,
        path_to_fits=snakemake.output.fits,
        path_to_fits_csv=snakemake.output.fits_csv,
        name=snakemake.wildcards.samples,
        network=Choice(**snakemake.params.network),
        schedule=ScheduleSettings.from_mapping(snakemake.params.schedule),
        settings=ScheduledTrainingSettings(**snakemake.params.training),
        at=snakemake.params.at,
        number=snakemake.params.number,
        seed=snakemake.params.seed,
        path_to_trials=snakemake.input.get("trials"),
    )
