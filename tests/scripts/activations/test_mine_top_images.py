"""mine_top_images: for every filter the images of the split that excite it most."""

import numpy as np
import pytest

from activations.mine_top_images import mine_top_images
from filterscope import tables


@pytest.mark.parametrize("split", ["val", "train", "all"])
def test_equals_a_sort(study, tmp_path, split):
    mine_top_images(study.shards("image"), tmp_path / "top.parquet", 6, 1.0, split)
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


def test_more_top_images_than_images_are_cut_and_said_to_be(study, tmp_path, caplog):
    with caplog.at_level("INFO", "filterscope"):
        mine_top_images(study.shards("image"), tmp_path / "top.parquet", 9, 1.0, "val")
    found = tables.read(tmp_path / "top.parquet", "top_images").to_pandas()
    assert set(found.groupby("filter").size()) == {8}
    assert (
        "8 top images, 100% of the 8 that were mined instead of the 9 asked for, because there are no more"
        in caplog.text
    )


def test_top_images_are_at_most_a_share(study, tmp_path, caplog):
    with caplog.at_level("INFO", "filterscope"):
        mine_top_images(study.shards("image"), tmp_path / "top.parquet", 9, 0.25, "all")
    found = tables.read(tmp_path / "top.parquet", "top_images").to_pandas()
    assert set(found.groupby("filter").size()) == {6}
    assert "6 top images, 25% of the 24 that were mined instead of the 9 asked for" in caplog.text
    assert "(words.top_share)" in caplog.text


def test_no_image_of_the_split_is_an_error(study, tmp_path):
    images = tables.read(study.shards("image"), "image_activations")
    training = images.filter([each == "train" for each in images["split"].to_pylist()])
    tables.write(training, "image_activations", tmp_path / "train.parquet")
    with pytest.raises(ValueError, match=r"no image to mine.*words\.split"):
        mine_top_images([tmp_path / "train.parquet"], tmp_path / "top.parquet", 5, 1.0, "val")
    assert not (tmp_path / "top.parquet").exists()


def test_equal_maxima_go_by_the_mean(study, tmp_path):
    """Every maximum is clipped to the same bound: the order is that of the means, not of the image numbers."""
    images = tables.read(study.shards("image"), "image_activations")
    clipped = tables.vectors(np.minimum(tables.matrix(images["maximum"]), 0.01))
    columns = {name: images[name] for name in images.column_names} | {"maximum": clipped}
    tables.write(columns, "image_activations", tmp_path / "clipped.parquet")
    mine_top_images([tmp_path / "clipped.parquet"], tmp_path / "top.parquet", 5, 1.0, "all")
    found = tables.read(tmp_path / "top.parquet", "top_images").to_pandas()
    own = found[found["filter"] == 2]
    means = tables.matrix(images["mean"])[:, 2]
    assert own["image_id"].tolist() == np.argsort(-means, kind="stable")[:5].tolist()
    assert own["tied"].tolist() == [5] * 5
