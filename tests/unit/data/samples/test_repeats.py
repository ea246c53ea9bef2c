"""What a dataset or set of samples has twice is counted by what it means and named as the user knows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.datasets.find_repeated_images import find_repeated_images
from filterscope import tables
from filterscope.data.samples import repeats
from filterscope.data.samples.labelled_samples import joined, split_off


def written(found, caplog, tmp_path, total=9):
    """Rows of the table, and what was logged."""
    caplog.clear()
    with caplog.at_level("WARNING", "filterscope"):
        repeats.write(found, [tmp_path / "repeats.parquet", tmp_path / "repeats.csv"], total, "samples")
    assert (tmp_path / "repeats.csv").read_text().startswith('"group","split","class","item"')
    return tables.read(tmp_path / "repeats.parquet", "repeats").to_pylist(), caplog.text


def test_images_on_both_sides_of_the_split(tmp_path, caplog):
    images = pd.DataFrame(
        {
            "image_id": range(6),
            "split": ["train", "train", "train", "val", "val", "val"],
            "path": ["train/0.jpg", "train/1.jpg", "train/2.jpg", "val/3.jpg", "val/4.jpg", "val/5.jpg"],
            "width": 1,
            "height": 1,
            "turned": False,
            "sha256": ["a", "b", "b", "c", "a", "a"],
        }
    )
    tables.write(images, "images", tmp_path / "images.parquet")
    with caplog.at_level("WARNING", "filterscope"):
        find_repeated_images(tmp_path / "images.parquet", tmp_path / "repeats.parquet", tmp_path / "repeats.csv")
    rows = tables.read(tmp_path / "repeats.parquet", "repeats").to_pylist()
    assert [(row["group"], row["item"]) for row in rows] == [
        (0, "train/0.jpg"),
        (0, "val/4.jpg"),
        (0, "val/5.jpg"),
        (1, "train/1.jpg"),
        (1, "train/2.jpg"),
    ]
    assert "5 of 6 images are the same as another" in caplog.text
    assert "1 in the train split and another" in caplog.text
    assert "(train/0.jpg (train) = val/4.jpg (val) = val/5.jpg (val))" in caplog.text
    assert "1 within one split and class (train/1.jpg (train) = train/2.jpg (train))" in caplog.text
    assert "different classes" not in caplog.text


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_rows_of_arrays_in_two_classes(tmp_path, caplog, kind):
    values = np.arange(24, dtype=kind).reshape(8, 3)
    values[5] = values[2]
    values[7] = values[0]
    samples = split_off(values, np.arange(8) % 2, ("cat", "dog"), 0.0, 0, [f"x[{row}]" for row in range(8)])
    rows, said = written(repeats.of_samples(samples), caplog, tmp_path)
    assert [(row["item"], row["class"]) for row in rows] == [
        ("x[0]", "cat"),
        ("x[7]", "dog"),
        ("x[2]", "cat"),
        ("x[5]", "dog"),
    ]
    assert "2 with different classes, of which one at most is right (x[0] (train, cat) = x[7] (train, dog); " in said


def test_minus_nothing_is_nothing_and_no_repeats_are_no_words(tmp_path, caplog):
    values = np.array([[0.0, 1.0], [-0.0, 1.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
    parts = {"train": (values[[0, 2]], np.array([0, 1])), "test": (values[[1, 3]], np.array([0, 1]))}
    rows, said = written(repeats.of_samples(joined(parts, "ab")), caplog, tmp_path)
    assert [row["item"] for row in rows] == ["train[0]", "test[0]"]
    assert "1 in the train split and another: scores there count what was learnt by heart" in said
    different = {"train": (values[[0, 2]], np.array([0, 1])), "test": (values[[3, 2]] + 9, np.array([0, 1]))}
    rows, said = written(repeats.of_samples(joined(different, "ab")), caplog, tmp_path)
    assert (rows, said) == ([], "")
