"""maximise_activations and its sheets: pictures, what they reach against photographs, dead filters, wrong filters."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.pictures.photographs import Beside
from pictures.maximisation import maximise_activations as module
from pictures.maximisation.maximise_activations import maximise_activations
from pictures.maximisation.render_pictures import render_pictures

RED, BLUE, DEAD = 0, 1, 4


def maximised(study, folder, **changed):
    arguments = {
        "path_to_weights": study.weights,
        "paths_to_image_activations": study.shards("image"),
        "path_to_images": study.images,
        "path_to_table": folder / "fourier/pictures.parquet",
        "path_to_csv": folder / "fourier/pictures.csv",
        "path_to_pictures": folder / "fourier/pictures",
        "photographs": study.pictures,
        "probe": study.probe(),
        "name": "fourier",
        "settings": {"method": "fourier", "steps": 80, "learning_rate": 0.3},
        "filters": [RED, BLUE, DEAD],
        "position": None,
        "batch_size": 2,
        "seed": 0,
    }
    arguments = {**arguments, **changed}
    maximise_activations(**arguments)
    return tables.read(folder / "fourier/pictures.parquet", "pictures").to_pandas().set_index("filter")


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    maximised(study, folder)
    return folder


def test_pictures_beat_the_best_photograph_and_have_the_right_colour(study, folder):
    table = tables.read(folder / "fourier/pictures.parquet", "pictures").to_pandas().set_index("filter")
    assert table.loc[[RED, BLUE], "status"].tolist() == ["optimised"] * 2
    assert table.loc[[RED, BLUE], "ratio"].min() > 1
    for number, channel in ((RED, 0), (BLUE, 2)):
        row = table.loc[number]
        pixels = np.asarray(Image.open(folder / "fourier" / row["path"]), float)
        assert pixels.shape == (64, 64, 3)
        others = [each for each in range(3) if each != channel]
        assert pixels[..., channel].mean() > pixels[..., others].mean() + 10
        # The factory's filter: mean over patches of one channel minus the others, after a ReLU.
        patches = pixels.reshape(16, 4, 16, 4, 3).mean((1, 3)) / 255
        wanted = np.maximum(patches[..., channel] - patches[..., others].sum(2), 0).mean()
        assert row["activation"] == pytest.approx(wanted, abs=1e-4)


def test_the_best_photograph_is_the_datasets(study, folder):
    table = tables.read(folder / "fourier/pictures.parquet", "pictures").to_pandas().set_index("filter")
    seen = tables.read(study.shards("image"), "image_activations")
    means = tables.matrix(seen["mean"])
    assert table.loc[RED, "best_image_id"] == seen["image_id"][int(means[:, RED].argmax())].as_py()
    assert table.loc[RED, "best_image"] == pytest.approx(means[:, RED].max())


def test_a_dead_filter_has_a_row_and_no_picture(folder):
    row = pd.read_csv(folder / "fourier/pictures.csv").set_index("filter").loc[DEAD]
    assert row["status"] == "no gradient"
    assert row["note"] == "zero gradient in 80 of 80 steps"
    assert pd.isna(row["path"])
    assert sorted(each.name for each in (folder / "fourier/pictures").iterdir()) == [
        "filter_0000.png",
        "filter_0001.png",
    ]


def test_the_same_seed_gives_the_same_bytes_whatever_the_batch(study, folder, tmp_path):
    maximised(study, tmp_path, batch_size=3)
    for name in ("filter_0000.png", "filter_0001.png"):
        first, second = (np.asarray(Image.open(each / "fourier/pictures" / name), int) for each in (folder, tmp_path))
        assert np.abs(first - second).max() <= 1
    again = tmp_path / "again"
    maximised(study, again)
    for name in ("pictures.parquet", "pictures/filter_0000.png"):
        assert (folder / "fourier" / name).read_bytes() == (again / "fourier" / name).read_bytes()


def test_all_filters_at_one_position(study, tmp_path):
    table = maximised(study, tmp_path, filters="all", position="centre", settings={"method": "octaves", "shorten": 50})
    assert table.index.tolist() == [0, 1, 2, 3, 4]
    maxima = tables.matrix(tables.read(study.shards("image"), "image_activations")["maximum"])
    assert table["best_image"].tolist() == pytest.approx(maxima.max(0).tolist())


def test_nan_keeps_the_last_good_picture_and_says_where(study, tmp_path):
    """The network answers NaN to a picture that is purely white somewhere; fast steps get there."""
    settings = {"method": "upscale", "size": 64, "rounds": 1, "steps": 40, "learning_rate": 0.05}
    prepare_network(tmp_path / "weights.pt", study.network("poisoned"), 0)
    changed = {
        "path_to_weights": tmp_path / "weights.pt",
        "probe": study.probe("poisoned", "2"),
        "filters": [2],
    }
    table = maximised(study, tmp_path, settings=settings, **changed)
    assert table.loc[2, "status"] == "stopped"
    assert table.loc[2, "note"].startswith("NaN or infinite at round 1, step ")
    assert np.asarray(Image.open(tmp_path / "fourier" / table.loc[2, "path"])).std() > 0


def test_a_filter_that_is_not_there(study, tmp_path):
    with pytest.raises(ValueError, match=r"filter 5 is not in layer 1: its filters are 0 to 4"):
        maximised(study, tmp_path, filters=[1, 5])
    assert not list(tmp_path.rglob("*"))


def test_sheets_show_pictures_beside_photographs(study, folder, tmp_path):
    names = pd.DataFrame({"filter": [RED, BLUE], "name": ["red", None]})
    columns = tables.SCHEMAS["filter_names"].names
    known = names.reindex(columns=columns).assign(status="supported", words="red", apart="red")
    for column in columns:
        if known[column].isna().all():
            known[column] = None
    tables.write(known, "filter_names", tmp_path / "names.parquet")
    arguments = {
        "paths_to_tables": {"fourier": folder / "fourier/pictures.parquet"},
        "path_to_images": study.images,
        "path_to_names": tmp_path / "names.parquet",
        "path_to_sheets": tmp_path / "sheets",
        "folder": study.pictures,
        "inputs": study.probe().inputs,
        "title": "p on d",
        "per_sheet": 2,
    }
    render_pictures(**arguments)
    assert sorted(each.name for each in (tmp_path / "sheets").iterdir()) == ["sheet_001.png", "sheet_002.png"]
    drawn = np.asarray(Image.open(tmp_path / "sheets/sheet_001.png").convert("RGB"), int)
    for channel in (0, 2):
        strong = drawn[..., channel] > drawn.sum(2) - drawn[..., channel] + 20
        assert strong.sum() > 2000
    render_pictures(**{**arguments, "path_to_names": None, "per_sheet": 9})
    assert [each.name for each in (tmp_path / "sheets").iterdir()] == ["sheet_001.png"]


def test_the_strongest_filters_of_photographs_are_drawn(study, tmp_path):
    rows = {"image_id": [16, 16, 17, 17], "rank": [0, 1, 0, 1], "filter": [BLUE, RED, BLUE, 2]}
    table = pd.DataFrame(rows).assign(activation=1.0, share=0.5, median=0.1, scenario="group")
    tables.write(table, "strongest_filters", tmp_path / "strongest.parquet")
    found = maximised(study, tmp_path, filters="strongest", path_to_strongest=tmp_path / "strongest.parquet")
    assert found.index.tolist() == [RED, BLUE, 2]


def test_a_recipe_is_shown_the_images_that_excite_a_filter_most(study, tmp_path, monkeypatch):
    """Which, and in this order."""
    shown = {}

    def noting(photographs, chosen):
        shown["ids"] = chosen
        return Beside(photographs, chosen)

    monkeypatch.setattr(module, "Beside", noting)
    settings = {"method": "vital", "steps": 30, "learning_rate": 0.3}
    table = maximised(study, tmp_path, name="vital", settings=settings, filters=[RED, BLUE])
    assert table["status"].tolist() == ["optimised"] * 2
    seen = tables.read(study.shards("image"), "image_activations")
    activations = tables.matrix(seen["mean"])
    for number, ids in zip((RED, BLUE), shown["ids"], strict=True):
        assert ids == seen["image_id"].to_numpy()[np.argsort(-activations[:, number], kind="stable")[:15]].tolist()
        assert ids[0] == table.loc[number, "best_image_id"]
