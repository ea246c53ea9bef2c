"""Visual Genome: the official fifteen images through the passes, and COCO in its layout through every rule."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from pycocotools import mask as mask_utils

from filterscope.data.datasets.visual_genome import VisualGenomeSettings, read_visual_genome
from filterscope.data.vocabularies.vector_files import VocabularySettings, read_vectors

pytestmark = pytest.mark.real

VECTORS = "glove/glove.6B.100d.subset.txt.gz"
MIN_COUNT = 3


@pytest.fixture(scope="module")
def glove(realdata) -> frozenset[str]:
    words, _ = read_vectors(realdata / VECTORS, VocabularySettings.from_mapping({"source": "glove", "file": VECTORS}))
    return frozenset(words)


@pytest.fixture(scope="module")
def official(realdata, tmp_path_factory):
    """The official objects.json with blank pictures, which it comes without, large enough for its boxes."""
    folder = tmp_path_factory.mktemp("official")
    (folder / "VG_100K").mkdir()
    content = (realdata / "visual_genome" / "objects.json").read_text()
    (folder / "objects.json").write_text(content)
    images = json.loads(content)
    for image in images:
        size = [max(each[start] + each[side] for each in image["objects"]) for start, side in ("xw", "yh")]
        Image.new("L", size).save(folder / "VG_100K" / f"{image['image_id']}.jpg")
    return folder, images


def counted(images, known, merge: bool) -> Counter:
    """The same by the standard library: objects or images of every category with a vector."""
    found = Counter()
    for image in images:
        names = [each["synsets"][0].split(".")[0].split("_")[0] for each in image["objects"] if each["synsets"]]
        names = [name for name in names if name in known]
        found.update(set(names) if merge else names)
    return found


@pytest.mark.parametrize("order", ["paper", "reproduction"])
def test_official_images_through_the_passes(official, glove, order):
    folder, images = official
    found = read_visual_genome(folder, glove, VisualGenomeSettings(passes=order, min_count=MIN_COUNT), 0, 0, 2)
    passes = pd.DataFrame(found.passes).set_index("pass")
    assert passes.loc["listed", ["images", "annotations"]].tolist() == [15, 460]
    assert passes.loc["synsets", "annotations"] == 425  # 35 have none
    by_image, by_object = (counted(images, glove, merge) for merge in (True, False))
    kept = {name for name, count in (by_image if order == "paper" else by_object).items() if count >= MIN_COUNT}
    assert set(found.names) == kept
    assert passes["annotations"].iloc[-1] == sum(by_image[name] for name in kept)
    assert passes["images"].iloc[-1] == (15 if order == "paper" else found.images.num_rows)
    sizes = {row["image_id"]: [row["height"], row["width"]] for row in found.images.to_pylist()}
    boxes = defaultdict(list)
    for image in images:
        for each in image["objects"]:
            if each["synsets"]:
                boxes[image["image_id"], each["synsets"][0].split(".")[0].split("_")[0]].append(each)
    for part in found.annotations():
        for row in part.to_pylist():
            mask = np.zeros(sizes[row["image_id"]], np.uint8)
            for each in boxes[row["image_id"], row["category"]]:
                mask[each["y"] : each["y"] + each["h"], each["x"] : each["x"] + each["w"]] = 1
            assert np.array_equal(mask_utils.decode({"size": list(mask.shape), "counts": row["mask"]}), mask)


def study_config(own_config, realdata, address):
    """AlexNet explained by boxes of COCO's photographs, which a local server has as Visual Genome."""
    config = own_config(
        {
            "title": "Visual Genome made of COCO",
            "threads": 2,
            "training": {"vocabulary_negatives": 1024},
            "explanations": [{"dataset": "vg", "probe": probe, "vocabulary": "glove"} for probe in PROBES],
            "scores": {"bootstrap": 100},
            # Thousands of composed pictures, of which test_real_study.py says more.
            "proofs": {"objects": 4, "controls": 20, "places": 1},
            "sheets": {"filters": 2},
        }
    )
    genome = {
        "source": "visual_genome",
        "mirrors": {
            "images": ["http://127.0.0.1:9/images.zip", f"{address}/images.zip"],
            "images2": [f"{address}/images2.zip"],
            "objects": [f"{address}/nowhere.zip", f"{address}/objects.json.zip"],
        },
        "verify": False,
        "vocabulary": "glove",
        "min_count": 6,
        "train": 0.6,
        "compare_with": str(realdata / "visual_genome" / "lavise_categories.txt"),
    }
    weights = realdata / "weights"
    (probe,) = PROBES
    explanation = {"dataset": "vg", "probe": probe, "vocabulary": "glove"}
    return config | {
        # Beside numbers that were published of another network, which the tables do not ask about.
        "reproduction": {"datasets": {"visual_genome": "vg"}, "recall": [{"experiment": EXPERIMENT, **explanation}]},
        "datasets": {"vg": genome},
        "vocabularies": {"glove": {"source": "glove", "file": str(realdata / VECTORS)}},
        "networks": {
            "alexnet": {
                "source": "checkpoint",
                "architecture": "alexnet",
                "file": str(weights / "alexnet_features.pth"),
                "part": "features",
            },
        },
        "probes": {"alexnet": {"network": "alexnet", "layer": "features"}},
    }


