"""tune_schedule: what it finds best is what is trained with."""

from __future__ import annotations

import json

import pandas as pd
from tests.scripts.temperature.trainings import CONSTANT, NETWORK, SETTINGS, paths_in

from filterscope import tables
from temperature.training.train_with_schedule import train_with_schedule
from temperature.training.tune_schedule import tune_schedule


def test_tuned_settings_are_the_ones_that_are_trained_with(folder, tmp_path):
    files = (tmp_path / "trials.parquet", tmp_path / "trials.csv")
    search = {"learning_rate": [0.02, 0.2]}
    tune_schedule(folder / "samples.parquet", *files, "mine", NETWORK, CONSTANT, search, SETTINGS, 3, 7)
    trials = tables.read(files[0], "tuning_trials").to_pandas()
    assert len(pd.read_csv(files[1])) == len(trials) == 3
    best = json.loads(trials.loc[trials["chosen"], "settings"].item())
    paths = paths_in(tmp_path, "constant")
    names = {"network": "convnet", "samples": "mine", "schedule": "constant"}
    train_with_schedule(folder / "samples.parquet", paths, names, [0], NETWORK, CONSTANT, SETTINGS, 7, files[0])
    steps = tables.read(paths["training_steps"], "training_steps").to_pandas()
    assert steps["learning_rate"].unique().tolist() == [best["learning_rate"]]
