"""Hyper-parameters by random search: the same number of trials for every schedule, judged on the validation split."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from torch import nn

from filterscope.apt.scheduling import ScheduleSettings
from filterscope.temperature import training
from filterscope.temperature.material import TrainingMaterial
from filterscope.temperature.training import ScheduledTrainingSettings

# Drawn evenly in their logarithm; everything else evenly.
LOGARITHMIC = ("learning_rate", "temperature_rate", "exponent", "factor")
FAILED = "failed"


def draw(search: Mapping[str, Sequence[float]], generator: np.random.Generator) -> dict[str, float]:
    """One value from every range [lowest, highest]. Raises ValueError for a range that is none."""
    drawn = {}
    for key, (low, high) in search.items():
        if not low <= high or (key in LOGARITHMIC and low <= 0):
            raise ValueError(f"search.{key} is [{low}, {high}], should be a lowest and a highest value above 0")
        if key in LOGARITHMIC:
            drawn[key] = float(np.exp(generator.uniform(np.log(low), np.log(high))))
        else:
            drawn[key] = float(generator.uniform(low, high))
    return drawn


def tune(
    build: Callable[[], nn.Module],
    material: TrainingMaterial,
    schedule: ScheduleSettings,
    search: Mapping[str, Sequence[float]],
    settings: ScheduledTrainingSettings,
    trials: int,
    seed: int,
    progress: Callable[[Iterable], Iterator] = iter,
) -> pd.DataFrame:
    """Train with the given settings and with trials - 1 random ones; the test split is never looked at.

    build: makes the network, the same every time. Returns one line a trial (trial, settings as JSON, status,
    val_accuracy, val_loss, note, chosen): chosen is the finished one of highest accuracy, of those the one of least
    loss. Raises ValueError where no trial has finished.
    """
    generator = np.random.default_rng(seed)
    lines = []
    for trial in progress(range(trials)):
        drawn = draw(search, generator) if trial else {}  # the first is what the config says
        tried = replace(schedule, **drawn)
        lines.append(
            {"trial": trial, "settings": json.dumps(tried.plain()), **_outcome(build, material, tried, settings, seed)}
        )
    finished = [line for line in lines if line["status"] == training.FINISHED]
    if not finished:
        reasons = "; ".join(dict.fromkeys(line["note"] or line["status"] for line in lines))
        raise ValueError(f"none of {trials} trials of {schedule.method} finished: {reasons}")
    best = max(finished, key=lambda line: (line["val_accuracy"], -line["val_loss"], -line["trial"]))
    return pd.DataFrame([{**line, "chosen": line is best} for line in lines])


def _outcome(build, material, schedule, settings, seed) -> dict:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of models that fit badly: the trial's accuracy tells
            trained = training.train(build(), material, schedule, settings, seed)
    except ValueError as error:  # no sigma, target too high: a trial that this schedule has lost
        return {"status": FAILED, "val_accuracy": None, "val_loss": None, "note": str(error)}
    last = trained.history.iloc[-1]
    loss = None if last["val_loss"] is None or not np.isfinite(last["val_loss"]) else float(last["val_loss"])
    status = trained.status if loss is not None else training.DIVERGED
    return {"status": status, "val_accuracy": float(last["val_accuracy"]), "val_loss": loss, "note": ""}
