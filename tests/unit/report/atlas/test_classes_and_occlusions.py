"""Pages of classes and of covered photographs: all that the tables say, and no pixel of a photograph where none may be
shown."""

import base64

import numpy as np
import pytest
from PIL import Image
from tests.synthetic_study import Synthetic, received

from filterscope import tables
from filterscope.report.atlas.assembling import make_atlas
from filterscope.report.atlas.occlusions import SIDE

CLASS = 'dog </script> "\u202e"'
CROP = 30


def write(data, name, results, path):
    (results / path).parent.mkdir(parents=True, exist_ok=True)
    tables.write(data, name, results / path)
    return f"results/{path}"


def facets_of(results):
    """One class with two facets of three images, each with a mean image and pictures begun as it and as noise."""
    facet = [0, 0, 0, 1, 1, 1]
    members = {"unit": 7, "class": CLASS, "image_id": np.arange(6) + 100, "facet": facet, "rank": [0, 1, 2] * 2}
    members |= {"x": np.arange(6.0), "y": 0.5, "distance": 0.1, "activation": 1.0}
    summary = {"unit": 7, "class": CLASS, "facet": [0, 1], "members": 3, "averaged": 3, "small": True, "recovered": 0.5}
    summary |= {"seed_stability": 0.9, "bootstrap_stability": 0.8, "silhouette": 0.7, "suggested_facets": 2}
    drawn = {"unit": 7, "class": CLASS, "facet": [0, 0, 1, 1], "recipe": "sketch", "start": ["mean", "noise"] * 2}
    drawn |= {"status": "optimised", "note": "", "path": [f"pictures/{n}.png" for n in range(4)]}
    drawn |= {"mean_path": ["means/0.png", "means/0.png", "means/1.png", "means/1.png"], "activation": 2.0}
    drawn |= {"mean_activation": 0.5, "nearest_image_id": 100, "nearest_image": 0.9, "best_image": 1.0, "ratio": 2.0}
    words = {"unit": 7, "class": CLASS, "facet": [0, 0, 1], "rank": [0, 1, 0], "word": ["red", "big", "blue"]}
    words |= {"votes": 3, "cosine": 0.4, "contrast": [0.3, 0.1, 0.05], "p": [0.01, 0.2, 0.31]}
    for path in [*drawn["path"], "means/0.png", "means/1.png"]:
        (results / "facets" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), "red").save(results / "facets" / path)
    own = {"facets": members, "facet_summary": summary, "facet_pictures": drawn, "facet_words": words}
    lengths = {"facets": 6, "facet_summary": 2, "facet_pictures": 4, "facet_words": 3}
    written = {
        name: write(
            {key: column(value, lengths[name]) for key, value in table.items()}, name, results, f"facets/{name}.parquet"
        )
        for name, table in own.items()
    }
    return {"judge": None, "tables": written, "folders": []}


def column(value, length):
    return [value] * length if np.ndim(value) == 0 else list(value)


def occlusions_of(results):
    """One photograph, an object and a square of its view covered."""
    covered = {
        "image_id": 101,
        "number": [0, 1, 2],
        "kind": ["photograph", "object", "square"],
        "name": ["", CLASS, ""],
    }
    covered |= {
        "x0": [0, 0, 0],
        "y0": [0, 10, 0],
        "x1": [60, 30, 15],
        "y1": [40, 40, 15],
        "fill": ["", "black", "mean"],
    }
    covered |= {"area": [0.0, 0.2, 0.1], "filters": ["5 2 3", "2 3 9", "5 2 9"], "overlap": [3, 2, 2]}
    covered |= {"change": [None, -0.1, 0.0], "change_strongest": [None, -0.5, 0.0], "null_overlap": [None, 2.5, None]}
    covered |= {"null_low": [None, 1.0, None], "null_high": [None, 3.0, None], "p": [None, 0.4, None]}
    covered |= {"path": ["covered/0.png", "covered/1.png", None]}
    (results / "covered").mkdir()
    for number in range(2):
        Image.new("RGB", (CROP, CROP), "blue").save(results / f"covered/{number}.png")
    lost = np.zeros((1, CROP * CROP))
    lost[0, : CROP * CROP // 2] = 0.5  # the upper half matters
    table = {key: column(value, 3) for key, value in covered.items()}
    importances = {
        "image_id": [101],
        "lost": tables.vectors(lost),
        "weaker": tables.vectors(np.zeros((1, CROP * CROP))),
    }
    own = {
        "occlusions": write(table, "occlusions", results, "occlusions.parquet"),
        "importances": write(importances, "importances", results, "importances.parquet"),
    }
    return {"tables": own, "folder": "results/covered"}


def strongest_of(results):
    table = {"image_id": 102, "rank": [0, 1], "filter": [4, 8], "activation": [3.0, 1.0], "share": [0.6, 0.2]}
    table |= {"median": 0.1, "scenario": "spike"}
    table = {key: column(value, 2) for key, value in table.items()}
    return write(table, "strongest_filters", results, "strongest_filters.parquet")


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
            study.write(results)
        make_atlas(results, tmp_path / pixels, pixels=pixels)
        return tmp_path / pixels, lambda name: received(tmp_path / pixels / f"data/{name}.js")[1]

    return make


def test_a_class_has_its_map_facets_and_words(made):
    _, data = made("thumbnails")
    (entry,) = data("study")["classes"]
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
    assert filters["5"]["occlusions"] == [101]
    assert filters["4"]["occlusions"] == [102]
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
