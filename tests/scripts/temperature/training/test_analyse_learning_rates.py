"""analyse_learning_rates and render_ranges: tables of points and fits, and their figure."""

from __future__ import annotations

import pandas as pd
from tests.scripts.temperature.trainings import CONSTANT, NETWORK, SETTINGS, shown

from filterscope import tables
from temperature.comparing.render_ranges import render_ranges
from temperature.training.analyse_learning_rates import analyse_learning_rates


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
