"""Scaled networks trained on a slice of CIFAR-10 and attacked: small, but real photographs; resampling of them."""

from __future__ import annotations

import numpy as np
import pytest

from diagnosis.resampling.resample_samples import resample_samples
from diagnosis.robustness.attack_network import attack_network
from diagnosis.robustness.tabulate_robustness import tabulate_robustness
from diagnosis.robustness.train_scaled_networks import train_scaled_networks
from filterscope import tables
from filterscope.data.samples import sources
from filterscope.data.samples.labelled_samples import read_samples, write_samples
from filterscope.diagnosis.resampling.methods import ResamplingSettings
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling

pytestmark = [pytest.mark.real, pytest.mark.slow]

START = 30720  # bits (Debugger, table 1)
SHARES = (25, 13)
ATTACKS = {"greedy": {}, "sparse": {"queries": 200, "patience": 25}, "bounded": {"steps": 5, "halvings": 6}}


@pytest.fixture(scope="module")
def folder(labelled, tmp_path_factory):
    """Two capacities of a plain network, each trained from two seeds on 1,000 photographs."""
    folder = tmp_path_factory.mktemp("cifar10")
    samples = sources.read("cifar10", labelled("cifar10"), {"train": 1000, "test": 400}, seed=0)
    write_samples(samples, folder / "samples.parquet")
    for share in SHARES:
        paths = [folder / f"{share}" / name for name in ("weights", "networks.parquet", "history.parquet")]
        scaling, training = Scaling(START, 0.03), ScaledTrainingSettings(4, 32, 0.005)
        train_scaled_networks(folder / "samples.parquet", *paths, "plain", [share], range(2), scaling, training, 0)
        files = [[path] for path in paths[:2]]
        paths = folder / f"attacks_{share}.parquet", folder / f"pictures_{share}.parquet"
        attack_network(folder / "samples.parquet", *files, *paths, ATTACKS, 40, 64, 0)
    return folder


def test_networks_learn_something_of_the_photographs(folder):
    paths = [folder / f"{share}" / "networks.parquet" for share in SHARES]
    rows = tables.read(paths, "scaled_networks").to_pandas()
    assert (rows["capacity"] / rows["target"]).between(0.97, 1.03).all()
    assert rows["accuracy"].min() > 0.2, "chance is 0.1"


def test_few_pixels_fool_them_and_none_leaves_the_box(folder):
    """Networks as small as these are not robust; what the attacks claim is what the pictures show."""
    samples = read_samples(folder / "samples.parquet")
    for share in SHARES:
        rows = tables.read(folder / f"attacks_{share}.parquet", "attacks").to_pandas()
        greedy = rows[rows["attack"] == "greedy"]
        assert greedy["success"].mean() > 0.9
        assert 1 <= greedy["size"].median() < 100
        sparse = rows[(rows["attack"] == "sparse") & rows["success"]]
        assert len(sparse) > 0.5 * len(greedy)
        made = tables.read(folder / f"pictures_{share}.parquet", "attacked_pictures")
        values = tables.matrix(made["values"])
        assert values.min() >= 0
        assert values.max() <= 1
        facts = made.select(["family", "share", "seed", "attack", "sample"]).to_pandas().merge(rows)
        before = samples.images()[facts["sample"]].reshape(len(facts), 3, -1)
        changed = (values.reshape(before.shape) != before).any(1).sum(1)
        own = ((facts["unit"] == "pixels") & facts["success"]).to_numpy()
        assert own.sum() >= 4
        assert (changed[own] == facts["size"].to_numpy()[own]).all()


def test_the_sentence_answers_for_the_photographs(folder):
    files = {
        "networks": [folder / f"{share}" / "networks.parquet" for share in SHARES],
        "attacks": [folder / f"attacks_{share}.parquet" for share in SHARES],
    }
    names = ("robustness.parquet", "r.csv", "networks.parquet", "n.csv", "trends.parquet", "t.csv", "text.md")
    tabulate_robustness([["cifar10", files]], *(folder / name for name in names), 0.05, 0.95, 0)
    assert "Is smaller more robust on cifar10? For plain it " in (folder / "text.md").read_text()
    table = tables.read(folder / "robustness.parquet", "robustness").to_pandas()
    assert len(table) == len(SHARES) * len(ATTACKS)


def test_rare_photographs_are_resampled(folder, tmp_path):
    paths = [tmp_path / name for name in ("samples.parquet", "origins.parquet", "history.parquet", "history.csv")]
    entry = {"rare": "cat", "kept": 0.2}
    measure = {"norm": "sum", "ties": "label"}
    settings = ResamplingSettings(iterations=3, ties="strict")
    own = dict(zip(("samples", "origins", "history", "csv"), paths, strict=True))
    resample_samples(folder / "samples.parquet", {"both": own}, entry, settings, measure, None, 0)
    source, made = read_samples(folder / "samples.parquet"), read_samples(paths[0])
    assert made.shape == (3, 32, 32)
    assert made.values.min() >= 0
    assert made.values.max() <= 1
    counts = np.bincount(made.part("train").labels)
    assert counts.max() <= 100
    assert counts[source.classes.index("cat")] > 20
    assert (made.part("test").values == source.part("test").images()).all()
