"""A probe's images are looked at through what was kept of them, with the truth where it is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from filterscope import tables
from filterscope.activations.maps import MapsWriter
from filterscope.words.looking import ProbedImages

CPU, SIDE, FILTERS, CELLS = torch.device("cpu"), 16, 3, 4
SPLITS = ["train", "val", "val", "train", "val"]
UNREADABLE = 2  # the extraction left it out


def maps(count):
    return torch.rand(count, FILTERS, CELLS, CELLS, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def files(tmp_path):
    """Inputs of a rule, without pictures and weights."""
    ids = np.arange(len(SPLITS))
    images = {"image_id": ids, "split": SPLITS, "path": [f"{each}.png" for each in ids], "sha256": [""] * len(ids)}
    images |= {"width": [SIDE] * len(ids), "height": [SIDE] * len(ids), "turned": [False] * len(ids)}
    seen = ids[ids != UNREADABLE]
    values = tables.vectors(np.ones((len(seen), FILTERS)))
    activations = {"image_id": seen, "split": [SPLITS[each] for each in seen], "maximum": values, "mean": values}
    square = np.zeros((SIDE, SIDE), np.uint8, order="F")
    square[:8, :8] = 1
    zeros = dict.fromkeys("xywh", np.zeros(len(ids)))
    annotations = {
        "annotation_id": ids,
        "image_id": ids,
        "category": ["box"] * len(ids),
        "tokens": [["box"] if each else ["box", "odd"] for each in ids],
        **zeros,
        "mask": [coco_mask.encode(square)["counts"]] * len(ids),
        "area": np.full(len(ids), 64.0),
    }
    counts = {key: [1, 1] for key in ("images_train", "images_val", "annotations_train", "annotations_val")}
    categories = {"category": ["box", "odd"], "tokens": [["box"], ["odd"]], **counts, "supervised": [True, False]}
    filters = np.arange(FILTERS)
    no = np.zeros(FILTERS, bool)
    thresholds = {"filter": filters, "threshold": filters + 0.5, "dead": no, "fires_elsewhere": no, "saturated": no}
    written = {
        "images": images,
        "image_activations": activations,
        "annotations": annotations,
        "categories": categories,
        "thresholds": thresholds | {"n": filters + 1},
    }
    for name, table in written.items():
        tables.write(table, name, tmp_path / f"{name}.parquet")
    with MapsWriter(tmp_path / "maps.parquet", "layer", (FILTERS, CELLS, CELLS)) as writer:
        writer.add(seen, maps(len(seen)))
    paths = {name: tmp_path / f"{name}.parquet" for name in written}
    listed = {"image_activations": [paths["image_activations"]], "maps": [tmp_path / "maps.parquet"]}
    return paths | listed | {"weights": None, "pictures": tmp_path / "nowhere"}


@pytest.fixture
def shown(files):
    network = {"source": "factory", "factory": "nowhere.py:network"}
    network |= {"input": {"resize": SIDE, "crop": SIDE, "mean": [0, 0, 0], "std": [1, 1, 1]}}
    probe = {"network": network, "layer": "layer"}
    return ProbedImages.of(files, SimpleNamespace(probe=probe, activations={"batch_size": 2}), 0)


def test_is_what_a_rule_gives(shown, files):
    assert shown.probe.layer == "layer"
    assert (shown.activations.batch_size, shown.activations.workers) == (2, 0)
    assert shown.paths_to_maps == files["maps"]
    assert shown.thresholds()["threshold"].tolist() == [0.5, 1.5, 2.5]
    assert (shown.tokens().every, shown.tokens().held_out) == (["box", "odd"], ["odd"])


@pytest.mark.parametrize(("split", "expected"), [("val", [1, 4]), ("train", [0, 3]), ("all", [0, 1, 3, 4])])
def test_only_images_that_the_extraction_could_read(shown, split, expected):
    assert shown.readable(split)["image_id"].tolist() == expected
    assert shown.images()["image_id"].tolist() == [0, 1, 2, 3, 4]


def test_labels_are_of_the_training_images(shown):
    assert shown.trained_labels().to_pylist() == [["box", "odd"], ["box"]]


def test_kept_maps_are_seen_with_their_truth_and_no_network(shown):
    with shown.scenes(shown.readable("all"), ["box", "odd"], CPU) as (seen, objects):
        found = list(seen)
    assert objects == 4
    assert [image_id for image_id, *_ in found] == [0, 1, 3, 4]
    for (_, own, scene), expected in zip(found, maps(4), strict=True):
        assert torch.equal(own, expected)
        assert scene.objects.sum().item() == 64
    assert [scene.tokens.tolist() for *_, scene in found] == [[0, 1], [0], [0], [0]]


def test_without_tokens_there_is_no_truth(shown):
    with shown.view(shown.readable("val"), CPU) as (batches, reader, truth):
        assert truth is None
        assert [batch.image_ids.tolist() for batch in batches] == [[1, 4]]
        assert reader.filters == FILTERS


def test_the_network_is_asked_for_where_maps_will_not_do(shown):
    def load():
        raise LookupError("asked for")

    with pytest.raises(LookupError, match="asked for"), shown.view(shown.images(), CPU, load=load):
        pass
    with (
        pytest.raises(LookupError, match="asked for"),
        shown.view(shown.readable("val"), CPU, maps=False, load=load),
    ):
        pass
    with shown.view(shown.readable("val"), CPU, load=load) as (batches, *_):
        assert len(list(batches)) == 1
