"""How trainings went, beside each other: what the figures of temperatures and learning rates are drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd

MOST = 150  # moments of a course: more than a figure can show


def heat_table(temperatures: pd.DataFrame, schedule: str, most: int = MOST) -> pd.DataFrame:
    """Temperatures of every use of an activation over a training, means over at most so many stretches of steps.

    temperatures: of one training, as `training.Trained` has them. Returns schedule, step (the stretch's first), place,
    layer, call, temperature.
    """
    steps = np.sort(temperatures["step"].unique())
    stretches = np.array_split(steps, min(most, len(steps))) if len(steps) else []
    first = {step: own[0] for own in stretches for step in own}
    table = temperatures.assign(step=temperatures["step"].map(first))
    table = table.groupby(["step", "place", "layer", "call"], as_index=False)["temperature"].mean()
    return table.assign(schedule=schedule)[["schedule", "step", "place", "layer", "call", "temperature"]]


def course_table(
    history: pd.DataFrame, steps: pd.DataFrame, temperatures: pd.DataFrame, schedule: str, most: int = MOST
) -> pd.DataFrame:
    """Learning rate, mean temperature over the layers, and validation accuracy: schedule, step, quantity, value.

    Learning rate and temperature are means over at most so many stretches of steps; step is the stretch's first, or of
    an accuracy the number of steps done.
    """
    parts = []
    for quantity, values in (
        ("learning_rate", steps.set_index("step")["learning_rate"]),
        ("temperature", temperatures.groupby("step")["temperature"].mean()),
    ):
        stretches = np.array_split(np.arange(len(values)), min(most, len(values))) if len(values) else []
        parts += [(int(values.index[own[0]]), quantity, float(values.iloc[own].mean())) for own in stretches]
    parts += [(int(line.step), "val_accuracy", float(line.val_accuracy)) for line in history.itertuples()]
    return pd.DataFrame(parts, columns=["step", "quantity", "value"]).assign(schedule=schedule)[
        ["schedule", "step", "quantity", "value"]
    ]
