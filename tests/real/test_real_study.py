"""The whole way from real COCO photographs and ImageNet networks to words and scores, by the rules themselves."""

from __future__ import annotations

import pandas as pd
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(3000)]

# Recall@5/10/20 over the whole vocabulary of a prototype on the same data: to be beaten.
PROTOTYPE = {
    "alexnet": (0.393, 0.446, 0.502),
    "squeezenet": (0.354, 0.395, 0.438),
    "mobilenet": (0.478, 0.501, 0.551),
    "resnet50": (0.515, 0.550, 0.586),
}


def real_config(own_config, realdata, repository, probes=tuple(PROTOTYPE)):
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
            "scores": {"bootstrap": 100},
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
        "probes": {
            name: {"network": name, "layer": "layer4" if name == "resnet50" else "features"} for name in PROTOTYPE
        },
    }


@pytest.fixture(scope="module")
def study(realdata, own_config, repository, tmp_path_factory, run_anywhere):
    """Results of all four probes; torchvision finds MobileNetV2's weights in its ordinary cache."""
    directory = tmp_path_factory.mktemp("real")
    cache = directory / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    name = "mobilenet_v2-b0353104.pth"
    (cache / name).symlink_to(realdata / "weights" / name)
    config = real_config(own_config, realdata, repository)
    # All that the words room makes of ResNet-50; of the others what is looked at here, to save minutes.
    made = {probe: ["scores.csv"] for probe in PROTOTYPE}
    made["resnet50"] += ["filter_names.csv", "sanity.csv", "sheets", "scores.png", "training.png"]
    targets = [f"results/words/coco/{probe}/glove/{file}" for probe, files in made.items() for file in files]
    environment = {"TORCH_HOME": str(directory / "torch")}
    run_anywhere("--cores", 2, *targets, config=config, directory=directory, environment=environment)
    return directory / "results"


def scores(study, probe) -> pd.DataFrame:
    table = pd.read_parquet(study / f"words/coco/{probe}/glove/scores.parquet")
    return table[table["metric"] == "recall"].set_index(["candidates", "row", "k"])


@pytest.mark.parametrize("probe", PROTOTYPE)
def test_recall_beats_the_prototype(study, probe):
    table = scores(study, probe)
    for k, prototype in zip((5, 10, 20), PROTOTYPE[probe], strict=True):
        assert table.loc[("vocabulary", "words", k), "value"] > prototype, f"recall@{k}"


@pytest.mark.parametrize("probe", ["mobilenet", "resnet50"])
@pytest.mark.parametrize("k", [5, 10, 20])
def test_words_beat_constant_words_by_a_margin(study, probe, k):
    assert scores(study, probe).loc[("vocabulary", "constant_words", k), "margin_low"] > 0


@pytest.mark.parametrize("probe", PROTOTYPE)
@pytest.mark.parametrize("null", ["shuffled_filters", "shuffled_labels"])
def test_words_beat_the_shuffled_nulls_by_a_margin(study, probe, null):
    assert scores(study, probe).loc[("vocabulary", null, 5), "margin_low"] > 0


@pytest.mark.parametrize("probe", PROTOTYPE)
def test_words_beat_the_random_network(study, probe):
    assert scores(study, probe).loc[("vocabulary", "random_network", 5), "margin"] > 0


def test_all_filters_of_a_layer_are_explained(study):
    words = pd.read_parquet(study / "words/coco/resnet50/glove/filter_words.parquet")
    claims = pd.read_parquet(study / "words/coco/resnet50/glove/filter_claims.parquet")
    assert len(claims) == 2048
    assert set(words["filter"]) == set(claims.loc[~claims["dead"], "filter"])


def test_only_supported_filters_are_named(study):
    names = pd.read_parquet(study / "words/coco/resnet50/glove/filter_names.parquet").set_index("status")["name"]
    assert names["supported"].notna().all()
    assert names["unsupported"].isna().all()
    assert len(list((study / "words/coco/resnet50/glove/sheets").glob("*.png"))) == 4


def test_known_meanings_are_found(study):
    """A network that tells 1,000 classes apart has filters for people and animals among its best supported ones."""
    claims = pd.read_parquet(study / "words/coco/resnet50/glove/filter_claims.parquet")
    supported = set(claims.loc[claims["supported"], "claim"])
    assert len(supported & {"person", "dog", "cat", "bird", "zebra", "elephant", "pizza", "train", "bear"}) >= 3
