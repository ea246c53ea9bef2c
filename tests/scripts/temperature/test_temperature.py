"""The scripts of the temperature room, one after the other, on small pictures."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from filterscope import resumption, tables
from filterscope.apt.scheduling import ScheduleSettings
from filterscope.data.samples.labelled_samples import split_off, write_samples
from filterscope.temperature.building import Choice
from filterscope.temperature.state import Checkpoint
from filterscope.temperature.training import ScheduledTrainingSettings
from temperature.comparing.gather_courses import gather_courses
from temperature.comparing.render_courses import render_courses
from temperature.comparing.render_errors import render_errors
from temperature.comparing.render_ranges import render_ranges
from temperature.comparing.render_starts import render_starts
from temperature.comparing.render_temperatures import render_temperatures
from temperature.comparing.tabulate_duel import tabulate_duel
from temperature.comparing.tabulate_times import tabulate_times
from temperature.comparing.tabulate_training import tabulate_training
from temperature.training.analyse_learning_rates import analyse_learning_rates
from temperature.training.train_with_schedule import train_with_schedule
from temperature.training.tune_schedule import tune_schedule

SETTINGS = ScheduledTrainingSettings(epochs=3, batch_size=16, every=2, analysed=64, validation=0.2)
CONSTANT = ScheduleSettings("constant", learning_rate=0.05)
SCHEDULES = {"constant": CONSTANT, "cosine": ScheduleSettings("cosine", learning_rate=0.1)}
NETWORK = Choice(architecture="convnet")
TABLES = ("training_history", "training_steps", "training_temperatures", "training_results", "training_times")
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ninety pictures of 8 x 8 px whose bright rows tell their class."""
    folder = tmp_path_factory.mktemp("temperature")
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    values = generator.integers(0, 150, (90, 1, 8, 8)).astype(np.uint8)
    for row, label in enumerate(labels):
        values[row, 0, 2 * label : 2 * label + 3] += 100
    write_samples(split_off(values, labels.astype(np.int64), ("a", "b", "c"), 0.3, 0), folder / "samples.parquet")
    return folder


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


@pytest.fixture(scope="module")
def trainings(folder):
    """Two schedules, three seeds each."""
    return {name: trained(folder, name) for name in SCHEDULES}


def test_a_training_leaves_tables_weights_and_nothing_else(trainings):
    paths = trainings["constant"]
    found = {name: tables.read(paths[name], name).to_pandas() for name in TABLES}
    assert found["training_history"][["seed", "step"]].to_numpy().tolist() == [[s, n] for s in SEEDS for n in (3, 6, 9)]
    temperatures = found["training_temperatures"].groupby(["seed", "step"]).size()
    assert temperatures.to_dict() == {(seed, step): 3 for seed in SEEDS for step in (0, 2, 4, 6, 8)}
    results = found["training_results"]
    assert results[["schedule", "seed", "steps"]].to_numpy().tolist() == [["constant", seed, 9] for seed in SEEDS]
    assert {json.loads(each)["learning_rate"] for each in results["settings"]} == {0.05}
    assert (found["training_times"]["seconds"] > 0).all()
    weights = [torch.load(paths["weights"] / f"{seed}.pt", weights_only=True) for seed in SEEDS]
    assert all(set(each) >= {"0.weight", "0.bias"} for each in weights)
    assert not torch.equal(weights[0]["0.weight"], weights[1]["0.weight"])
    assert {path.name for path in paths["weights"].parent.iterdir()} == {path.name for path in paths.values()}


def test_the_same_training_writes_the_same_bytes(folder, trainings, tmp_path):
    (tmp_path / "samples.parquet").write_bytes((folder / "samples.parquet").read_bytes())
    assert files_of(trained(tmp_path)) == files_of(trainings["constant"])


