"""Courses, errors, wins and times of two schedules: gathered, tabulated and drawn."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.scripts.temperature.trainings import SCHEDULES, shown

from filterscope import tables
from temperature.comparing.gather_courses import gather_courses
from temperature.comparing.render_courses import render_courses
from temperature.comparing.render_errors import render_errors
from temperature.comparing.render_starts import render_starts
from temperature.comparing.render_temperatures import render_temperatures
from temperature.comparing.tabulate_duel import tabulate_duel
from temperature.comparing.tabulate_times import tabulate_times
from temperature.comparing.tabulate_training import tabulate_training


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
