"""Train a network on samples with a schedule, seed after seed, its temperatures measured on the way."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

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
    seeds: Sequence[int],
    network: Choice,
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    seed: int,
    path_to_trials=None,
    code: str = "",
) -> None:
    """Their history, steps, temperatures, results and times, and a folder with the weights `{seed}.pt` of each.

    names: network, samples, schedule. seeds: numbers of the trainings; schedules of the same number begin with the same
    weights and order of samples. path_to_trials: where the schedule was tuned. code: digest of the program; a
    checkpoint of another program, or of another version of the factory's file, is not taken up.
    """
    device = job.device()
    if path_to_trials is not None:
        schedule = scheduling.chosen(tables.read(path_to_trials, "tuning_trials").to_pandas(), schedule)
    split_seed = job.derived_seed(seed, "validation", names["samples"])
    data = material.prepare(read_samples(path_to_samples), settings.validation, split_seed, device)
    if data.test is None:
        raise ValueError(f"the samples {names['samples']} have no test split: nothing to compare schedules by")
    parts = [each for split in (data.train, data.validation) for each in (split.values, split.labels)]
    arrays = [each.cpu().numpy() for each in parts]
    file = provenance.factory_file(network.factory) if network.factory else None
    definition = (repr(network), provenance.contents(file) if file else None)
    weights = job.empty_folder(paths["weights"])
    found, checkpoints = [], []
    for number in seeds:
        own_seed = job.derived_seed(seed, "train_with_schedule", str(number))
        built = building.build(network, data.shape, len(data.classes), own_seed)
        beside = Path(paths["weights"]).with_name(f"{number}.pt")
        checkpoint = Checkpoint.beside(beside, *arrays, definition, schedule, settings, own_seed, code)
        bar = partial(job.progress, total=settings.epochs, title=f"epochs of seed {number}")
        trained = training.train(
            built,
            data,
            schedule,
            settings,
            own_seed,
            resume=checkpoint.load(device),
            save=checkpoint.save,
            progress=bar,
        )
        found.append(training.tables_of(trained, {**names, "seed": number}, schedule, settings, data))
        write_weights(trained.network.cpu(), weights / f"{number}.pt")
        checkpoints.append(checkpoint)
        for reason, times_held in trained.running.held.items():
            job.LOGGER.info("seed %d: the learning rate was held back %d times: %s", number, times_held, reason)
        steps, error = (found[-1]["training_results"][name].item() for name in ("steps", "test_error"))
        job.LOGGER.info("seed %d %s after %d steps, test error %.2f %%", number, trained.status, steps, error)
    for name in found[0]:
        tables.write(pd.concat([each[name] for each in found], ignore_index=True), name, paths[name])
    tables.write(pd.concat([each["training_history"] for each in found]), "training_history", paths["csv"])
    for checkpoint in checkpoints:  # only now: a killed job finds what it has done
        checkpoint.remove()


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    train_with_schedule(
        path_to_samples=snakemake.input.samples,
        paths=dict(snakemake.output.items()),
        names={name: snakemake.wildcards[name] for name in ("network", "samples", "schedule")},
        seeds=snakemake.params.seeds,
        network=Choice(**snakemake.params.network),
        schedule=ScheduleSettings.from_mapping(snakemake.params.schedule),
        settings=ScheduledTrainingSettings(**snakemake.params.training),
        seed=snakemake.params.seed,
        path_to_trials=snakemake.input.get("trials"),
        code=snakemake.params.code,
    )
