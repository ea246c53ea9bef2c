"""mine_top_images: for every filter the images of the split that excite it most."""

import numpy as np
import pytest

from activations.mine_top_images import mine_top_images
from filterscope import tables


@pytest.mark.parametrize("split", ["val", "train", "all"])
def test_equals_a_sort(study, tmp_path, split):
    mine_top_images(study.shards("image"), tmp_path / "top.parquet", 6, split)
    found = tables.read(tmp_path / "top.parquet", "top_images").to_pandas()
    images = tables.read(study.shards("image"), "image_activations")
    maxima = tables.matrix(images["maximum"])
    mined = np.array([split in ("all", each) for each in images["split"].to_pylist()])
    ids = images["image_id"].to_numpy()
    for number in range(5):
        expected = sorted(ids[mined], key=lambda i, number=number: (-maxima[i, number], i))[:6]
        mine = found[found["filter"] == number]
        assert mine["image_id"].tolist() == expected
        assert mine["rank"].tolist() == list(range(6))
        np.testing.assert_allclose(mine["maximum"], maxima[expected, number])


def test_colour_filters_find_their_colour(study):
    shows = study.table("annotations").groupby("image_id")["category"].agg(set)
    top = study.table("top_images")
    for number, colour in ((0, "red"), (1, "blue")):
        assert all(colour in shows[image] for image in top[top["filter"] == number]["image_id"])


def test_more_top_images_than_images_is_refused(study, tmp_path):
    with pytest.raises(ValueError, match=r"top_images is 9, but only 8 images were looked at; lower words\.top_images"):
        mine_top_images(study.shards("image"), tmp_path / "top.parquet", 9, "val")
    assert not list(tmp_path.iterdir())
