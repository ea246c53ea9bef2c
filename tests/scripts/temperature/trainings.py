"""Quick trainings of a small network, for the tests of this room's scripts."""

from __future__ import annotations

import numpy as np
from PIL import Image

from filterscope.apt.scheduling import ScheduleSettings
from filterscope.temperature.building import Choice
from filterscope.temperature.training import ScheduledTrainingSettings
from temperature.training.train_with_schedule import train_with_schedule

SETTINGS = ScheduledTrainingSettings(epochs=3, batch_size=16, every=2, analysed=64, validation=0.2)
CONSTANT = ScheduleSettings("constant", learning_rate=0.05)
SCHEDULES = {"constant": CONSTANT, "cosine": ScheduleSettings("cosine", learning_rate=0.1)}
NETWORK = Choice(architecture="convnet")
TABLES = ("training_history", "training_steps", "training_temperatures", "training_results", "training_times")
SEEDS = (0, 1, 2)


def paths_in(folder, schedule):
    place = folder / schedule
    paths = {name: place / f"{name}.parquet" for name in TABLES}
    return {**paths, "csv": place / "history.csv", "weights": place / "weights"}


def trained(folder, schedule="constant", seeds=SEEDS, samples="samples.parquet", settings=SCHEDULES, **more):
    paths = paths_in(folder, schedule)
    names = {"network": "convnet", "samples": "mine", "schedule": schedule}
    train_with_schedule(folder / samples, paths, names, seeds, NETWORK, settings[schedule], SETTINGS, 7, **more)
    return paths


def files_of(paths):
    """Bytes of everything that a training leaves, but of its times, by name."""
    place = paths["weights"].parent
    files = (path for path in place.rglob("*") if path.is_file() and path != paths["training_times"])
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def shown(path) -> bool:
    return np.asarray(Image.open(path).convert("L")).std() > 5
