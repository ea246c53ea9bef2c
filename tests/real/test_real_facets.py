"""Bell pepper and movie theater: published mean images, and our facets, by the rules, beside the published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from data.datasets.prepare_dataset import prepare_dataset
from filterscope import tables
from filterscope.data.networks.settings import InputSettings
from pictures.facets.average_facets import average_facets

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(3000)]

CLASSES = {"n07720875": 945, "n03032252": 498}  # bell pepper, movie theater
NETWORKS = {"squeezenet": "squeezenet_units", "resnet50": "resnet50_units"}


@pytest.fixture(scope="module")
def photographs(realdata):
    """Classes, in each a folder for every published facet, in it the 15 photographs behind its mean image."""
    return realdata / "imagenet/facets"


@pytest.fixture(scope="module")
def results(realdata, photographs, default_config, repository, tmp_path_factory, run_anywhere):
    directory = tmp_path_factory.mktemp("facets")
    weights = realdata / "weights"
    factory = f"{repository / 'tests/real/factories.py'}:resnet50_stride_in_1x1"
    entry = {"dataset": "classes", "classes": CLASSES, "facets": 10, "recipe": "mean"}
    sections = ("explanations", "defects", "pictures", "strongest_filters", "occlusions")
    config = default_config() | {section: [] for section in sections}
    config["threads"] = 2
    config["datasets"]["classes"] = {"source": "folder", "folder": str(photographs), "reference": "scenes"}
    config["networks"] |= {
        "squeezenet": {
            "source": "checkpoint",
            "architecture": "squeezenet1_1",
            "file": str(weights / "squeezenet1_1.pth"),
            "input": {"resize": 227, "crop": 227},
        },
        "resnet50": {
            "source": "factory",
            "factory": factory,
            "file": str(weights / "resnet50_stride_in_1x1.fp16.pth"),
        },
    }
    config["probes"] |= {
        "squeezenet_units": {"network": "squeezenet", "layer": "classifier.1"},
        "resnet50_units": {"network": "resnet50", "layer": "fc"},
    }
    config["facets"] = [{**entry, "probe": probe} for probe in NETWORKS.values()]
    config["facetting"] |= {"seeds": 2, "bootstraps": 2}
    config["recipes"]["mean"]["shorten"] = 40
    folder = "results/pictures/classes"
    wanted = [f"{folder}/squeezenet_units/facets/figures", f"{folder}/resnet50_units/facets/means"]
    run_anywhere("--cores", 2, *wanted, config=config, directory=directory)
    return directory / "results"


def published(results):
    """The published facet of every photograph."""
    images = tables.read(results / "data/classes/images.parquet", "images").to_pandas().set_index("image_id")
    return images["path"].str.split("/").str[1].astype(int)


def test_means_of_the_published_groups_are_the_published_images(photographs, realdata, tmp_path):
    prepare_dataset(
        "folder",
        photographs,
        *(tmp_path / f"{name}.parquet" for name in ("images", "rejected", "findings")),
        tmp_path / "f.csv",
        0,
        2,
    )
    images = tables.read(tmp_path / "images.parquet", "images").to_pandas()
    parts = images["path"].str.split("/", expand=True)
    table = pd.DataFrame({"unit": parts[0].map(CLASSES), "class": parts[0], "image_id": images["image_id"]})
    table = table.assign(facet=parts[1].astype(int), x=0.0, y=0.0, distance=0.0, activation=0.0)
    table["rank"] = table.groupby(["unit", "facet"]).cumcount()
    tables.write(table, "facets", tmp_path / "facets.parquet")
    inputs = InputSettings(resize=227, crop=227)
    average_facets(
        *(tmp_path / "facets.parquet", tmp_path / "images.parquet", tmp_path / "means", photographs, inputs, 15)
    )
    for name, unit in CLASSES.items():
        theirs, ours = [], []
        for facet in range(10):
            theirs.append(np.asarray(Image.open(realdata / f"imagenet/published_mean_images/{name}/mean_{facet}.jpg")))
            ours.append(np.asarray(Image.open(tmp_path / f"means/unit_{unit:04d}_facet_{facet:02d}.png")))
        alike = np.corrcoef([each.ravel().astype(float) for each in ours + theirs])[:10, 10:]
        print(name, alike.diagonal().round(3))
        assert alike.diagonal().min() > 0.98  # theirs are JPEG files
        assert alike.argmax(1).tolist() == list(range(10))


@pytest.mark.parametrize("probe", NETWORKS.values())
def test_facets_agree_with_the_published_ones_beyond_chance(results, probe):
    folder = results / "pictures/classes" / probe / "facets"
    table = tables.read(folder / "facets.parquet", "facets").to_pandas()
    summary = tables.read(folder / "facet_summary.parquet", "facet_summary").to_pandas()
    theirs = published(results)
    for name, rows in table.groupby("class"):
        assert len(rows) == 150
        agreement = adjusted_rand_score(theirs[rows["image_id"]], rows["facet"])
        first = summary[summary["class"] == name].iloc[0]
        columns = ["seed_stability", "bootstrap_stability", "silhouette", "suggested_facets"]
        print(probe, name, f"agreement {agreement:.2f}", first[columns].to_dict())
        assert agreement > 0.1
    assert summary.groupby("class")["members"].sum().eq(150).all()
    assert (summary["small"] == (summary["members"] < 15)).all()
    assert len(list((folder / "means").glob("*.png"))) == 20


def test_pictures_of_facets_excite_their_unit(results):
    """A fortieth of the recipe's steps, from the mean image."""
    folder = results / "pictures/classes/squeezenet_units/facets"
    table = tables.read(folder / "facet_pictures.parquet", "facet_pictures").to_pandas()
    print(table[["class", "facet", "mean_activation", "activation", "best_image"]].round(1).to_string())
    assert table["status"].eq("optimised").all()
    assert (table["activation"] > table["mean_activation"]).mean() > 0.9
    for path in table["path"]:
        assert np.asarray(Image.open(folder / path)).shape == (272, 272, 3)
    assert len(list((folder / "figures").glob("*.png"))) == 4
