"""train_with_schedule: same bytes every time, alone, in a batch and after a kill; networks of the user's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from tests.scripts.temperature.trainings import CONSTANT, SEEDS, SETTINGS, TABLES, files_of, paths_in, trained

from filterscope import resumption, tables
from filterscope.data.samples.labelled_samples import split_off, write_samples
from filterscope.temperature.building import Choice
from filterscope.temperature.state import Checkpoint
from temperature.training.train_with_schedule import train_with_schedule


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
