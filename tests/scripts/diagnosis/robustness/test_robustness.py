"""train_scaled_networks, attack_network, search_capacity, tabulate_robustness, render_robustness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from diagnosis.robustness.attack_network import attack_network
from diagnosis.robustness.render_robustness import render_robustness
from diagnosis.robustness.search_capacity import search_capacity
from diagnosis.robustness.tabulate_robustness import tabulate_robustness
from diagnosis.robustness.train_scaled_networks import train_scaled_networks
from filterscope import tables
from filterscope.data.samples.labelled_samples import LabelledSamples, write_samples
from filterscope.diagnosis.scaled import trained
from filterscope.diagnosis.scaled.frozen import predicted
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.training import Checkpoint

SHARES, NUMBERS, BATCH = (100, 50), (0, 1), "0-1"
SCALING = trained.Scaling(start=400, tolerance=0.05)
TRAINING = ScaledTrainingSettings(epochs=4, batch_size=16, learning_rate=0.02)
ATTACKS = {
    "greedy": {"rivals": 2},
    "sparse": {"queries": 60, "patience": 15},
    "bounded": {"steps": 4, "halvings": 5},
}


def samples():
    """Colour pictures that are brighter on their left, in their middle or on their right."""
    chance = np.random.default_rng(0)
    labels = np.tile(np.arange(3), 50)
    values = chance.integers(0, 120, (150, 3, 6, 6))
    for value, label in zip(values, labels, strict=True):
        value[:, :, 2 * label : 2 * label + 2] += 100
    split = np.where(np.arange(150) < 100, "train", "test")
    return LabelledSamples(values.astype(np.uint8), labels, ("left", "middle", "right"), split)


def train(folder, target, shares=(100,), numbers=NUMBERS, **changed):
    paths = [target / name for name in ("weights", "networks.parquet", "history.parquet")]
    settings = {
        "family": "plain",
        "shares": shares,
        "numbers": numbers,
        "scaling": SCALING,
        "training": TRAINING,
        "seed": 0,
    }
    train_scaled_networks(folder / "samples.parquet", *paths, **settings | changed)


def attack(folder, target, share, samples=None, **changed):
    files = [[folder / f"{share}" / BATCH / name] for name in ("weights", "networks.parquet")]
    paths = target / "attacks.parquet", target / "pictures.parquet"
    settings = {"attacks": ATTACKS, "images": 20, "batch_size": 8, "seed": 0}
    attack_network(samples or folder / "samples.parquet", *files, *paths, **settings | changed)


def grid(folder):
    networks = [folder / f"{share}" / BATCH / "networks.parquet" for share in SHARES]
    return networks, [folder / f"{share}" / "attacks.parquet" for share in SHARES]


def seek(folder, target, lent=None, **changed):
    settings = {"family": "plain", "seeds": 2, "scaling": SCALING, "training": TRAINING, "images": 20, "batch_size": 8}
    settings |= {"attack": {"greedy": ATTACKS["greedy"]}, "loss": 0.05, "resolution": 4, "seed": 0}
    paths = target / "search.parquet", target / "search.csv"
    search_capacity(folder / "samples.parquet", *(lent or grid(folder)), *paths, **settings | changed)
    return tables.read(target / "search.parquet", "capacity_search").to_pandas()


def tabulate(folder, target, made=None):
    networks, attacks = made or grid(folder)
    names = ("robustness.parquet", "robustness.csv", "networks.parquet", "networks.csv", "trends.parquet", "trends.csv")
    paths = [target / name for name in (*names, "robustness.md")]
    tabulate_robustness([["squares", {"networks": networks, "attacks": attacks}]], *paths, 0.05, 0.95, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("robustness")
    write_samples(samples(), folder / "samples.parquet")
    for share in SHARES:
        train(folder, folder / f"{share}" / BATCH, [share])
        attack(folder, folder / f"{share}", share)
    seek(folder, folder)
    tabulate(folder, folder)
    return folder


def test_networks_hold_what_they_should_and_learn(folder):
    rows = tables.read(grid(folder)[0], "scaled_networks").to_pandas()
    assert rows["target"].tolist() == [400, 400, 200, 200]
    assert (rows["capacity"] / rows["target"]).between(0.95, 1.05).all()
    assert rows["accuracy"].min() > 0.6
    history = tables.read(folder / "100" / BATCH / "history.parquet", "scaled_history").to_pandas()
    assert history["seed"].tolist() == [number for number in NUMBERS for _ in range(4)]
    assert history["epoch"].tolist() == [1, 2, 3, 4] * len(NUMBERS)
    files = [folder / "100" / BATCH / "weights" / f"100-{number}.pt" for number in NUMBERS]
    weights = [torch.load(file, weights_only=True) for file in files]
    assert any((first != second).any() for first, second in zip(*(each.values() for each in weights), strict=True))


def test_loaded_networks_classify_as_the_trained_ones_did(folder):
    _, row = tables.read(folder / "50" / BATCH / "networks.parquet", "scaled_networks").to_pylist()
    network = trained.load_network(folder / "50" / BATCH / "weights" / "50-1.pt", "plain", row["width"], samples())
    test = samples().part("test")
    assert np.mean(predicted(network, test.images()) == test.labels) == row["accuracy"]


def test_attacks_change_the_class_and_stay_in_the_box(folder):
    data = samples()
    for share in SHARES:
        rows = tables.read(folder / f"{share}" / "attacks.parquet", "attacks").to_pandas()
        assert set(rows["attack"]) == set(ATTACKS)
        assert (data.split[rows["sample"]] == "test").all()
        assert (data.labels[rows["sample"]] == rows["label"]).all()
        assert ((rows["classified"] != rows["label"]) == rows["success"]).all()
        pixels = rows[rows["unit"] == "pixels"]
        assert (pixels.loc[~pixels["success"], "size"] == 36).all()
        assert pixels.groupby("seed")["sample"].nunique().max() <= 20
        made = tables.read(folder / f"{share}" / "pictures.parquet", "attacked_pictures")
        values = tables.matrix(made["values"])
        assert values.min() >= 0
        assert values.max() <= 1
        facts = made.select(["family", "share", "seed", "attack", "sample"]).to_pandas().merge(rows)
        before = data.images()[facts["sample"]].reshape(len(facts), 3, -1)
        changed = (values.reshape(before.shape) != before).any(1).sum(1)
        own = (facts["unit"] == "pixels").to_numpy() & facts["success"].to_numpy()
        assert (changed[own] == facts["size"].to_numpy()[own]).all()


def test_same_seed_same_bytes(folder, tmp_path):
    train(folder, tmp_path / "50" / BATCH, [50])
    attack(folder, tmp_path / "50", 50, batch_size=8)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path


def test_networks_are_the_same_alone_and_in_a_batch(folder, tmp_path):
    for number in NUMBERS:
        train(folder, tmp_path / f"{number}", [50], [number])
        alone = tmp_path / f"{number}" / "weights" / f"50-{number}.pt"
        assert alone.read_bytes() == (folder / "50" / BATCH / "weights" / alone.name).read_bytes()
    rows = tables.read([tmp_path / f"{number}" / "networks.parquet" for number in NUMBERS], "scaled_networks")
    assert rows.equals(tables.read(folder / "50" / BATCH / "networks.parquet", "scaled_networks"))


def test_capacities_are_the_same_alone_and_in_a_batch(folder, tmp_path):
    """Networks, attacks, pictures and what is told of them, when one job does all capacities."""
    target = tmp_path / "100-50"
    train(folder, target / BATCH, SHARES)
    attack(tmp_path, target, "100-50", samples=folder / "samples.parquet")
    for share in SHARES:
        for alone in (folder / f"{share}" / BATCH / "weights").iterdir():
            assert (target / BATCH / "weights" / alone.name).read_bytes() == alone.read_bytes()
    for name, schema in {
        f"{BATCH}/networks.parquet": "scaled_networks",
        f"{BATCH}/history.parquet": "scaled_history",
        "attacks.parquet": "attacks",
        "pictures.parquet": "attacked_pictures",
    }.items():
        alone = tables.read([folder / f"{share}" / name for share in SHARES], schema)
        assert tables.read(target / name, schema).equals(alone), name
    tabulate(folder, tmp_path / "out", [[target / BATCH / "networks.parquet"], [target / "attacks.parquet"]])
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes(), path


def test_a_killed_training_ends_as_an_undisturbed_one(folder, tmp_path, monkeypatch):
    save, saved = Checkpoint.save, []

    def killing(checkpoint, state):
        checkpoint.interval = 0.0
        save(checkpoint, state)
        saved.append(state.epoch)
        if saved == [1, 2, 3, 4, 1, 2]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        train(folder, tmp_path)
    checkpoints = {".100-0.pt.checkpoint", ".100-1.pt.checkpoint"}
    assert {each.name for each in tmp_path.iterdir()} == {"weights", *checkpoints}
    train(folder, tmp_path)
    assert saved == [1, 2, 3, 4, 1, 2, 3, 4], "the first network was done, of the second two epochs were left"
    whole = folder / "100" / BATCH
    for path in (path for path in whole.rglob("*") if path.is_file()):
        assert (tmp_path / path.relative_to(whole)).read_bytes() == path.read_bytes(), path
    assert {each.name for each in tmp_path.iterdir()} == {each.name for each in whole.iterdir()}


def test_the_search_takes_the_grids_networks_and_goes_on_after_a_kill(folder, tmp_path, monkeypatch):
    steps = tables.read(folder / "search.parquet", "capacity_search").to_pandas()
    assert steps["target"].tolist()[:2] == [400, 200]
    assert steps["target"].iloc[2] in (100, 300)
    assert steps["chosen"].sum() == 1
    measured = tables.read(grid(folder)[0], "scaled_networks").to_pandas()
    assert steps["accuracy"].iloc[1] == pytest.approx(measured.loc[measured["share"] == 50, "accuracy"].mean())
    seen = []
    real = trained.trained_network

    def counting(match, *arguments, **more):
        seen.append(match.target)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(match, *arguments, **more)

    monkeypatch.setattr("diagnosis.robustness.search_capacity.trained_network", counting)
    with pytest.raises(KeyboardInterrupt):
        seek(folder, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [".search.json"]
    again = seek(folder, tmp_path)
    assert again.equals(steps)
    wanted = [target for target in steps["target"] if target not in (400, 200) for _ in NUMBERS]
    assert sorted(seen) == sorted([wanted[1], *wanted]), "of the grid none, of the others none twice but the killed one"
    assert not (tmp_path / ".search.json").exists()


def test_the_search_is_the_same_when_the_grid_has_other_capacities(folder, tmp_path):
    """What the grid lends is what the search would have measured itself."""
    networks, attacks = grid(folder)
    steps = tables.read(folder / "search.parquet", "capacity_search").to_pandas()
    assert seek(folder, tmp_path, (networks[1:], attacks[1:])).equals(steps)


def test_tables_and_the_sentence(folder):
    table = tables.read(folder / "robustness.parquet", "robustness").to_pandas()
    assert len(table) == len(SHARES) * len(ATTACKS)
    assert table["seeds"].eq(2).all()
    assert (table["rho_low"] <= table["rho"]).all()
    observed = tables.read(folder / "networks.parquet", "robustness_networks").to_pandas()
    own = observed[(observed["attack"] == "greedy") & (observed["share"] == 50)]
    row = table[(table["attack"] == "greedy") & (table["share"] == 50)].iloc[0]
    assert row["rho"] == own["rho"].mean()
    rows = tables.read(folder / "50" / "attacks.parquet", "attacks").to_pandas()
    for each in own.itertuples():
        sizes = rows.loc[(rows["seed"] == each.seed) & (rows["attack"] == "greedy"), "size"]
        assert each.rho == np.median(sizes)
        assert each.images == len(sizes)
    assert "Is smaller more robust on squares? For plain it " in (folder / "robustness.md").read_text()


def test_figures(folder, tmp_path):
    paths = folder / "robustness.parquet", folder / "networks.parquet", folder / "samples.parquet"
    pictures = [folder / f"{share}" / "pictures.parquet" for share in SHARES]
    searches = [folder / "search.parquet"]
    render_robustness(*paths, pictures, grid(folder)[1], searches, tmp_path / "figures", "squares", ["plain"])
    names = sorted(each.name for each in (tmp_path / "figures").iterdir())
    assert names == ["attacked_plain.png", "robustness_plain.png"]
    for name in names:
        assert np.asarray(Image.open(tmp_path / "figures" / name).convert("L")).std() > 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"shares": [100, 1]}, "the target capacity is 4 bits; the smallest plain for"),
        ({"scaling": trained.Scaling(400, tolerance=1e-6), "shares": [33]}, "no width of plain"),
    ],
)
def test_capacities_that_no_network_has(folder, tmp_path, changed, said):
    with pytest.raises(trained.NoNetworkError, match=said):
        train(folder, tmp_path, **changed)
    assert not list(tmp_path.iterdir())


def test_vectors_and_values_out_of_the_box_are_refused(tmp_path):
    data = samples()
    flat = LabelledSamples(data.flat(), data.labels, data.classes, data.split)
    write_samples(flat, tmp_path / "samples.parquet")
    with pytest.raises(ValueError, match="these networks take pictures"):
        train(tmp_path, tmp_path / "out")
    write_samples(
        LabelledSamples(data.values.astype(np.float32), data.labels, data.classes, data.split),
        tmp_path / "samples.parquet",
    )
    with pytest.raises(ValueError, match=r"pixels go from 0 to 219, should be 0 to 1"):
        train(tmp_path, tmp_path / "out")
