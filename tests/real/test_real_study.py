"""The whole way from real COCO photographs and ImageNet networks to words and scores, by the rules themselves."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from filterscope.words.explaining.novelty import novel
from filterscope.words.explaining.targets import token_list
from filterscope.words.naming import BELIEVED

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(3000)]

PROBES = ("alexnet", "squeezenet", "mobilenet", "resnet50")
WHOLE = "alexnet"  # of which everything is made: the fewest filters, and the quickest to look at composed pictures


def among(probes) -> list:
    """The others say the same of more networks, and take longer than all other tests on photographs: make test-all."""
    return [pytest.param(probe, marks=() if probe == WHOLE else pytest.mark.exhaustive) for probe in probes]


EACH = among(PROBES)
TOGETHER = [pytest.param((WHOLE,), id="one"), pytest.param(PROBES, marks=pytest.mark.exhaustive, id="four")]
# Recall@5/10/20 that the words must reach at least: over the whole vocabulary, a little less than was measured, and
# over the categories, where they must not be worse than when claims were voted for.
RECALL = {
    "vocabulary": {
        "alexnet": (0.58, 0.69, 0.78),
        "squeezenet": (0.59, 0.70, 0.79),
        "mobilenet": (0.65, 0.73, 0.82),
        "resnet50": (0.68, 0.77, 0.84),
    },
    "categories": {
        "alexnet": (0.592, 0.705, 0.803),
        "squeezenet": (0.555, 0.685, 0.785),
        "mobilenet": (0.667, 0.767, 0.867),
        "resnet50": (0.727, 0.813, 0.877),
    },
}
# Share of the first five words of an image that are new.
NEW = 0.25
# What compares the names with masks: nowhere clearly below Network Dissection, and for these networks above it by a
# margin whose whole interval is above zero.
CERTAIN = {
    "iou": {"squeezenet", "resnet50"},
    "f1": {"alexnet", "squeezenet", "resnet50"},
    "auprc_lift": {*PROBES},
    "correlation": {*PROBES},
}
BELOW = 0.001  # for MobileNetV2 IoU and F1 are as high as Network Dissection's, no higher
# Share of a layer's filters that may have the same name, if Network Dissection's commonest label is not commoner; and
# what a processor's rounding may add, which moves single claims (ResNet-50 stands at 204 of 2,048).
COMMONEST, ROUNDING = 0.1, 0.002
DISTINCT = {"mobilenet": 55, "resnet50": 55}  # names at least
# Supported names other than the commonest word, when claims were voted for; so many times as many are asked for.
# Not for SqueezeNet, of which 45 are left of 46 by the stricter decoys; ResNet-50 was not measured before.
OTHERS = {"alexnet": 29, "mobilenet": 53}
MORE = 1.5
LENT = 0.1  # share of lent claims that may be supported, of the supported names


def real_config(own_config, realdata, repository, probes=PROBES):
    """The study of these probes on the photographs of the real data."""
    weights = realdata / "weights"
    checkpoint = {"source": "checkpoint", "architecture": "alexnet", "file": str(weights / "alexnet_features.pth")}
    squeezenet = {"architecture": "squeezenet1_1", "file": str(weights / "squeezenet1_1.pth")}
    config = own_config(
        {
            "title": "Real photographs",
            "threads": 2,
            "training": {"vocabulary_negatives": 1024},
            "explanations": [{"dataset": "coco", "probe": probe, "vocabulary": "glove"} for probe in probes],
            "scores": {"bootstrap": 200},
            "sheets": {"filters": 4},
        }
    )
    return config | {
        "datasets": {"coco": {"source": "coco", "folder": str(realdata / "coco")}},
        "vocabularies": {"glove": {"source": "glove", "file": str(realdata / "glove" / "glove.6B.100d.subset.txt.gz")}},
        "networks": {
            "alexnet": {**checkpoint, "part": "features"},
            "squeezenet": {**checkpoint, **squeezenet},
            "mobilenet": {"source": "torchvision", "architecture": "mobilenet_v2", "weights": "IMAGENET1K_V1"},
            "resnet50": {
                "source": "factory",
                "factory": f"{repository / 'tests/real/factories.py'}:resnet50_stride_in_1x1",
                "file": str(weights / "resnet50_stride_in_1x1.fp16.pth"),
            },
        },
        "probes": {name: {"network": name, "layer": "layer4" if name == "resnet50" else "features"} for name in PROBES},
    }


@pytest.fixture(scope="module")
def study(realdata, own_config, repository, tmp_path_factory, run_anywhere):
    """Gives the results of a probe, made when they are first asked for: what is deselected costs nothing."""
    directory = tmp_path_factory.mktemp("real")
    # torchvision finds MobileNetV2's weights in its ordinary cache.
    cache = directory / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    name = "mobilenet_v2-b0353104.pth"
    (cache / name).symlink_to(realdata / "weights" / name)
    config = real_config(own_config, realdata, repository)
    environment = {"TORCH_HOME": str(directory / "torch")}
    made = set()

    def study(probe: str) -> Path:
        # All that the words room makes of one network; of the others what is looked at here, to save minutes.
        files = ["scores.csv"]
        files += ["filter_names.csv", "sanity.csv", "sheets", "scores.png", "training.png"] if probe == WHOLE else []
        targets = [f"results/words/coco/{probe}/glove/{file}" for file in files]
        if probe not in made:
            made.add(probe)  # once, whatever comes of it: what is not there fails every test at once
            run_anywhere("--cores", 2, *targets, config=config, directory=directory, environment=environment)
        return directory / "results"

    return study


def scores(study, probe) -> pd.DataFrame:
    table = pd.read_parquet(study(probe) / f"words/coco/{probe}/glove/scores.parquet")
    return table.set_index(["metric", "candidates", "row", "k"])


def recalls(study, probe) -> pd.DataFrame:
    return scores(study, probe).loc["recall"]


def claims_of(study, probe) -> pd.DataFrame:
    return pd.read_parquet(study(probe) / f"words/coco/{probe}/glove/filter_claims.parquet")


@pytest.mark.parametrize("k", [5, 10, 20])
@pytest.mark.parametrize("probe", EACH)
@pytest.mark.parametrize("where", RECALL)
def test_recall_is_high_enough(study, where, probe, k):
    wanted = dict(zip((5, 10, 20), RECALL[where][probe], strict=True))[k]
    # What was printed with three digits is not undercut by the fourth.
    assert round(recalls(study, probe).loc[(where, "words", k), "value"], 3) >= wanted


@pytest.mark.parametrize("k", [5, 10, 20])
@pytest.mark.parametrize("probe", EACH)
def test_recall_is_above_every_other_row(study, probe, k):
    """Constant words and Network Dissection, which name nothing but categories, among them."""
    table = recalls(study, probe).xs("vocabulary").xs(k, level="k")["value"]
    assert {"constant_words", "dissection", "shuffled_filters", "shuffled_labels", "random_network"} < set(table.index)
    assert table.idxmax() == "words"
    assert (table.drop("words") < table["words"]).all()


@pytest.mark.parametrize("probe", EACH)
def test_enough_of_the_first_words_are_new(study, probe):
    categories = pd.read_parquet(study(probe) / "data/coco/categories.parquet")
    columns = ["candidates", "rank", "word"]
    words = pd.read_parquet(study(probe) / f"words/coco/{probe}/glove/image_words.parquet", columns=columns)
    first = words.loc[(words["candidates"] == "vocabulary") & (words["rank"] < 5), "word"].value_counts()
    new = novel(first.index, token_list(categories, supervised_only=False))
    assert first[new].sum() / first.sum() >= NEW


@pytest.mark.parametrize("probes", TOGETHER)
@pytest.mark.parametrize("metric", CERTAIN)
def test_names_follow_the_masks_better_than_network_dissections_labels(study, metric, probes):
    tables = {probe: scores(study, probe).loc[(metric, "categories")].xs(1, level="k") for probe in probes}
    margins = {probe: table.loc["dissection", ["margin", "margin_low"]] for probe, table in tables.items()}
    assert all(each["margin"] >= -BELOW for each in margins.values()), margins
    assert all(margins[probe]["margin_low"] > 0 for probe in CERTAIN[metric].intersection(probes)), margins
    for table in tables.values():
        assert table.loc["words", "value"] <= table.loc["ceiling", "value"]


@pytest.mark.parametrize("probe", EACH)
def test_no_name_is_that_of_too_many_filters(study, probe):
    claims = claims_of(study, probe)
    names, rivals = claims["claim"].value_counts(), claims["rival"].value_counts()
    assert names.iloc[0] <= max((COMMONEST + ROUNDING) * len(claims), rivals.iloc[0]), names.index[0]


@pytest.mark.parametrize("probe", among(DISTINCT))
def test_names_are_many(study, probe):
    assert claims_of(study, probe)["claim"].nunique() >= DISTINCT[probe]


@pytest.mark.parametrize("probe", among(OTHERS))
def test_more_names_are_supported_at_the_same_rate(study, probe):
    claims = claims_of(study, probe)
    supported = claims[claims["supported"]]
    assert claims["told"].all()
    others = (supported["claim"] != claims["claim"].value_counts().index[0]).sum()
    assert others >= MORE * OTHERS[probe]
    assert claims["lent"].sum() >= len(claims) / 2  # or the lent claims tell nothing of the rate
    assert claims["lent_supported"].sum() <= LENT * len(supported)


@pytest.mark.parametrize("probe", among(("mobilenet", "resnet50")))
@pytest.mark.parametrize("k", [5, 10, 20])
def test_words_beat_constant_words_by_a_margin(study, probe, k):
    assert recalls(study, probe).loc[("vocabulary", "constant_words", k), "margin_low"] > 0


@pytest.mark.parametrize("probe", EACH)
@pytest.mark.parametrize("null", ["shuffled_filters", "shuffled_labels"])
def test_words_beat_the_shuffled_nulls_by_a_margin(study, probe, null):
    assert recalls(study, probe).loc[("vocabulary", null, 5), "margin_low"] > 0


@pytest.mark.parametrize("probe", EACH)
def test_words_beat_the_random_network(study, probe):
    assert recalls(study, probe).loc[("vocabulary", "random_network", 5), "margin"] > 0


def test_all_filters_of_a_layer_are_explained(study):
    words = pd.read_parquet(study(WHOLE) / f"words/coco/{WHOLE}/glove/filter_words.parquet")
    claims = claims_of(study, WHOLE)
    assert len(claims) == 256
    assert set(words["filter"]) == set(claims.loc[~claims["dead"], "filter"])


def test_only_supported_filters_are_named(study):
    names = pd.read_parquet(study(WHOLE) / f"words/coco/{WHOLE}/glove/filter_names.parquet")
    believed = names["status"].isin(BELIEVED)
    assert believed.any()
    assert (names["name"].notna() == believed).all()
    assert len(list((study(WHOLE) / f"words/coco/{WHOLE}/glove/sheets").glob("*.png"))) == 4


def test_named_objects_are_the_cause_of_many_filters(study):
    """More than of lent claims, which are no pure nulls: what often stands beside a filter's object excites it, too."""
    causes = pd.read_parquet(study(WHOLE) / f"words/coco/{WHOLE}/glove/filter_causes.parquet")
    caused, told = causes["status"].eq("caused"), causes["status"].ne("cannot_be_told")
    assert told.mean() >= 0.4
    assert caused.sum() >= 0.1 * told.sum()
    assert causes["lent_caused"].dropna().mean() <= 0.5 * caused[told].mean()


@pytest.mark.exhaustive
def test_known_meanings_are_found(study):
    """A network that tells 1,000 classes apart has filters for people and animals among its best supported ones."""
    claims = claims_of(study, "resnet50")
    supported = set(claims.loc[claims["supported"], "claim"])
    assert len(supported & {"person", "dog", "cat", "bird", "zebra", "elephant", "pizza", "train", "bear"}) >= 3
