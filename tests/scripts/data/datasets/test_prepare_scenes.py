"""prepare_scenes: valid tables beside the pictures they name, the same bytes for the same seed, all or nothing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.datasets.prepare_scenes import prepare_scenes
from filterscope import tables
from filterscope.data.scenes import dataset
from filterscope.data.scenes.dataset import ScenesSettings


def prepare(folder: Path, settings: ScenesSettings, seed: int = 4) -> Path:
    names = ("images", "annotations", "categories", "rejected")
    prepare_scenes(*(folder / f"{name}.parquet" for name in names), folder / "pictures", settings, seed)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_tables_describe_the_pictures(tmp_path):
    prepare(tmp_path, ScenesSettings(train=6, val=3, size=64))
    images = tables.read(tmp_path / "images.parquet", "images").to_pylist()
    assert [row["split"] for row in images] == ["train"] * 6 + ["val"] * 3
    for row in images:
        file = (tmp_path / "pictures" / row["path"]).read_bytes()
        assert hashlib.sha256(file).hexdigest() == row["sha256"]
        with Image.open(tmp_path / "pictures" / row["path"]) as picture:
            assert picture.size == (row["width"], row["height"]) == (64, 64)
            assert picture.mode == "RGB"
    assert len(list((tmp_path / "pictures").iterdir())) == 9
    annotations = tables.read(tmp_path / "annotations.parquet", "annotations").to_pandas()
    assert annotations["image_id"].value_counts().between(2, 4).all()
    assert set(annotations["image_id"]) == set(range(9))
    categories = tables.read(tmp_path / "categories.parquet", "categories").to_pandas()
    assert categories[["annotations_train", "annotations_val"]].to_numpy().sum() == len(annotations)
    assert tables.read(tmp_path / "rejected.parquet", "rejected").num_rows == 0


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    settings = ScenesSettings(train=4, val=2, size=48)
    one, again, other = (
        digests(prepare(tmp_path / name, settings, seed)) for name, seed in (("a", 4), ("b", 4), ("c", 5))
    )
    assert one == again
    assert all(one[name] != other[name] for name in one if name.endswith(".png"))


def test_more_validation_pictures_leave_the_others_alone(tmp_path):
    few = digests(prepare(tmp_path / "few", ScenesSettings(train=3, val=1, size=48)))
    more = digests(prepare(tmp_path / "more", ScenesSettings(train=3, val=2, size=48)))
    assert {name for name in more if name not in few} == {"pictures/000004.png"}
    assert all(few[name] == more[name] for name in few if name.endswith(".png"))


def test_a_failure_leaves_no_pictures(tmp_path, monkeypatch):
    def draw(seed, index, size, objects):
        if index == 2:
            raise OSError("no space left")
        return dataset.DrawnScene(np.zeros((size, size, 3), np.uint8), ())

    monkeypatch.setattr(dataset, "draw", draw)
    with pytest.raises(OSError, match="no space left"):
        prepare(tmp_path, ScenesSettings(train=3, val=1))
    assert list(tmp_path.iterdir()) == []
