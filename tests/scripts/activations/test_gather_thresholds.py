"""gather_thresholds: the quantile of everything that the network answered, from the shards' tails."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from activations.gather_thresholds import gather_thresholds
from filterscope import tables
from filterscope.data.networks import building

TRAIN = 16  # of the study's 24 images


@pytest.fixture(scope="module")
def activations(study):
    """Every activation of the study's training images, [filters, n]."""
    network = building.load(study.probe().network, study.weights)
    pictures = [np.asarray(Image.open(study.pictures / f"{n}.png")).transpose(2, 0, 1) for n in range(TRAIN)]
    maps = network(torch.from_numpy(np.stack(pictures).astype(np.float32) / 255))
    return maps.transpose(0, 1).flatten(1).numpy()


def test_equals_the_quantile_of_all_training_images(study, activations):
    table = study.table("thresholds")
    expected = np.quantile(activations.astype(np.float64), 0.95, axis=1)
    np.testing.assert_allclose(table["threshold"], expected, rtol=1e-5)
    assert set(table["n"]) == {TRAIN * 16 * 16}


def test_dead_filters_are_listed(study):
    table = study.table("thresholds")
    assert table["dead"].tolist() == [False, False, False, False, True]
    csv = pd.read_csv(study.folder / "thresholds.csv")
    assert csv[csv["dead"]]["filter"].tolist() == [4]


def test_the_lower_tail_is_a_switch(study, activations, tmp_path):
    """A mistake of the reference: quantile 0.05 instead of 0.95, on maps that are mostly zero."""
    lower = replace(study.extraction, quantile=1 - study.extraction.quantile)
    study.extract(2, tmp_path, settings=lower)
    gather_thresholds(study.shards("tails", 2, tmp_path), tmp_path / "t.parquet", tmp_path / "t.csv", lower.quantile)
    table = tables.read(tmp_path / "t.parquet", "thresholds").to_pandas()
    np.testing.assert_allclose(table["threshold"], np.quantile(activations, lower.quantile, axis=1), atol=1e-6)
    assert table["dead"].tolist() == [False, False, False, False, True]


def test_tails_of_another_quantile_are_refused(study, tmp_path):
    with pytest.raises(ValueError, match="the tails keep"):
        gather_thresholds(study.shards("tails"), tmp_path / "t.parquet", tmp_path / "t.csv", 0.5)
    assert not list(tmp_path.iterdir())


def gathered(study, folder, **changed):
    study.extract(2, folder, **changed)
    gather_thresholds(study.shards("tails", 2, folder), folder / "t.parquet", folder / "t.csv", 0.95)
    return tables.read(folder / "t.parquet", "thresholds").to_pandas()


def test_images_without_a_training_split_all_count(study, tmp_path):
    """A plain folder."""
    tables.write(study.table("images").assign(split="val"), "images", tmp_path / "images.parquet")
    table = gathered(study, tmp_path, path_to_images=tmp_path / "images.parquet")
    assert set(table["n"]) == {24 * 16 * 16}
    assert not np.allclose(table["threshold"][:4], study.table("thresholds")["threshold"][:4])


def test_a_shard_of_other_images_does_not_matter(study, tmp_path):
    """Of three shards the last has no training image."""
    study.extract(3, tmp_path)
    gather_thresholds(study.shards("tails", 3, tmp_path), tmp_path / "t.parquet", tmp_path / "t.csv", 0.95)
    found = tables.read(tmp_path / "t.parquet", "thresholds").to_pandas()
    pd.testing.assert_frame_equal(found, study.table("thresholds"))


def test_saturated_filters_are_marked_and_told(study, tmp_path, caplog):
    assert not study.table("thresholds")["saturated"].any()
    with caplog.at_level("INFO", "filterscope"):
        table = gathered(study, tmp_path, probes=[study.probe("clipped")])
    assert table["saturated"].tolist() == [True, True, False, False, False]
    assert table["threshold"][:2].tolist() == pytest.approx([0.4, 0.4])
    assert "2 of 4 live filters are saturated" in caplog.text
    assert pd.read_csv(tmp_path / "t.csv")["saturated"].tolist() == table["saturated"].tolist()


def test_a_filter_that_fires_on_other_images_only_is_told(study, tmp_path, caplog):
    """Red is in validation images alone."""
    images = study.table("images")
    annotations = study.table("annotations")
    red = set(annotations[annotations["category"] == "red"]["image_id"])
    images["split"] = ["val" if number in red else "train" for number in images["image_id"]]
    tables.write(images, "images", tmp_path / "images.parquet")
    with caplog.at_level("INFO", "filterscope"):
        table = gathered(study, tmp_path, path_to_images=tmp_path / "images.parquet")
    assert table["dead"].tolist() == [True, False, False, False, True]
    assert table["fires_elsewhere"].tolist() == [True, False, False, False, False]
    assert (
        "1 filters never rise above zero on the images that thresholds come from, though they do on others (0)"
        in caplog.text
    )
