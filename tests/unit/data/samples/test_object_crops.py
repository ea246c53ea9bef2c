"""The objects of a dataset are cut out and become labelled pictures, or say why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.unit.data.samples.coloured import COLOURS

from filterscope.data.samples import object_crops
from filterscope.data.samples.labelled_samples import SamplesError


@pytest.fixture
def dataset(tmp_path):
    """Three pictures of a red field at the left and a blue one at the right."""
    for number in range(3):
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[10:30, 4:14] = COLOURS["apple"]
        pixels[5:35, 25:55] = COLOURS["berry"]
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    images = pd.DataFrame(
        {
            "image_id": range(3),
            "split": ["train", "train", "val"],
            "path": [f"{n}.png" for n in range(3)],
            "turned": False,
        }
    )
    rows = []
    for number in range(3):
        rows.append((number, "red square", ["red", "square"], 4.0, 10.0, 10.0, 20.0))
        rows.append((number, "blue star", ["blue", "star"], 25.0, 5.0, 30.0, 30.0))
    columns = ["image_id", "category", "tokens", "x", "y", "w", "h"]
    return images, pd.DataFrame(rows, columns=columns), tmp_path


def crops(dataset, by="category", size=10, smallest=0.0, min_count=1):
    return object_crops.read_crops(*dataset, by, size, smallest, min_count)


def test_objects_are_cut_out_with_the_square_around_their_box(dataset):
    samples = crops(dataset)
    assert samples.classes == ("blue star", "red square")
    assert samples.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert [len(samples.part(split)) for split in ("train", "test")] == [4, 2]
    assert (samples.values[1] == np.array(COLOURS["berry"])[:, None, None]).all(), "fills its square"
    red = samples.values[0, 0]
    assert (red[:, 0] < 40).all(), "what is beside the narrow box is in the picture too"
    assert (red[:, 4] == 220).all()


def test_small_rare_and_shapeless_objects(dataset):
    images, annotations, folder = dataset
    assert crops(dataset, by="shape").classes == ("square", "star")
    with pytest.raises(SamplesError, match="1 classes have at least 1 training objects of 12 px or more"):
        crops(dataset, smallest=12)
    annotations.loc[0, "category"] = "rare thing"
    assert crops((images, annotations, folder), min_count=1).classes == ("blue star", "rare thing", "red square")
    assert len(crops((images, annotations, folder), min_count=1)) == 6
    with pytest.raises(SamplesError, match="1 classes have at least 2 training objects"):
        crops((images, annotations, folder), min_count=2)
    annotations.at[0, "tokens"] = ["red"]
    with pytest.raises(SamplesError, match=r"image 0 has tokens \['red'\]: no shape"):
        crops((images, annotations, folder), by="shape")
    with pytest.raises(SamplesError, match="by is 'colour'"):
        crops(dataset, by="colour")
