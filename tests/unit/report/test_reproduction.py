"""Published numbers stand beside ours, nothing is filled in, and the gap is explained only by what is certain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from filterscope import tables
from filterscope.report.figures import recall_dots
from filterscope.report.reproduction import (
    Counted,
    dataset_table,
    gap_sentences,
    read_published,
    recall_table,
    reproduction_sections,
)
from filterscope.report.summary import as_html, as_text

COCO = "resnet18_layer4_coco"


@pytest.fixture(scope="module")
def published(repository):
    return read_published(repository / "studies/published.csv")


@pytest.fixture
def counted():
    images = pd.DataFrame({"image_id": [1, 2, 3, 4], "split": ["train", "train", "val", "val"]})
    categories = pd.DataFrame({"tokens": [["hot", "dog"], ["dog"], ["cat"]], "supervised": [True, True, True]})
    return Counted("mine", images, np.array([1, 1, 2, 3]), categories)


def scores(probe_value=0.5):
    rows = [
        ("recall", "vocabulary", 5, "words", probe_value, probe_value - 0.1, probe_value + 0.1),
        ("recall", "vocabulary", 5, "constant_words", 0.3, 0.2, 0.4),
        ("recall", "vocabulary", 10, "words", None, None, None),
        ("recall", "categories", 5, "words", 0.9, 0.8, 1.0),
        ("iou", "categories", 1, "words", 0.1, 0.0, 0.2),
    ]
    return pd.DataFrame(rows, columns=["metric", "candidates", "k", "row", "value", "low", "high"])


def defects(**costs):
    """At k = 5: recall, and cost with interval by switch; at k = 10 other numbers that must not be told."""
    rows = []
    for switch, (recall, cost, low, high) in costs.items():
        for k, shift in ((5, 0), (10, 0.01)):
            values = (switch, "vocabulary", k, recall + shift, recall - 0.1, recall + 0.1, cost, low, high, 9)
            rows.append(values)
    names = ["switch", "candidates", "k", "recall", "low", "high", "cost", "cost_low", "cost_high", "n"]
    return pd.DataFrame(rows, columns=names)


def test_the_published_values_are_as_printed(published):
    recall = published[published["quantity"] == "recall"]
    printed = recall.groupby(["experiment", "source"])["printed"].agg(list)
    assert len(recall) == 21
    assert printed[COCO, "Yang et al. 2022"] == ["0.675", "0.728", "0.776"]
    assert printed["resnet50_layer4_visual_genome", "Buis et al. 2023"] == ["0.132", "0.164", "0.197"]
    assert printed["alexnet_features_coco", "Buis et al. 2023"] == ["0.551", "0.571", "0.600"]
    assert published[published["table"] == 1].groupby("experiment").size().tolist() == [9, 9]


def test_configs_know_just_the_published_experiments(published, repository):
    schema = yaml.safe_load((repository / "rules/config.schema.yaml").read_text())["properties"]["reproduction"]
    keys = schema["properties"]
    known = keys["recall"]["items"]["properties"]["experiment"]["enum"]
    assert known == list(published.loc[published["quantity"] == "recall", "experiment"].unique())
    assert list(keys["datasets"]["properties"]) == list(published.loc[published["table"] == 1, "experiment"].unique())


def test_datasets_are_counted_and_those_that_are_absent_say_so(published, counted):
    table = tables.checked(dataset_table(published, {"coco": counted}), "reproduced_datasets").to_pandas()
    mine = table[table["source"] == "Filterscope"].set_index(["experiment", "quantity", "at"])
    own = mine.loc["coco"]["value"]
    assert own["images"].tolist() == [2, 1, 3]  # one validation image has no annotation
    assert own["annotations"].tolist() == [3, 1, 4]
    assert own["categories"].tolist() == [3, 3, 3]  # tokens: hot, dog, cat
    absent = mine.loc["visual_genome"]
    assert (absent["status"] == "not run here").all()
    assert absent["value"].isna().all()
    assert (absent["printed"] == "").all()


def test_unsupervised_categories_are_counted_apart(published, counted):
    counted.categories["supervised"] = [True, False, False]
    table = dataset_table(published, {"visual_genome": counted})
    own = table[(table["source"] == "Filterscope") & (table["quantity"] == "categories")].set_index("experiment")
    assert own.loc["visual_genome", "value"].tolist() == [2, 2, 3]  # hot dog; dog, cat; all


def test_recall_stands_beside_the_published_one_and_its_nulls(published):
    runs = {COCO: {"deep": scores()}}
    table = tables.checked(recall_table(published, runs), "reproduced_recall").to_pandas()
    own = table[(table["experiment"] == COCO) & (table["k"] == 5)].set_index(["source", "row"])
    assert own.loc[("Yang et al. 2022", "words"), "value"] == 0.675
    assert own.loc[("Filterscope", "words"), ["value", "low", "high"]].tolist() == [0.5, 0.4, 0.6]
    assert own.loc[("Filterscope", "constant_words"), "value"] == 0.3
    assert len(own) == 4
    at_ten = table[(table["experiment"] == COCO) & (table["k"] == 10) & (table["source"] == "Filterscope")]
    assert at_ten["status"].tolist() == ["not measurable"]
    at_twenty = table[(table["experiment"] == COCO) & (table["k"] == 20) & (table["source"] == "Filterscope")]
    assert at_twenty["note"].tolist() == ["scores.recall_at lacks 20"]
    others = table[(table["experiment"] != COCO) & (table["source"] == "Filterscope")]
    assert set(others["status"]) == {"not run here"}
    assert others["value"].isna().all()


def test_only_certain_costs_explain_the_gap(published):
    table = defects(
        default=(0.5, 0, 0, 0),
        mask_scale=(0.2, 0.3, 0.2, 0.4),
        empty_masks=(0.45, 0.05, -0.01, 0.1),
        frozen_batch_norm=(0.6, -0.1, -0.2, -0.05),
        all=(0.1, 0.4, 0.3, 0.5),
    )
    said = " ".join(gap_sentences(table, recall_table(published, {}), COCO, 5))
    assert "a gap of 0.227" in said
    assert "mask scale by 0.300 [0.200, 0.400]" in said
    assert "These raise it: frozen batch norm by 0.100 [0.050, 0.200]" in said
    assert "No effect is certain for empty masks." in said
    assert "they cost 0.400 [0.300, 0.500], 80 % of the recall" in said
    assert "lower it with certainty: empty" not in said


def test_a_gap_that_nothing_explains_is_not_explained(published):
    table = defects(default=(0.5, 0, 0, 0), mask_scale=(0.5, 0.0, -0.1, 0.1), all_but_unpooled=(0.4, 0.1, 0.05, 0.2))
    said = " ".join(gap_sentences(table, recall_table(published, {}), "alexnet_features_coco", 5))
    assert "with certainty" not in said
    assert "Published" not in said  # the original has no AlexNet to compare with
    assert "(but for unpooled inputs) leave 0.400" in said


def test_the_page_tells_all_tables(published, counted):
    recall = recall_table(published, {COCO: {"deep": scores()}})
    page = reproduction_sections(
        dataset_table(published, {"coco": counted}),
        recall,
        {"deep on mine": (COCO, defects(default=(0.5, 0, 0, 0), mask_scale=(0.2, 0.3, 0.2, 0.4)))},
    )
    text = as_text("Title", page)
    for said in ("117k", "897k", "not run here", "0.500 [0.400, 0.600]", "0.675", "Filterscope (deep): constant words"):
        assert said in text
    assert "mask scale" in as_html("Title", page)
    assert "nan" not in text.lower().replace("explain", "")


def test_the_figure_draws_every_published_and_measured_value(published):
    table = tables.checked(recall_table(published, {COCO: {"deep": scores()}}), "reproduced_recall").to_pandas()
    figure = recall_dots(table)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert len(panels) == 4
    drawn = panels["ResNet-18 layer4, COCO"]
    heights = sorted(round(float(y), 3) for line in drawn.lines for y in line.get_ydata())
    assert heights == sorted([0.675, 0.728, 0.776, 0.448, 0.477, 0.497, 0.5, 0.3])
    assert not drawn.texts
    assert [text.get_text() for text in panels["AlexNet features, COCO"].texts] == ["not run here"]
