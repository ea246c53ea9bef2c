"""prepare_samples and prepare_object_samples write one table, or nothing."""

import numpy as np
import pytest
from PIL import Image

from data.datasets.prepare_scenes import prepare_scenes
from data.samples.prepare_object_samples import prepare_object_samples
from data.samples.prepare_samples import prepare_samples
from filterscope import tables
from filterscope.data.rejection import RejectionError
from filterscope.data.samples.labelled_samples import SamplesError, read_samples
from filterscope.data.scenes.dataset import ScenesSettings

ALL = {"train": None, "test": None}
XOR = {"source": "xor", "points": 60, "test_points": 20, "noise": 35, "limit": ALL}


def prepared(path, settings, seed=0, name="mine", **more):
    prepare_samples(path / "samples.parquet", settings, seed, name, **more)
    return read_samples(path / "samples.parquet")


def test_generated_points_depend_on_the_seed_and_the_name_alone(tmp_path):
    first = prepared(tmp_path, XOR)
    assert first.shape == (2,)
    assert [len(first.part(split)) for split in ("train", "test")] == [60, 20]
    assert np.array_equal(first.values, prepared(tmp_path, XOR).values)
    assert not np.array_equal(first.values, prepared(tmp_path, XOR, seed=1).values)
    assert not np.array_equal(first.values, prepared(tmp_path, XOR, name="other").values)


def test_arrays_are_read_and_limited(tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).normal(size=(40, 3)), y=np.tile(["a", "b"], 20))
    settings = {"source": "arrays", "test": 0.25, "limit": {"train": 10, "test": None}}
    samples = prepared(tmp_path, settings, path_to_source=tmp_path / "mine.npz")
    assert [len(samples.part(split)) for split in ("train", "test")] == [10, 10]


def test_nothing_is_written_where_the_input_is_wrong(tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.ones((4, 3)), y=np.zeros(4, int))
    with pytest.raises(SamplesError, match=r"mine\.npz: there is only one class"):
        prepared(tmp_path, {"source": "arrays", "test": 0.0, "limit": ALL}, path_to_source=tmp_path / "mine.npz")
    assert not (tmp_path / "samples.parquet").exists()


def test_broken_pictures_of_class_folders_are_listed(tmp_path):
    for name, colour in (("apple", "red"), ("berry", "blue")):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (6, 6), colour).save(tmp_path / "mine" / name / f"{number}.png")
    (tmp_path / "mine" / "apple" / "2.png").write_bytes(b"")
    settings = {"source": "folder", "size": None, "test": 0.0, "limit": ALL, "max_bad_fraction": 0.2}
    where = {"path_to_source": tmp_path / "mine", "path_to_rejected": tmp_path / "rejected.parquet"}
    assert len(prepared(tmp_path, settings, **where)) == 7
    rejected = tables.read(tmp_path / "rejected.parquet", "rejected").to_pylist()
    assert [line["item"] for line in rejected] == ["image apple/2.png"]
    (tmp_path / "samples.parquet").unlink()
    with pytest.raises(RejectionError, match="1 of 8 images"):
        prepared(tmp_path, {**settings, "max_bad_fraction": 0.1}, **where)
    assert not (tmp_path / "samples.parquet").exists()


def test_objects_of_scenes_by_their_shape(tmp_path):
    files = [tmp_path / f"{name}.parquet" for name in ("images", "annotations", "categories", "rejected")]
    scenes = ScenesSettings(source="scenes", train=40, val=16, size=64, objects=[2, 4])
    prepare_scenes(*files, tmp_path / "pictures", scenes, seed=0)
    settings = {"by": "shape", "size": 16, "smallest": 4, "min_count": 1, "limit": {"train": 30, "test": None}}
    prepare_object_samples(*files[:2], tmp_path / "pictures", tmp_path / "samples.parquet", settings, 0, "mine")
    samples = read_samples(tmp_path / "samples.parquet")
    assert samples.shape == (3, 16, 16)
    assert set(samples.classes) >= {"circle", "square"}
    assert len(samples.part("train")) == 30
    assert len(samples.part("test")) > 16