def test_a_training_is_the_same_alone_and_in_a_batch(folder, trainings, tmp_path):
    (tmp_path / "samples.parquet").write_bytes((folder / "samples.parquet").read_bytes())
    alone, batch = trained(tmp_path, seeds=[1]), trainings["constant"]
    assert (alone["weights"] / "1.pt").read_bytes() == (batch["weights"] / "1.pt").read_bytes()
    for name in TABLES[:-1]:
        own, all_ = (tables.read(paths[name], name).to_pandas() for paths in (alone, batch))
        pd.testing.assert_frame_equal(own, all_[all_["seed"] == 1].reset_index(drop=True))


def test_a_killed_training_goes_on(folder, trainings, tmp_path, monkeypatch):
    (tmp_path / "samples.parquet").write_bytes((folder / "samples.parquet").read_bytes())
    save, epochs = Checkpoint.save, []

    def killing(self, state):
        self.interval = 0
        save(self, state)
        epochs.append(state.epoch)
        if epochs == [1, 2, 1, 2]:
            raise KeyboardInterrupt

    monkeypatch.setattr(resumption.Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path)
    checkpoints = {".0.pt.checkpoint", ".1.pt.checkpoint"}
    assert {path.name for path in (tmp_path / "constant").iterdir()} == {"weights", *checkpoints}
    paths = trained(tmp_path)
    assert epochs == [1, 2, 1, 2, 1, 2], "of the first two the third epoch alone was left, and needs no checkpoint"
    assert files_of(paths) == files_of(trainings["constant"]), "and no checkpoint is left"


def test_a_killed_training_starts_anew_where_the_users_network_was_edited(folder, tmp_path, monkeypatch):
    """The new network takes the old one's weights, so nothing else would tell."""
    save = Checkpoint.save

    def killing(self, state):
        self.interval = 0
        save(self, state)
        raise KeyboardInterrupt

    def training(place, last):
        (tmp_path / "mine.py").write_text(
            "from torch import nn\n\n\ndef network():\n"
            f"    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3), {last})\n"
        )
        names = {"network": "mine", "samples": "mine", "schedule": "constant"}
        paths, choice = paths_in(tmp_path / place, "constant"), Choice(factory=f"{tmp_path / 'mine.py'}:network")
        train_with_schedule(folder / "samples.parquet", paths, names, [0], choice, CONSTANT, SETTINGS, 7)
        return (paths["weights"] / "0.pt").read_bytes()

    with monkeypatch.context() as patched:
        patched.setattr(resumption.Checkpoint, "save", killing)
        with pytest.raises(KeyboardInterrupt):
            training("killed", "nn.Identity()")
    assert (tmp_path / "killed/constant/.0.pt.checkpoint").exists()
    assert training("killed", "nn.Dropout(0.5)") == training("whole", "nn.Dropout(0.5)")


def test_samples_without_a_test_split_are_refused(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (40, 1, 8, 8)).astype(np.uint8)
    write_samples(split_off(values, np.arange(40) % 2, ("a", "b"), 0.0, 0), tmp_path / "samples.parquet")
    with pytest.raises(ValueError, match="the samples mine have no test split"):
        trained(tmp_path)
    assert not (tmp_path / "constant").exists()


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


def test_a_network_of_the_users(folder, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\n\ndef network(hidden):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 3))\n"
    )
    choice = Choice(factory=f"{tmp_path / 'mine.py'}:network", arguments={"hidden": 16})
    names = {"network": "mine", "samples": "mine", "schedule": "constant"}
    paths = paths_in(tmp_path, "constant")
    train_with_schedule(folder / "samples.parquet", paths, names, [0], choice, CONSTANT, SETTINGS, 7)
    table = tables.read(paths["training_temperatures"], "training_temperatures").to_pandas()
    assert table["layer"].unique().tolist() == ["2"]
    with pytest.raises(ValueError, match="either an architecture or a factory"):
        Choice()


def shown(path) -> bool:
    return np.asarray(Image.open(path).convert("L")).std() > 5


