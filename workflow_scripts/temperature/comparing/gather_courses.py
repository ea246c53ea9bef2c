"""Gather how the trainings of a network on the same samples went, beside each other."""

import pandas as pd

from filterscope import job, tables
from filterscope.temperature import courses


def gather_courses(paths_to_trainings, paths):
    """paths_to_trainings: by schedule, its history, steps and temperatures; paths: heat and courses, and as CSV."""
    heat, lines = [], []
    for schedule, trainings in paths_to_trainings.items():
        history, steps, temperatures = (
            tables.read(path, name).to_pandas()
            for path, name in zip(trainings, ("training_history", "training_steps", "temperatures"), strict=True)
        )
        heat.append(courses.heat_table(temperatures, schedule))
        lines.append(courses.course_table(history, steps, temperatures, schedule))
    for name, kind, parts in (("temperature_courses", "heat", heat), ("courses", "courses", lines)):
        for path in (paths[kind], paths[f"{kind}_csv"]):
            tables.write(pd.concat(parts, ignore_index=True), name, path)
    job.LOGGER.info("%d trainings beside each other", len(lines))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    inputs = snakemake.input
    trainings = zip(inputs.history, inputs.steps, inputs.temperatures, strict=True)
    gather_courses(
        paths_to_trainings=dict(zip(snakemake.params.schedules, trainings, strict=True)),
        paths=dict(snakemake.output.items()),
    )
