"""measure_occlusion: covering an object takes its filter out of the set; rectangles, grid, figures, bad input."""

import numpy as np
import pytest
from PIL import Image

from filterscope import tables
from filterscope.pictures.occlusion import OcclusionSettings
from pictures.photographs.measure_occlusion import measure_occlusion
from pictures.photographs.render_occlusion import render_occlusion

IMAGES = [16, 17, 18]
SETTINGS = OcclusionSettings(filters=1, rectangles=19, size=0.25, stride=0.25)


def measured(study, folder, **changed):
    arguments = {
        "path_to_images": study.images,
        "path_to_annotations": study.annotations,
        "path_to_weights": study.weights,
        "path_to_table": folder / "occlusions.parquet",
        "path_to_csv": folder / "occlusions.csv",
        "path_to_text": folder / "occlusions.md",
        "path_to_importances": folder / "importances.parquet",
        "path_to_covered": folder / "covered",
        "folder": study.pictures,
        "probe": study.probe(),
        "images": IMAGES,
        "cover": "objects",
        "settings": SETTINGS,
        "batch_size": 16,
        "seed": 0,
    }
    measure_occlusion(**{**arguments, **changed})
    return tables.read(folder / "occlusions.parquet", "occlusions").to_pandas()


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("occlusion")
    measured(study, folder)
    return folder


def test_every_object_of_a_photograph_is_covered_exactly(study, folder):
    table = tables.read(folder / "occlusions.parquet", "occlusions").to_pandas()
    annotations = study.table("annotations")
    for image_id, rows in table.groupby("image_id"):
        own = annotations[annotations["image_id"] == image_id]
        assert rows["kind"].tolist() == ["photograph"] + ["object"] * len(own)
        assert rows["name"].tolist()[1:] == own["category"].tolist()
        assert rows["area"].tolist()[1:] == pytest.approx((own["area"] / 64**2).tolist())
        before = np.asarray(Image.open(study.pictures / f"{image_id}.png"))
        for row in rows.iloc[1:].itertuples():
            after = np.asarray(Image.open(folder / row.path))
            changed = (before != after).any(2)
            assert changed.sum() <= row.area * 64**2
            assert changed[row.y0 : row.y1, row.x0 : row.x1].sum() == changed.sum() > 0
            assert (after[changed] == 0).all()


def test_covering_the_only_red_object_weakens_the_red_filter(study, folder):
    """Filter 0 sees red; its share of the set falls most where the red object is covered."""
    table = measured_all = tables.read(folder / "occlusions.parquet", "occlusions").to_pandas()
    strongest = table[table["number"] == 0].set_index("image_id")["filters"].astype(int)
    red = [image_id for image_id, number in strongest.items() if number == 0]
    assert red
    for image_id in red:
        parts = measured_all[(measured_all["image_id"] == image_id) & (measured_all["number"] > 0)]
        changes = parts.groupby("name")["change_strongest"].min()
        assert changes["red"] == changes.min() < -0.2
    assert table["p"].dropna().between(0.05, 1).all()
    assert table.loc[table["number"] == 0, "p"].isna().all()


def test_importance_is_highest_where_the_strongest_filters_object_is(study, folder):
    importances = tables.read(folder / "importances.parquet", "importances")
    weaker = tables.matrix(importances["weaker"]).reshape(-1, 64, 64)
    assert importances["image_id"].to_pylist() == IMAGES
    table = tables.read(folder / "occlusions.parquet", "occlusions").to_pandas()
    for index, image_id in enumerate(IMAGES):
        rows = table[table["image_id"] == image_id]
        if rows["filters"].iloc[0] == "0":
            own = rows[rows["name"] == "red"].iloc[0]
            inside = weaker[index][own["y0"] : own["y1"], own["x0"] : own["x1"]].mean()
            assert inside > weaker[index].mean()


def test_same_seed_same_bytes(study, folder, tmp_path):
    measured(study, tmp_path)
    for name in ("occlusions.parquet", "importances.parquet"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_rectangles_and_fills(study, tmp_path):
    table = measured(study, tmp_path, images=[16], cover=[[0, 0, 32, 64], [0, 0, 64, 64, "mean"]])
    assert table["kind"].tolist() == ["photograph", "rectangle", "rectangle"]
    assert table["area"].tolist() == [0, 0.5, 1]
    assert table["fill"].tolist() == ["", "black", "mean"]
    flat = np.asarray(Image.open(tmp_path / table["path"].iloc[2]))
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) == 1


def test_photographs_have_parts_of_their_own(study, tmp_path):
    cover = [
        {"image": 16, "parts": {"left": [0, 0, 32, 64], "a | corner": [0, 0, 8, 8, "mean"]}},
        {"image": "17.png", "parts": {"right": [32, 0, 64, 64]}},
    ]
    table = measured(study, tmp_path, images=[16, "17.png"], cover=cover)
    assert table.groupby("image_id")["name"].agg(list).tolist() == [["", "left", "a | corner"], ["", "right"]]
    assert table["fill"].tolist() == ["", "black", "mean", "", "black"]
    text = (tmp_path / "occlusions.md").read_text()
    assert "## 16.png" in text
    assert "## 17.png" in text
    left = table[table["name"] == "left"].iloc[0]
    marked = f"**{left['filters']}**" if left["overlap"] else left["filters"]
    assert f"| B | left | {marked} | {left['overlap']} |" in text
    assert "- C, a \\| corner (2% of the view): " in text


def test_grid(study, tmp_path):
    table = measured(study, tmp_path, images=[16], cover="grid", path_to_annotations=None)
    assert len(table) == 1 + 16
    assert table["path"].isna().sum() == 17
    assert table["area"].iloc[1:].unique().tolist() == [1 / 16]


def test_a_rectangle_outside_the_photograph(study, tmp_path):
    said = r"rectangle \[0, 0, 65, 10\] does not lie in 16.png, which is 64 x 64 px"
    with pytest.raises(ValueError, match=said):
        measured(study, tmp_path, images=[16], cover=[[0, 0, 65, 10]])
    assert not list(tmp_path.glob("*.parquet"))


def test_photographs_smaller_than_the_networks_input_are_named(study, tmp_path, caplog):
    table = measured(study, tmp_path, images=[16], cover=[[0, 0, 32, 64]], probe=study.larger_probe())
    assert table["area"].tolist() == [0, 0.5]
    assert "1 of 1 images are smaller than the network's input of 80 x 80 px" in caplog.text
    assert "16.png (64 x 64 px)" in caplog.text


def test_larger_sets_than_the_layer_has_filters(study, tmp_path):
    with pytest.raises(ValueError, match="10 strongest filters are asked for, but the layer has 5"):
        measured(study, tmp_path, settings=OcclusionSettings())


def test_figures(study, folder, tmp_path):
    paths = (folder / "occlusions.parquet", folder / "importances.parquet", study.images, tmp_path / "figures")
    render_occlusion(*paths, study.pictures, study.probe().inputs)
    names = sorted(each.name for each in (tmp_path / "figures").iterdir())
    assert names == [f"image_{number}.png" for number in IMAGES]
    assert np.asarray(Image.open(tmp_path / "figures" / names[0]).convert("L")).std() > 5