def test_learning_rates_are_analysed_and_drawn(folder, tmp_path):
    kinds = {}
    for kind in ("points", "fits"):
        kinds |= {kind: tmp_path / f"{kind}.parquet", f"{kind}_csv": tmp_path / f"{kind}.csv"}
    settings = ("mine", NETWORK, CONSTANT, SETTINGS, [0.0, 1.0], "0", 7)
    analyse_learning_rates(folder / "samples.parquet", *kinds.values(), *settings)
    points = tables.read(kinds["points"], "range_points").to_pandas()
    fits = tables.read(kinds["fits"], "range_fits").to_pandas()
    assert fits["step"].tolist() == [0, 0, 9, 9]
    assert len(pd.read_csv(kinds["points_csv"])) == len(points)
    render_ranges(kinds["points"], kinds["fits"], tmp_path / "ranges.png", "net on mine")
    assert shown(tmp_path / "ranges.png")


def test_courses_are_gathered_and_drawn(trainings, tmp_path):
    names = ("training_history", "training_steps", "training_temperatures")
    inputs = [{name: trainings[name][each] for name in SCHEDULES} for each in names]
    paths = {kind: tmp_path / f"{kind}.parquet" for kind in ("heat", "courses")}
    paths |= {f"{kind}_csv": tmp_path / f"{kind}.csv" for kind in ("heat", "courses")}
    files = [paths[each] for each in ("heat", "heat_csv", "courses", "courses_csv")]
    gather_courses(*inputs, *files, seed=1)
    heat = tables.read(paths["heat"], "temperature_courses").to_pandas()
    assert heat.groupby("schedule").size().to_dict() == {"constant": 15, "cosine": 15}
    for render, source, more in (
        (render_temperatures, "heat", {}),
        (render_courses, "courses", {"schedules": ["cosine"]}),
        (render_starts, "courses", {"schedules": ["constant", "cosine"]}),
    ):
        render(paths[source], tmp_path / f"{source}.png", title="net on mine", **more)
        first = (tmp_path / f"{source}.png").read_bytes()
        assert shown(tmp_path / f"{source}.png")
        render(paths[source], tmp_path / f"{source}.png", title="net on mine", **more)
        assert (tmp_path / f"{source}.png").read_bytes() == first, "the same picture every time"


def test_errors_wins_and_times_are_tabulated(trainings, tmp_path, repository):
    results = [paths["training_results"] for paths in trainings.values()]
    published = repository / "studies" / "published_training.csv"
    files = (tmp_path / "training.parquet", tmp_path / "training.csv")
    tabulate_training(results, published, *files, {"convnet mine": "convnet_fashion_mnist_200"})
    table = tables.read(files[0], "training_table").to_pandas()
    here = table[table["samples"] == "mine"]
    assert here["status"].tolist() == ["published, without an error"] * 2 + ["measured"] * 2
    render_errors(files[0], tmp_path / "training.png")
    assert shown(tmp_path / "training.png")
    duel = {name: tmp_path / f"{name}.parquet" for name in ("duel", "pairs")}
    duel |= {f"{name}_csv": tmp_path / f"{name}.csv" for name in ("duel", "pairs")}
    files = [duel[each] for each in ("duel", "duel_csv", "pairs", "pairs_csv")]
    tabulate_duel(results, *files, {"convnet mine cosine": 4})
    lines = tables.read(duel["duel"], "duel").to_pandas().set_index("schedule")
    assert lines["trials"].to_dict() == {"constant": 0, "cosine": 4}
    assert lines.loc["cosine", "tuned_cost"] == pytest.approx(5)
    assert len(pd.read_csv(duel["pairs_csv"])) == 2
    tabulate_times([paths["training_times"] for paths in trainings.values()], tmp_path / "times.csv")
    assert len(pd.read_csv(tmp_path / "times.csv")) == 6
