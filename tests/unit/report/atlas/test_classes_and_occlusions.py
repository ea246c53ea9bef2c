"""Pages of classes and of covered photographs: all that the tables say, and no pixel of a photograph where none may be
shown."""

import base64

import numpy as np
import pytest
from tests.synthetic_pictures import CLASS, CROP, column, facets_of, occlusions_of, strongest_of
from tests.synthetic_study import Synthetic, received

from filterscope.report.atlas.assembling import make_atlas
from filterscope.report.atlas.occlusions import SIDE


@pytest.fixture
def made(tmp_path):
    """Data of an atlas with all of these, by name, for photographs of so many pixels."""

    def make(pixels):
        results = tmp_path / "results"
        if not results.exists():
            study = Synthetic()
            write_layer = study._write_layer
            study._write_layer = lambda: {
                **write_layer(),
                "view": {"resize": CROP, "crop": CROP},
                "facets": facets_of(results),
                "occlusions": occlusions_of(results),
                "strongest": strongest_of(results),
            }
            feeds = {"filter": 5, "rank": [0, 1], "unit": [7, 3], "class": ["puppy", None], "weight": [0.5, -0.25]}
            study.tables = {"feeds": {key: column(value, 2) for key, value in feeds.items()}}
            study.tables["receptive_field"] = {"layer": ["layer"], "share": [0.375], "size": [CROP]}
            study.write(results)
        make_atlas(results, tmp_path / pixels, pixels=pixels)
        return tmp_path / pixels, lambda name: received(tmp_path / pixels / f"data/{name}.js")[1]

    return make


def test_a_class_has_its_map_facets_and_words(made):
    _, data = made("thumbnails")
    (entry,) = data("study")["classes"]
    assert entry.pop("picture") == data("classes/0")["facets"][0]["pictures"][0]["path"]
    assert entry == {
        "number": 0,
        "class": CLASS,
        "unit": 7,
        "facets": 2,
        "file": "../../facets/facet_summary.parquet",
        "dataset": "album",
        "probe": "layer0",
        "layer": 0,
    }
    page, images = data("classes/0"), data("photographs/0")["image"]
    assert [images[row] for row in page["places"]["row"]] == [100, 101, 102, 103, 104, 105]
    assert page["stability"] == {"seed": 0.9, "bootstrap": 0.8, "silhouette": 0.7, "suggested": 2}
    first, second = page["facets"]
    assert [images[row] for row in second["rows"]] == [103, 104, 105]
    assert first["words"] == [["red", 3, 0.4, 0.3, 0.01], ["big", 3, 0.4, 0.1, 0.2]]
    assert first["told"] == "Told apart by: red."
    assert second["told"] == "No word tells it apart from the class's others (blue: p 0.31)."
    assert [each["start"] for each in first["pictures"]] == ["mean", "noise"]
    assert data("study")["layers"][0]["receptive"] == 0.375
    assert data("details/0/0")["filters"]["5"]["feeds"] == [["puppy", 0.5, 0], ["unit 3", -0.25, None]]


def test_covered_photographs_have_parts_in_shares_and_sentences(made):
    _, data = made("thumbnails")
    pages = data("study")["occlusions"]
    assert [page["image"] for page in pages] == [101, 102]
    page = data("occlusions/0")
    assert page["parts"]["box"][:2] == [None, [0, 0.25, 0.5, 1]]
    assert page["parts"]["box"][2] == pytest.approx([1 / 6, 0, 1 / 2, 0.5], abs=1e-3)  # half of the view's side
    assert page["parts"]["filters"] == [[5, 2, 3], [2, 3, 9], [5, 2, 9]]
    assert (page["size"], page["parts"]["null_overlap"]) == (3, [None, 2.5, None])
    assert page["sentences"][0].startswith(f"B, {CLASS} (20% of the view): 2 of the 3 strongest filters stay")
    lost = np.frombuffer(base64.b64decode(page["importances"]["lost"]), np.uint8).reshape(SIDE, SIDE)
    assert (page["importances"]["lost_most"], page["importances"]["weaker_most"]) == (0.5, 0)
    assert (lost[: SIDE // 2 - 1] == 255).all()
    assert not lost[SIDE // 2 + 1 :].any()
    other = data("occlusions/1")
    assert (other["scenario"], other["strongest"]["filter"]) == ("spike", [4, 8])
    assert "parts" not in other
    filters = data("details/0/0")["filters"]
    place = {"number": 0, "image": 101, "row": data("photographs/0")["image"].index(101), "rank": 0, "size": 3}
    told = {"squares": 1, "squares_out": 0, "file": "../../occlusions.parquet"}
    assert filters["5"]["occlusions"] == [{**place, "parts": [[f"{CLASS}, black", 0.2, None]], **told}]
    assert filters["2"]["occlusions"][0]["parts"] == [[f"{CLASS}, black", 0.2, 0]], "it moves up when 5 falls out"
    assert filters["3"]["occlusions"][0]["squares_out"] == 1
    assert [(each["image"], each["parts"]) for each in filters["4"]["occlusions"]] == [(102, [])]
    assert "occlusions" not in filters["9"]


def test_no_mean_image_no_picture_begun_as_one_and_no_covered_view_where_no_pixel_may_be_shown(made):
    shown, data = made("thumbnails")
    hidden, none = made("none")
    assert len(list((shown / "pictures").iterdir())) == 2 + 4 + 2  # covered views, pictures, mean images
    assert len(list((hidden / "pictures").iterdir())) == 2  # pictures that began as noise
    for facet in none("classes/0")["facets"]:
        assert "mean" not in facet
        mean, noise = facet["pictures"]
        assert (mean["path"], mean["note"]) == (None, "not shown: it was made from photographs")
        assert (hidden / noise["path"]).is_file()
    assert none("occlusions/0")["parts"]["path"] == [None] * 3
    assert data("occlusions/0")["parts"]["path"][2] is None
    assert all((shown / path).is_file() for path in data("occlusions/0")["parts"]["path"][:2])
