"""find_strongest_filters: the photograph's own activations, in order, and their figure."""

import numpy as np
import pytest
from PIL import Image

from filterscope import tables
from filterscope.pictures.strongest import Scenarios
from pictures.photographs.find_strongest_filters import find_strongest_filters
from pictures.photographs.render_strongest_filters import render_strongest_filters


def found(study, folder, **changed):
    arguments = {
        "path_to_images": study.images,
        "path_to_weights": study.weights,
        "path_to_table": folder / "strongest_filters.parquet",
        "path_to_csv": folder / "strongest_filters.csv",
        "folder": study.pictures,
        "probe": study.probe(),
        "images": [3, "20.png"],
        "n": 4,
        "thresholds": Scenarios(),
        "batch_size": 8,
        "seed": 0,
    }
    find_strongest_filters(**{**arguments, **changed})
    return tables.read(folder / "strongest_filters.parquet", "strongest_filters").to_pandas()


def test_activations_are_those_of_the_extraction(study, tmp_path):
    table = found(study, tmp_path)
    seen = tables.read(study.shards("image"), "image_activations")
    means = dict(zip(seen["image_id"].to_pylist(), tables.matrix(seen["mean"]), strict=True))
    assert table["image_id"].tolist() == [3] * 4 + [20] * 4
    for image_id, rows in table.groupby("image_id"):
        order = np.argsort(-means[image_id], kind="stable")[:4]
        assert rows["filter"].tolist() == order.tolist()
        assert rows["activation"].tolist() == pytest.approx(means[image_id][order].tolist(), abs=1e-5)
        assert rows["share"].sum() == pytest.approx(1, abs=1e-6)  # the fifth is dead
        assert set(rows["scenario"]) <= {"spike", "group", "flat"}


def test_figures(study, tmp_path):
    found(study, tmp_path)
    render_strongest_filters(
        tmp_path / "strongest_filters.parquet",
        study.images,
        None,
        tmp_path / "figures",
        study.pictures,
        study.probe().inputs,
    )
    assert sorted(each.name for each in (tmp_path / "figures").iterdir()) == ["image_20.png", "image_3.png"]
    assert np.asarray(Image.open(tmp_path / "figures/image_3.png").convert("L")).std() > 5


def test_more_filters_than_the_layer_has(study, tmp_path):
    with pytest.raises(ValueError, match="6 strongest filters are asked for, but the layer has 5: ask for 1 to 5"):
        found(study, tmp_path, n=6)
    assert not list(tmp_path.iterdir())


def test_a_photograph_that_is_not_there(study, tmp_path):
    with pytest.raises(ValueError, match=r"image '3\.pgn' is not in the dataset; there are, for example, .*3\.png"):
        found(study, tmp_path, images=["3.pgn"])


def test_photographs_smaller_than_the_networks_input_are_named(study, tmp_path, caplog):
    assert len(found(study, tmp_path, probe=study.larger_probe())) == 8
    assert "2 of 2 images are smaller than the network's input of 80 x 80 px" in caplog.text
    assert "3.png (64 x 64 px), 20.png (64 x 64 px)" in caplog.text
