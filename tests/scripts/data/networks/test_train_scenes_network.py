"""train_scenes_network: from the tables of a small scenes dataset to weights, names and history."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from data.datasets.prepare_scenes import prepare_scenes
from data.networks.train_scenes_network import train_scenes_network
from filterscope import job, resumption, tables
from filterscope.data.networks import building
from filterscope.data.networks.embedded_training import EmbeddedTrainingSettings
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.data.scenes.words import SHAPES
from temperature.comparing.render_network_temperatures import render_network_temperatures

CONFIG = {
    "source": "scenes_cnn",
    "dataset": "scenes",
    "epochs": 3,
    "learning_rate": 0.005,
    "batch_size": 8,
    "input": {"resize": 48, "crop": 48},
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    names = ("images", "annotations", "categories", "rejected")
    settings = ScenesSettings(train=48, val=16, size=48)
    prepare_scenes(*(folder / f"{name}.parquet" for name in names), folder / "pictures", settings, 0)
    return folder


def train(dataset: Path, folder: Path, annotations: Path | None = None, settings=None, **more) -> Path:
    train_scenes_network(
        dataset / "images.parquet",
        annotations or dataset / "annotations.parquet",
        dataset / "pictures",
        folder / "weights.pt",
        folder / "words.parquet",
        folder / "history.csv",
        NetworkSettings.from_mapping(CONFIG).input,
        settings or EmbeddedTrainingSettings.from_mapping(CONFIG),
        seed=0,
        **more,
    )
    return folder


def test_the_loss_falls_and_the_weights_are_loaded_back(dataset, tmp_path):
    train(dataset, tmp_path)
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3]
    assert history["train_loss"].is_monotonic_decreasing
    assert history["best"].sum() == 1
    network = building.load(NetworkSettings.from_mapping(CONFIG), tmp_path / "weights.pt")
    assert network.classifier[0].out_channels == len(SHAPES)
    assert tables.read(tmp_path / "words.parquet", "known_words").num_rows == len(SHAPES)


@pytest.mark.parametrize("source", ["scenes_vit", "scenes_convnext"])
def test_transformers_are_trained_and_loaded_back_and_their_units_have_names(dataset, tmp_path, source):
    train(dataset, tmp_path, source=source)
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    settings = NetworkSettings.from_mapping({**CONFIG, "source": source})
    network = building.load(settings, tmp_path / "weights.pt")
    with torch.no_grad(), Reader(network, "classifier", input_size=48) as reader:
        evidence = reader(torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0)))
    assert evidence.shape == (2, len(SHAPES), 6, 6)
    words = tables.read(tmp_path / "words.parquet", "known_words").to_pylist()
    assert [each["words"][0] for each in words] == list(SHAPES)


def test_a_checkpoint_of_another_network_is_not_taken_up(dataset, tmp_path, monkeypatch):
    """Stopped after an epoch of one, the other begins anew."""
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(job, "progress", _stopping_after_one)
        train(dataset, tmp_path, source="scenes_vit")
    assert not (tmp_path / "weights.pt").exists()
    train(dataset, tmp_path, source="scenes_convnext")
    assert list(pd.read_csv(tmp_path / "history.csv")["epoch"]) == [1, 2, 3]


def _stopping_after_one(epochs, title):
    for epoch in epochs:
        if epoch > 1:
            raise KeyboardInterrupt
        yield epoch


def test_the_same_seed_gives_the_same_bytes(dataset, tmp_path):
    for name in ("one", "again"):
        (tmp_path / name).mkdir()
        train(dataset, tmp_path / name)
    for name in ("weights.pt", "history.csv", "words.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("method", [None, "one_cycle", "actcoolr", "schedule_free"])
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_killed_training_ends_as_an_undisturbed_one(dataset, tmp_path, monkeypatch, method, killed_at):
    steering = method and {"method": method, "learning_rate": 0.005}
    settings = EmbeddedTrainingSettings.from_mapping(CONFIG, steering)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    results = ("weights.pt", "words.parquet", "history.csv", "temperatures.parquet")

    def trained(name):
        folder = tmp_path / name
        train(dataset, folder, settings=settings, path_to_temperatures=folder / "temperatures.parquet")
        return [(folder / result).read_bytes() for result in results]

    expected, epochs, save = trained("whole"), [], resumption.Checkpoint.save

    def killing(checkpoint, state):
        checkpoint.interval = 0.0
        save(checkpoint, state)
        epochs.append(state.epoch)
        if epochs == list(range(1, killed_at + 1)):
            raise KeyboardInterrupt

    monkeypatch.setattr(resumption.Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        trained("killed")
    assert [path.name for path in (tmp_path / "killed").iterdir()] == [".weights.pt.checkpoint"]
    assert trained("killed") == expected
    assert epochs == [1, 2, 3]  # the second run went on, it did not start anew
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == sorted(results)


@pytest.mark.parametrize("method", ["one_cycle", "schedule_free"])
def test_a_schedule_of_the_temperature_room_is_followed_and_drawn(dataset, tmp_path, method):
    settings = EmbeddedTrainingSettings.from_mapping(CONFIG, {"method": method, "learning_rate": 0.005})
    train(dataset, tmp_path, settings=settings, path_to_temperatures=tmp_path / "temperatures.parquet")
    assert pd.read_csv(tmp_path / "history.csv")["train_loss"].is_monotonic_decreasing
    table = tables.read(tmp_path / "temperatures.parquet", "temperatures").to_pandas()
    assert table["step"].unique().tolist() == [0, 10]  # of three epochs of six batches
    figure, heat = tmp_path / "cnn.png", tmp_path / "cnn.csv"
    render_network_temperatures(tmp_path / "temperatures.parquet", figure, heat, "scenes_cnn", method)
    assert np.asarray(Image.open(figure).convert("L")).std() > 5
    assert len(pd.read_csv(heat)) == len(table)


def test_a_network_without_such_a_schedule_has_no_temperatures(dataset, tmp_path):
    train(dataset, tmp_path, path_to_temperatures=tmp_path / "temperatures.parquet")
    assert tables.read(tmp_path / "temperatures.parquet", "temperatures").num_rows == 0


def test_an_image_without_objects_is_named(dataset, tmp_path):
    annotations = tables.read(dataset / "annotations.parquet", "annotations").to_pandas()
    tables.write(annotations[annotations["image_id"] != 5], "annotations", tmp_path / "annotations.parquet")
    with pytest.raises(ValueError, match="1 images have no annotations, image 5 first"):
        train(dataset, tmp_path, tmp_path / "annotations.parquet")
    assert not (tmp_path / "weights.pt").exists()
