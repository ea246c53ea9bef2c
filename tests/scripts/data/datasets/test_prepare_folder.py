"""prepare_dataset writes, of a plain folder, three tables that fit their schemas, or none."""

import pytest
from PIL import Image

from data.datasets.prepare_dataset import prepare_dataset
from filterscope import tables
from filterscope.data.rejection import RejectionError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "holiday"
    (folder / "beach").mkdir(parents=True)
    Image.new("RGB", (8, 6)).save(folder / "beach" / "sea.png")
    Image.new("L", (5, 5)).save(folder / "cliff.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.TXT").write_text("sunny")
    return folder


def test_writes_what_is_usable_and_lists_the_rest(folder, tmp_path):
    paths = [tmp_path / "results" / f"{name}.parquet" for name in ("images", "rejected", "findings")]
    prepare_dataset("folder", folder, *paths, tmp_path / "findings.csv", max_bad_fraction=0.34, threads=2)
    images = tables.read(paths[0], "images").to_pylist()
    assert [(row["image_id"], row["path"], row["width"], row["height"]) for row in images] == [
        (0, "beach/sea.png", 8, 6),
        (2, "cliff.jpg", 5, 5),
    ]
    assert {row["split"] for row in images} == {"val"}
    assert tables.read(paths[1], "rejected")["item"].to_pylist() == ["image 1 (broken.jpg)"]
    assert tables.read(paths[2], "findings").to_pylist() == [{"finding": "files left aside, .txt", "count": 1}]
    assert (tmp_path / "findings.csv").read_text().splitlines()[1].endswith('files left aside, .txt",1')


def test_writes_nothing_when_too_much_is_unusable(folder, tmp_path):
    with pytest.raises(RejectionError, match=r"image 1 \(broken\.jpg\): not a picture"):
        prepare_dataset("folder", folder, *(tmp_path / "results" / name for name in "irfc"), max_bad_fraction=0.3)
    assert not (tmp_path / "results").exists()
