"""Photographs are counted where their folder is there, known of what is downloaded, or said to be a guess."""

import pytest

from filterscope.data.datasets import counting
from filterscope.data.datasets.counting import KNOWN, Photographs, photographs
from filterscope.data.datasets.folder import list_pictures


@pytest.fixture
def folder(tmp_path):
    """Three pictures that count, one of them deeper and one in capitals, and what does not count."""
    for name in ("a.jpg", "b.PNG", "inside/c.webp", "notes.txt", ".d.jpg", "@eaDir/e.jpg", "raw.dng"):
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).touch()
    return tmp_path / "album"


def test_a_folder_is_counted_without_opening_a_file(folder):
    assert photographs({"source": "folder", "folder": str(folder)}) == Photographs(0, 3, 0.0)
    (folder / "raw.dng").unlink()  # which alone among these is named as a picture that nobody can read
    assert len(list_pictures(folder)) == 3


def test_parts_of_a_dataset_are_counted_apart(tmp_path):
    for split, count in (("train2017", 3), ("val2017", 2), ("VG_100K", 12), ("VG_100K_2", 8)):
        (tmp_path / split).mkdir()
        for number in range(count):
            (tmp_path / split / f"{number}.jpg").touch()
    (tmp_path / "objects.json").touch()
    assert photographs({"source": "coco", "folder": str(tmp_path)}) == Photographs(3, 2, 7.3)
    assert photographs({"source": "visual_genome", "folder": str(tmp_path)}) == Photographs(18, 2, 35.0)
    assert photographs({"source": "visual_genome", "folder": str(tmp_path), "train": 0.5}).of(counting.TRAINING) == 10
    assert photographs({"source": "scenes", "train": 5, "val": 4}).of(counting.ALL) == 9


def test_what_is_downloaded_is_known_and_anything_else_is_a_guess(tmp_path):
    assert photographs({"source": "coco", "folder": None}) == KNOWN["coco"]
    assert photographs({"source": "coco", "folder": str(tmp_path)}) == KNOWN["coco"]  # pictures are still to come
    for entry in ({"source": "folder", "folder": str(tmp_path / "gone")}, {"source": "own", "folder": None}):
        found = photographs(entry)
        assert found.guessed
        assert found.of(counting.ALL) == counting.UNKNOWN


def test_thresholds_come_from_training_photographs_or_from_all_where_there_are_none():
    album, coco = Photographs(0, 300, 0.0), Photographs(200, 50, 7.3)
    assert [each.deciding for each in (album, coco)] == [300, 200]
    assert counting.most([coco, album]) == (300, False)
    assert counting.most([coco, Photographs(0, 10_000, 0.0, guessed=True)]) == (10_000, True)
    assert counting.most([]) == (0, False)
