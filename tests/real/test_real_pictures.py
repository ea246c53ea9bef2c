"""Real photographs and networks: optimised pictures against the best photograph, covered objects, by the rules."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(3000)]

UNITS = [1, 340, 945, 950]  # goldfish, zebra, bell pepper, orange
DEEP, MIDDLE = [0, 7, 100, 1000], [0, 5, 60, 127]
RECIPES = {
    "fourier": {"method": "fourier", "steps": 64},
    "maco": {"method": "maco", "steps": 64},
    "octaves": {"method": "octaves", "table": "centre", "shorten": 4},
    "upscale": {"method": "upscale", "preset": "code", "rounds": 8},
}


# By probe and recipe, what the median of the pictures reaches at least, beside the best of 482 photographs. `make test`
# has the recipes that are quick for the network that is.
LEAST = {
    ("squeezenet_units", "fourier"): 2,
    ("squeezenet_units", "maco"): 2,
    ("squeezenet_units", "octaves"): 0.5,  # a quarter of its steps
    ("squeezenet_units", "upscale"): 1,
    ("resnet50_layer4", "fourier"): 2,
    ("resnet50_conv", "fourier"): 1,
}
QUICK = [("squeezenet_units", "fourier"), ("squeezenet_units", "maco")]
MADE = [pytest.param(*each, marks=() if each in QUICK else pytest.mark.exhaustive) for each in LEAST]


def entry(probe, recipe, filters):
    return {"dataset": "coco", "probe": probe, "recipe": recipe, "filters": filters}


@pytest.fixture(scope="module")
def photographs(realdata):
    """Numbers of photographs that have between two and five objects."""
    from filterscope.data.datasets import coco

    found = coco.read_coco(realdata / "coco", 0.0, 2)
    images, annotations = found.images.to_pandas(), found.annotations.to_pandas()
    here = images.loc[images["split"] == "val", "image_id"]
    large = annotations[annotations["area"] > 4000].groupby("image_id").size()
    counts = annotations.groupby("image_id").size()
    return [int(each) for each in here if 2 <= counts.get(each, 0) <= 5 and large.get(each, 0) >= 2][:4]


@pytest.fixture(scope="module")
def made(realdata, own_config, repository, tmp_path_factory, run_anywhere, photographs):
    """Makes results of the pictures room when they are first asked for, or all of them, and gives their folder."""
    directory = tmp_path_factory.mktemp("real")
    weights = realdata / "weights"
    factory = f"{repository / 'tests/real/factories.py'}:resnet50_stride_in_1x1"
    where = {"dataset": "coco", "probe": "resnet50_layer4", "images": photographs}
    config = own_config(
        {
            "title": "Real photographs",
            "threads": 2,
            "pictures": [
                *(entry("squeezenet_units", recipe, UNITS) for recipe in RECIPES),
                entry("resnet50_layer4", "fourier", DEEP),
                entry("resnet50_conv", "fourier", MIDDLE),
            ],
            "strongest_filters": [where],
            "occlusions": [{**where, "cover": "objects"}],
            "occlusion": {"rectangles": 20},
        }
    )
    config |= {
        "recipes": RECIPES,
        "datasets": {"coco": {"source": "coco", "folder": str(realdata / "coco")}},
        "networks": {
            "squeezenet": {
                "source": "checkpoint",
                "architecture": "squeezenet1_1",
                "file": str(weights / "squeezenet1_1.pth"),
            },
            "resnet50": {
                "source": "factory",
                "factory": factory,
                "file": str(weights / "resnet50_stride_in_1x1.fp16.pth"),
            },
        },
        "probes": {
            "squeezenet_units": {"network": "squeezenet", "layer": "classifier.1"},
            "resnet50_layer4": {"network": "resnet50", "layer": "layer4"},
            "resnet50_conv": {"network": "resnet50", "layer": "layer2.2.conv1"},
        },
    }
    folder = "results/pictures/coco"

    @functools.cache
    def made(*targets: str) -> Path:
        asked = [f"{folder}/{each}" for each in targets] or ["pictures"]
        run_anywhere("--cores", 2, *asked, config=config, directory=directory)
        return directory / folder

    return made


@pytest.fixture(scope="module")
def results(made):
    """What becomes of photographs of which parts are covered."""
    tables = ("occlusions", "importances", "strongest_filters")
    return made(*(f"resnet50_layer4/{each}.parquet" for each in tables))


def table(results, probe, recipe):
    return pd.read_parquet(results / probe / recipe / "pictures.parquet").set_index("filter")


@pytest.mark.parametrize(("probe", "recipe"), MADE)
def test_pictures_excite_their_filters_more_than_the_best_photograph(made, probe, recipe):
    found = table(made(f"{probe}/{recipe}/pictures.parquet"), probe, recipe)
    print(probe, recipe, found["ratio"].round(2).to_dict())
    assert found["status"].eq("optimised").all()
    assert found["best_image"].gt(0).any()
    assert found["ratio"].median() > LEAST[probe, recipe]


@pytest.mark.parametrize(("probe", "recipe"), MADE)
def test_pictures_are_pictures(made, probe, recipe):
    pictures = list((made(f"{probe}/{recipe}/pictures.parquet") / probe / recipe).glob("pictures/filter_*.png"))
    assert len(pictures) == 4
    for path in pictures:
        pixels = np.asarray(Image.open(path), float)
        assert pixels.shape[2] == 3
        assert pixels.std() > 3, path
        # Not noise: neighbours are alike.
        assert np.corrcoef(pixels[:, 1:].ravel(), pixels[:, :-1].ravel())[0, 1] > 0.5, path


@pytest.mark.exhaustive
def test_the_whole_room_is_made_and_pictures_of_every_probe_stand_on_sheets(made):
    assert len(list(made().glob("*/sheets/sheet_001.png"))) == 3


def test_covered_objects_are_compared_with_the_photograph(results, photographs):
    found = pd.read_parquet(results / "resnet50_layer4/occlusions.parquet")
    whole, parts = found[found["number"] == 0], found[found["number"] > 0]
    assert whole["overlap"].eq(10).all()
    assert parts["kind"].eq("object").all()
    assert set(parts["image_id"]) == set(photographs)
    assert parts["overlap"].between(0, 10).all()
    assert parts["null_overlap"].notna().all()
    # The more of a photograph is covered, the fewer of its strongest filters remain.
    assert parts["area"].corr(parts["overlap"], method="spearman") < -0.3
    print(parts[["name", "area", "overlap", "null_overlap", "p", "change_strongest"]].round(3).to_string())


def test_importance_maps_cover_the_photographs(results, photographs):
    found = pd.read_parquet(results / "resnet50_layer4/importances.parquet")
    maps = np.stack(found["weaker"])
    assert found["image_id"].tolist() == photographs
    assert maps.shape[1] == 224 * 224
    assert (maps.max(1) > 0.02).all()


def test_strongest_filters_come_from_the_layer(results):
    found = pd.read_parquet(results / "resnet50_layer4/strongest_filters.parquet")
    assert found["filter"].between(0, 2047).all()
    assert found.groupby("image_id")["activation"].apply(lambda values: values.is_monotonic_decreasing).all()
    assert set(found["scenario"]) <= {"spike", "group", "flat"}
