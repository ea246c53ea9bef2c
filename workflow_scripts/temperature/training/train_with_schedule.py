"""Train one network on one set of samples with one schedule and seed, its temperatures measured on the way."""

from collections.abc import Mapping
from pathlib import Path

from filterscope import job, provenance, tables
from filterscope.apt import scheduling
from filterscope.apt.scheduling import ScheduleSettings
from filterscope.data.networks.weights import write_weights
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.temperature import building, material, training
from filterscope.temperature.building import Choice
from filterscope.temperature.state import Checkpoint
from filterscope.temperature.training import ScheduledTrainingSettings


def train_with_schedule(
    path_to_samples,
    paths: Mapping[str, str | Path],
    names: Mapping[str, str],
    network: Choice,
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    seed: int,
    path_to_trials=None,
    code: str = "",
) -> None:
    """Its history, steps, temperatures, result, times and weights.

    names: network, samples, schedule, and seed, the number of the training; schedules of the same number begin with the
    same weights and order of samples. path_to_trials: where the schedule was tuned. code: digest of the program; a
    checkpoint of another program, or of another version of the factory's file, is not taken up.
    """
    device = job.device()
    if path_to_trials is not None:
        schedule = scheduling.chosen(tables.read(path_to_trials, "tuning_trials").to_pandas(), schedule)
    split_seed = job.derived_seed(seed, "validation", names["samples"])
    data = material.prepare(read_samples(path_to_samples), settings.validation, split_seed, device)
    if data.test is None:
        raise ValueError(f"the samples {names['samples']} have no test split: nothing to compare schedules by")
    own_seed = job.derived_seed(seed, "train_with_schedule", names["seed"])
    built = building.build(network, data.shape, len(data.classes), own_seed)
    parts = [each for split in (data.train, data.validation) for each in (split.values, split.labels)]
    arrays = [each.cpu().numpy() for each in parts]
    file = provenance.factory_file(network.factory) if network.factory else None
    definition = (repr(network), provenance.contents(file) if file else None)
    checkpoint = Checkpoint.beside(paths["weights"], *arrays, definition, schedule, settings, own_seed, code)
    trained = training.train(
        built,
        data,
        schedule,
        settings,
        own_seed,
        resume=checkpoint.load(device),
        save=checkpoint.save,
        progress=lambda epochs: job.progress(epochs, len(epochs), "epochs"),
    )
    found = training.tables_of(trained, {**names, "seed": int(names["seed"])}, schedule, settings, data)
    for name, table in found.items():
        tables.write(table, name, paths[name])
    tables.write(trained.history, "training_history", paths["csv"])
    with tables.replacing(paths["weights"]) as temporary:
        write_weights(trained.network.cpu(), temporary)
    checkpoint.remove()
    for reason, times_held in trained.running.held.items():
        job.LOGGER.info("the learning rate was held back %d times: %s", times_held, reason)
    steps, error = (found["training_results"][name][0] for name in ("steps", "test_error"))
    job.LOGGER.info("%s after %d steps, test error %.2f %%", trained.status, steps, error)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    train_with_schedule(
        path_to_samples=snakemake.input.samples,
        paths=dict(snakemake.output.items()),
        names=dict(snakemake.wildcards.items()),
        network=Choice(**snakemake.params.network),
        schedule=ScheduleSettings.from_mapping(snakemake.params.schedule),
        settings=ScheduledTrainingSettings(**snakemake.params.training),
        seed=snakemake.params.seed,
        path_to_trials=snakemake.input.get("trials"),
        code=snakemake.params.code,
    )
