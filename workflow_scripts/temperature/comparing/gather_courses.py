"""Gather how the trainings of a network on the same samples went, beside each other."""

import pandas as pd

from filterscope import job, tables
from filterscope.temperature import courses


def gather_courses(
    paths_to_histories,
    paths_to_steps,
    paths_to_temperatures,
    path_to_heat,
    path_to_heat_csv,
    path_to_courses,
    path_to_courses_csv,
    seed,
):
    """paths_to_histories, paths_to_steps, paths_to_temperatures: by schedule. seed: the training that is shown."""

    def of_seed(path, name):
        table = tables.read(path, name).to_pandas()
        return table[table["seed"] == seed].drop(columns="seed")

    heat, lines = [], []
    for schedule, path_to_history in paths_to_histories.items():
        history = of_seed(path_to_history, "training_history")
        steps = of_seed(paths_to_steps[schedule], "training_steps")
        temperatures = of_seed(paths_to_temperatures[schedule], "training_temperatures")
        heat.append(courses.heat_table(temperatures, schedule))
        lines.append(courses.course_table(history, steps, temperatures, schedule))
    for path in (path_to_heat, path_to_heat_csv):
        tables.write(pd.concat(heat, ignore_index=True), "temperature_courses", path)
    for path in (path_to_courses, path_to_courses_csv):
        tables.write(pd.concat(lines, ignore_index=True), "courses", path)
    job.LOGGER.info("%d trainings beside each other", len(lines))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    schedules = snakemake.params.schedules
    gather_courses(
        paths_to_histories=dict(zip(schedules, snakemake.input.history, strict=True)),
        paths_to_steps=dict(zip(schedules, snakemake.input.steps, strict=True)),
        paths_to_temperatures=dict(zip(schedules, snakemake.input.temperatures, strict=True)),
        path_to_heat=snakemake.output.heat,
        path_to_heat_csv=snakemake.output.heat_csv,
        path_to_courses=snakemake.output.courses,
        path_to_courses_csv=snakemake.output.courses_csv,
        seed=snakemake.params.seed,
    )
