"""prepare_dataset writes, of COCO, five tables that fit their schemas, or none."""

import json

import pytest
from PIL import Image

from data.datasets.prepare_dataset import prepare_dataset
from filterscope import tables
from filterscope.data.rejection import RejectionError

NAMES = ("images", "annotations", "categories", "rejected", "findings")


def prepared(folder, results, **settings):
    """The tables by name, or none if the script fails."""
    paths = {name: results / f"{name}.parquet" for name in NAMES}
    arguments = {f"path_to_{name}": path for name, path in paths.items()}
    arguments |= {"path_to_findings_csv": results / "findings.csv", "max_bad_fraction": 0, "threads": 2, **settings}
    prepare_dataset("coco", folder, **arguments)
    return {name: tables.read(path, name) for name, path in paths.items()}


@pytest.fixture
def folder(tmp_path):
    """One picture a split; the one for validation is cut short."""
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)
    for number, split in enumerate(("train2017", "val2017"), start=1):
        (folder / split).mkdir()
        Image.new("RGB", (32, 24)).save(folder / split / "a.jpg")
        square = [4, 4, 12, 4, 12, 12, 4, 12]
        entry = {
            "id": number,
            "image_id": number,
            "category_id": 1,
            "iscrowd": 0,
            "area": 64,
            "bbox": [4, 4, 8, 8],
        }
        content = {
            "images": [{"id": number, "file_name": "a.jpg", "width": 32, "height": 24}],
            "annotations": [{**entry, "segmentation": [square]}],
            "categories": [{"id": 1, "name": "stop sign"}],
        }
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    picture = folder / "val2017" / "a.jpg"
    picture.write_bytes(picture.read_bytes()[:-50])
    return folder


def test_writes_nothing_when_too_much_is_unusable(folder, tmp_path):
    results = tmp_path / "results"
    with pytest.raises(RejectionError, match=r"image 2 \(val2017/a\.jpg\)"):
        prepared(folder, results)
    assert not results.exists()


def test_writes_what_is_usable_and_lists_the_rest(folder, tmp_path):
    found = prepared(folder, tmp_path / "results", max_bad_fraction=0.5)
    assert found["images"]["path"].to_pylist() == ["train2017/a.jpg"]
    assert found["annotations"]["tokens"].to_pylist() == [["stop", "sign"]]
    assert found["rejected"]["item"].to_pylist() == ["image 2 (val2017/a.jpg)", "annotation 2"]
    counted = "finding,count\ncrowds left out,0\ncrowd marks written as text,0\npictures that are not listed,0\n"
    assert (tmp_path / "results" / "findings.csv").read_text().replace('"', "") == counted


def test_names_may_stay_whole(folder, tmp_path):
    found = prepared(folder, tmp_path / "results", max_bad_fraction=0.5, whole_names=True)
    assert found["annotations"]["tokens"].to_pylist() == [["stop sign"]]
    assert found["categories"]["tokens"].to_pylist() == [["stop sign"]]


def test_same_folder_same_bytes(folder, tmp_path):
    for name in ("first", "second"):
        prepared(folder, tmp_path / name, max_bad_fraction=0.5, threads=1 if name == "first" else 3)
    for name in NAMES:
        file = f"{name}.parquet"
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


@pytest.mark.real
def test_real_photographs(realdata, tmp_path):
    """The numbers that the real data's README gives: 294 + 188 pictures, 4,166 objects, 80 categories."""
    found = prepared(realdata / "coco", tmp_path)
    splits = found["images"]["split"].to_pylist()
    assert (splits.count("train"), splits.count("val")) == (294, 188)
    assert found["annotations"].num_rows == 4166
    assert found["categories"].num_rows == 80
    assert len({token for tokens in found["categories"]["tokens"].to_pylist() for token in tokens}) == 92
    assert found["rejected"].num_rows == 0
    counted = found["categories"].to_pandas()
    assert counted[["annotations_train", "annotations_val"]].to_numpy().sum() == 4166
    first = found["images"].to_pylist()[0]
    assert (first["image_id"], first["width"], first["height"]) == (9, 640, 480)
