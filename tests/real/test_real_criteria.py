"""Ten classes of photographs: facets, whether the criteria rank what they must, and what another network sees."""

from __future__ import annotations

import pandas as pd
import pytest

from filterscope import tables
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import verdicts

# The embedded study validates the criteria and has a judge, too: make test-all.
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.exhaustive,
    pytest.mark.workflow,
    pytest.mark.timeout(3000),
]

FACETS = 3


@pytest.fixture(scope="module")
def classes(realdata):
    """Output units of ImageNet's networks, by folder of photographs."""
    names = [line.split()[0] for line in (realdata / "imagenet/synset_words.txt").read_text().splitlines()]
    folders = sorted(each.name for each in (realdata / "imagenet/imagenette_val500").iterdir())
    return {name: names.index(name) for name in folders}


@pytest.fixture(scope="module")
def results(realdata, classes, default_config, repository, tmp_path_factory, run_anywhere):
    """SqueezeNet's facets, a twentieth of the recipe's steps; ResNet-50 judges."""
    directory = tmp_path_factory.mktemp("criteria")
    weights, photographs = realdata / "weights", str(realdata / "imagenet/imagenette_val500")
    factory = f"{repository / 'tests/real/factories.py'}:resnet50_stride_in_1x1"
    sections = ("explanations", "defects", "pictures", "strongest_filters", "occlusions")
    config = default_config() | {section: [] for section in sections}
    config["threads"] = 2
    config["datasets"]["classes"] = {"source": "folder", "folder": photographs, "reference": "scenes"}
    resnet50 = str(weights / "resnet50_stride_in_1x1.fp16.pth")
    config["networks"] |= {
        "squeezenet": {
            "source": "checkpoint",
            "architecture": "squeezenet1_1",
            "file": str(weights / "squeezenet1_1.pth"),
            "input": {"resize": 227, "crop": 227},
        },
        "resnet50": {"source": "factory", "factory": factory, "file": resnet50},
    }
    config["probes"] |= {
        "squeezenet_units": {"network": "squeezenet", "layer": "classifier.1"},
        "resnet50_units": {"network": "resnet50", "layer": "fc"},
    }
    entry = {"dataset": "classes", "probe": "squeezenet_units", "classes": classes, "facets": FACETS}
    config["facets"] = [{**entry, "recipe": "mean", "from_noise": ["mean", "plain"], "judge": "resnet50_units"}]
    config["facetting"] |= {"seeds": 1, "bootstraps": 1}
    config["recipes"]["mean"]["shorten"] = 20
    config["recipes"]["plain"]["steps"] = 32
    wanted = [f"results/pictures/classes/squeezenet_units/{each}" for each in ("criteria.png", "facets/figures")]
    run_anywhere("--cores", 2, *wanted, config=config, directory=directory)
    return directory / "results/pictures/classes/squeezenet_units"


def test_every_class_has_its_facets(results, classes):
    table = tables.read(results / "facets/facets.parquet", "facets").to_pandas()
    assert table.groupby("class").size().to_dict() == dict.fromkeys(classes, 50)
    assert table.groupby("class")["facet"].nunique().eq(FACETS).all()
    assert len(list((results / "facets/figures").glob("*.png"))) == 2 * len(classes)


def test_the_criteria_rank_photographs_above_means_above_noise(results):
    validation = tables.read(results / "criteria_validation.parquet", "criteria_validation").to_pandas()
    print(validation.drop(columns="paired").round(3).to_string())
    assert verdicts(validation).index.tolist() == list(CRITERIA)
    assert verdicts(validation).sum() >= 4
    ranked = validation[~validation["paired"]]
    assert ranked.loc[ranked["first"] == "photographs", "better"].min() > 0.5


def test_another_network_sees_the_class(results, classes):
    """In most photographs, and no more often in bare ascent than in pictures that began as mean images."""
    found = tables.read(results / "criteria.parquet", "criteria").to_pandas()
    values = found.pivot(index="group", columns="measure", values="value")
    print(values.round(3).to_string())
    assert values.loc["photographs", "judge_top1"] > 0.6
    assert values.loc["chance", "judge_top1"] == pytest.approx(1 / 1000)
    assert values.loc["mean, from the mean image", "judge_top5"] >= values.loc["plain, from noise", "judge_top5"]
    scores = pd.read_csv(results / "picture_scores.csv")
    assert scores.loc[scores["group"] == "photographs", "judge_rank"].median() == 1
    assert set(scores["unit"]) == set(classes.values())
