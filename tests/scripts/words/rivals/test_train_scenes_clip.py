"""train_scenes_clip: from the tables of a small scenes dataset to a model, its history and its right words."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pytest
import torch

from data.datasets.prepare_scenes import prepare_scenes
from filterscope import tables
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.words.rivals.clips import load
from filterscope.words.rivals.scenes_clip import ScenesClipSettings
from words.rivals.train_scenes_clip import train_scenes_clip

CONFIG = {"source": "scenes", "dataset": "scenes", "prompts": ["{}"], "size": 48, "dimension": 8, "batch_size": 16}
SETTINGS = ScenesClipSettings.from_mapping({**CONFIG, "epochs": 2})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    names = ("images", "annotations", "categories", "rejected")
    settings = ScenesSettings(train=48, val=16, size=48)
    prepare_scenes(*(folder / f"{name}.parquet" for name in names), folder / "pictures", settings, 0)
    return folder


def train(dataset: Path, folder: Path, annotations: Path | None = None) -> None:
    folder.mkdir()
    train_scenes_clip(
        dataset / "images.parquet",
        annotations or dataset / "annotations.parquet",
        dataset / "pictures",
        folder / "weights.pt",
        folder / "history.csv",
        folder / "retrieval.csv",
        SETTINGS,
        seed=0,
    )


def test_a_model_is_kept_with_its_history_and_its_right_words(dataset, tmp_path):
    train(dataset, tmp_path / "clip")
    clip = load(tmp_path / "clip" / "weights.pt", torch.device("cpu"))
    assert clip.dimension == 8
    assert clip.reads("red ring")
    history = pd.read_csv(tmp_path / "clip" / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert history[["loss", "view_loss"]].gt(0).all(axis=None)
    retrieval = pd.read_csv(tmp_path / "clip" / "retrieval.csv")
    assert list(retrieval["kind"]) == ["colour", "texture", "shape"]
    assert set(retrieval["images"]) == {16}  # the others are trained on
    assert retrieval["right"].between(0, 1).all()


def test_the_same_seed_gives_the_same_bytes(dataset, tmp_path):
    for name in ("one", "again"):
        train(dataset, tmp_path / name)
    for name in ("weights.pt", "history.csv", "retrieval.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_annotations_of_something_else_are_refused(dataset, tmp_path):
    table = tables.read(dataset / "annotations.parquet", "annotations")
    persons = table.set_column(table.column_names.index("tokens"), "tokens", [[["person"]] * len(table)])
    tables.write(persons, "annotations", tmp_path / "annotations.parquet")
    with pytest.raises(ValueError, match="is this a dataset of scenes"):
        train(dataset, tmp_path / "clip", tmp_path / "annotations.parquet")
    few = table.filter(pc.not_equal(table["image_id"], 3))
    tables.write(few, "annotations", tmp_path / "few.parquet")
    with pytest.raises(ValueError, match="picture 3 has no objects"):
        train(dataset, tmp_path / "other", tmp_path / "few.parquet")
