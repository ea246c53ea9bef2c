"""measure_capacity, tabulate_capacity, render_capacity, tabulate_fit: from networks and data to the verdict."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from diagnosis.capacity.measure_capacity import measure_capacity
from diagnosis.capacity.render_capacity import render_capacity
from diagnosis.capacity.tabulate_capacity import tabulate_capacity
from diagnosis.capacity.tabulate_fit import tabulate_fit
from filterscope import tables
from filterscope.data.networks.settings import NetworkError
from filterscope.data.samples.labelled_samples import LabelledSamples, write_samples
from filterscope.data.samples.planes import generated
from filterscope.diagnosis.complexity.growth import CurveSettings, capacity_curve

OWN = """
from torch import nn

def build(units=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, units), nn.ReLU(), nn.Linear(units, 3))
"""


def torchvisions(name, size=224):
    return {"source": "torchvision", "architecture": name, "weights": None, "input": {"resize": size, "crop": size}}


def measured(folder, name, network, batch_norm="folded"):
    paths = {each: folder / f"{name}_{each}" for each in ("layers.parquet", "layers.csv", "network.parquet")}
    measure_capacity(*paths.values(), name, network, batch_norm)
    return paths


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capacity")
    (folder / "own.py").write_text(OWN)
    own = {"source": "factory", "factory": f"{folder / 'own.py'}:build", "arguments": {"units": 7}}
    return {
        "alexnet": measured(folder, "alexnet", torchvisions("alexnet")),
        "mine": measured(folder, "mine", {**own, "input": {"resize": 16, "crop": 16}}),
    }


def test_layers_and_totals_of_a_named_and_of_an_own_network(networks):
    layers = tables.read(networks["alexnet"]["layers.parquet"], "layer_capacities").to_pandas()
    assert layers["capacity"].sum() == 184_704
    assert len(pd.read_csv(networks["alexnet"]["layers.csv"])) == len(layers)
    (own,) = tables.read(networks["mine"]["network.parquet"], "network_capacities").to_pylist()
    assert (own["capacity"], own["parameters"], own["size"]) == (769 * 7 + 7, 769 * 7 + 24, 16)


def test_table_begins_with_the_smallest(networks, tmp_path):
    out = (tmp_path / "capacity.parquet", tmp_path / "capacity.csv")
    tabulate_capacity([paths["network.parquet"] for paths in networks.values()], *out)
    assert pd.read_csv(out[1])["network"].tolist() == ["mine", "alexnet"]


def test_figure_shows_the_layers(networks, tmp_path):
    for name, paths in networks.items():
        render_capacity(paths["layers.parquet"], paths["network.parquet"], tmp_path / f"{name}.png")
        assert np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")).std() > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alexnet.png", "mine.png"]


def test_batch_norm_counts_where_it_is_asked_for(tmp_path):
    held = {
        choice: tables.read(
            measured(tmp_path, choice, torchvisions("resnet18", 64), choice)["network.parquet"], "network_capacities"
        ).to_pylist()[0]
        for choice in ("folded", "counted")
    }
    assert held["counted"]["capacity"] > held["folded"]["capacity"]
    assert held["counted"]["layers"] == held["folded"]["layers"] + 20


def test_unknown_network_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(NetworkError, match="no architecture of torchvision; did you mean alexnet"):
        measured(tmp_path, "alexnett", torchvisions("alexnett"))
    assert not list(tmp_path.iterdir())


def test_verdict_on_every_pair(networks, tmp_path):
    chance = np.random.default_rng(0)
    pictures = LabelledSamples(
        chance.integers(0, 256, (200, 3, 16, 16)).astype(np.uint8),
        chance.integers(0, 3, 200),
        ("a", "b", "c"),
        np.full(200, "train"),
    )
    sets = {"pictures": pictures, "gauss": generated("gauss", 100, 0, 35, 0)}
    needs = {}
    for name, samples in sets.items():
        write_samples(samples, tmp_path / f"{name}.parquet")
        needs[name] = tmp_path / f"{name}_needs.parquet"
        rows = capacity_curve(samples.values, samples.labels, CurveSettings((), 5), 0)
        tables.write(rows, "expected_capacities", needs[name])
    capacities = (tmp_path / "capacity.parquet", tmp_path / "capacity.csv")
    tabulate_capacity([paths["network.parquet"] for paths in networks.values()], *capacities)
    pairs = [["mine", "pictures"], ["alexnet", "pictures"], ["alexnet", "gauss"]]
    out = (tmp_path / "fit.parquet", tmp_path / "fit.csv")
    tabulate_fit(
        pairs,
        tmp_path / "capacity.parquet",
        needs,
        {name: tmp_path / f"{name}.parquet" for name in sets},
        *out,
        2.0,
        "plain",
    )
    table = tables.read(out[0], "fit").to_pandas()
    assert table[["network", "samples"]].to_numpy().tolist() == pairs
    assert table["verdict"].tolist() == ["matched", "oversized", "oversized"]
    assert table["needed"].tolist() == [6144, 6144, 2]
    assert abs(table["width_capacity"][0] / 6144 - 1) <= 0.02
    assert pd.isna(table["width"][2])
    assert table["width_note"].tolist() == ["", "", "samples are no pictures"]
    assert "these are 3" in table["caveats"][0]
    assert len(pd.read_csv(out[1])) == 3