PROBES = ("alexnet",)  # what comes after the annotations is said of more networks in test_real_study.py
EXPERIMENT = "resnet50_layer4_visual_genome"
NULLS = {"constant_words", "shuffled_filters", "shuffled_labels", "random_network", "dissection"}
in_the_study = [pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def study(realdata, own_config, coco_as_visual_genome, address_of, tmp_path_factory, run_anywhere):
    directory = tmp_path_factory.mktemp("visual_genome")
    config = study_config(own_config, realdata, address_of(coco_as_visual_genome))
    run_anywhere("--cores", 2, config=config, directory=directory, environment={"no_proxy": "127.0.0.1"})
    return directory


class TestStudy:
    pytestmark = in_the_study

    def test_archives_are_locked(self, study):
        assert set(yaml.safe_load((study / "visual_genome.lock.yaml").read_text())) == {
            "images.zip",
            "images2.zip",
            "objects.json.zip",
        }

    def test_objects_become_annotations(self, study):
        data = study / "results/data/vg"
        passes = pd.read_csv(data / "passes.csv").set_index("pass")
        assert passes.loc["listed", ["images", "annotations"]].tolist() == [482, 4166]
        assert passes.loc["empty_images", "images"] <= 482
        categories = pd.read_parquet(data / "categories.parquet")
        assert round(0.7 * len(categories)) == categories["supervised"].sum()
        annotations = pd.read_parquet(data / "annotations.parquet")
        assert len(annotations) == passes["annotations"].iloc[-1]
        assert not annotations.duplicated(["image_id", "category"]).any()
        images = pd.read_parquet(data / "images.parquet")
        assert (images["split"] == "train").sum() == round(0.6 * len(images))
        comparison = pd.read_csv(data / "category_comparison.csv")
        assert comparison["theirs"].sum() == 1208
        assert comparison.loc[comparison["ours"], "theirs"].mean() > 0.8

    @pytest.mark.parametrize("probe", PROBES)
    def test_supervised_and_unsupervised_categories_have_scores_beside_every_null(self, study, probe):
        table = pd.read_parquet(study / f"results/words/vg/{probe}/glove/scores.parquet")
        wanted = {
            ("recall", where) for where in ("vocabulary", "categories", "vocabulary_unsupervised", "unsupervised")
        }
        wanted |= {(metric, where) for metric in ("iou", "auprc") for where in ("categories", "unsupervised")}
        for (metric, where), part in table.groupby(["metric", "candidates"]):
            if (metric, where) in wanted:
                wanted.remove((metric, where))
                # What the scored masks themselves would choose stands beside claims, which are of all categories.
                best = {"ceiling"} if metric != "recall" and where == "categories" else set()
                assert set(part["row"]) == NULLS | {"words"} | best
                assert part["value"].notna().all()
        assert not wanted

    @pytest.mark.parametrize("probe", PROBES)
    def test_words_beat_shuffled_labels(self, study, probe):
        table = pd.read_parquet(study / f"results/words/vg/{probe}/glove/scores.parquet")
        table = table[table["metric"] == "recall"].set_index(["candidates", "row", "k"])
        for where in ("vocabulary", "categories"):
            assert table.loc[(where, "shuffled_labels", 5), "margin_low"] > 0

    def test_our_numbers_stand_beside_the_published_ones(self, study):
        folder = study / "results/report/reproduction"
        recall = pd.read_parquet(folder / "recall.parquet")
        own = recall[recall["experiment"] == EXPERIMENT].set_index(["source", "row", "k"])
        assert own.loc[("Yang et al. 2022", "words", 5), "value"] == 0.226
        scores = pd.read_parquet(study / f"results/words/vg/{PROBES[0]}/glove/scores.parquet")
        scores = scores[(scores["metric"] == "recall") & (scores["candidates"] == "vocabulary")].set_index(["row", "k"])
        for row in NULLS | {"words"}:
            assert own.loc[("Filterscope", row, 5), "value"] == scores.loc[(row, 5), "value"]
        absent = recall[(recall["experiment"] != EXPERIMENT) & (recall["source"] == "Filterscope")]
        assert set(absent["status"]) == {"not run here"}
        sizes = pd.read_parquet(folder / "datasets.parquet").set_index(["experiment", "source", "quantity", "at"])
        annotations = pd.read_parquet(study / "results/data/vg/annotations.parquet")
        assert sizes.loc[("visual_genome", "Filterscope", "annotations", "total"), "value"] == len(annotations)
        assert "1128" in (folder / "summary.md").read_text()
