"""A COCO folder for the tests of its reader."""

import pytest
from PIL import Image
from tests.unit.data.datasets.coco_files import HEIGHT, TRAIN, VAL, WIDTH, write


@pytest.fixture
def coco_folder(tmp_path):
    """A COCO folder of two training images and one for validation; `write` changes its annotations."""
    (tmp_path / "annotations").mkdir()
    for split, content in (("train", TRAIN), ("val", VAL)):
        (tmp_path / f"{split}2017").mkdir()
        for entry in content["images"]:
            Image.new("RGB", (WIDTH, HEIGHT), (entry["id"], 99, 0)).save(tmp_path / f"{split}2017" / entry["file_name"])
    write(tmp_path)
    return tmp_path
