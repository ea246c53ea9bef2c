"""tabulate_datasets, tabulate_recall, render_recall and summarise_reproduction, from one study's tables to the page."""

import pandas as pd
import pytest
from PIL import Image

from filterscope import tables
from report.render_recall import render_recall
from report.summarise_reproduction import summarise_reproduction
from report.tabulate_datasets import tabulate_datasets
from report.tabulate_recall import tabulate_recall
from words.scoring.tabulate_defects import tabulate_defects

EXPERIMENT = "alexnet_features_coco"


@pytest.fixture(scope="module")
def folder(study, repository, tmp_path_factory):
    """What the four rules make of the study, taken for an experiment of the papers."""
    folder = tmp_path_factory.mktemp("reproduction")
    published = repository / "studies/published.csv"
    own = {name: getattr(study, name) for name in ("images", "annotations", "categories")}
    tabulate_datasets(
        published,
        {"coco": {"name": "tiny", **own}},
        folder / "datasets.parquet",
        folder / "datasets.csv",
    )
    scores = tables.read(study.folder / "scores.parquet", "scores").to_pandas()
    scores["k"] = scores["k"].replace(dict(zip(study.scores.recall_at, (5, 10), strict=True)))  # as published
    tables.write(scores.astype(object).where(scores.notna(), None), "scores", folder / "scores.parquet")
    recall = {EXPERIMENT: {"deep": folder / "scores.parquet"}}
    tabulate_recall(published, recall, folder / "recall.parquet", folder / "recall.csv")
    defects = (folder / "defects.parquet", folder / "defects.csv")
    tabulate_defects(study.paths, *defects, study.pictures, study.trial, study.probe(), study.seed, 1)
    render_recall(folder / "recall.parquet", folder / "recall.png")
    summarise_reproduction(
        folder / "datasets.parquet",
        folder / "recall.parquet",
        {"deep on tiny": (EXPERIMENT, folder / "defects.parquet")},
        folder / "summary.md",
        folder / "summary.html",
        "Tiny",
    )
    return folder


def test_datasets_are_the_study_s(folder, study):
    table = tables.read(folder / "datasets.parquet", "reproduced_datasets").to_pandas()
    own = table[(table["experiment"] == "coco") & (table["source"] == "Filterscope")].set_index(["quantity", "at"])
    annotations = study.table("annotations")
    assert own.loc[("annotations", "total"), "value"] == len(annotations)
    assert own.loc[("images", "total"), "value"] == annotations["image_id"].nunique()
    assert set(own["status"]) == {"tiny"}
    csv = pd.read_csv(folder / "datasets.csv", keep_default_na=False)
    assert csv["printed"].tolist() == table["printed"].tolist()


def test_recall_is_that_of_the_scores(folder):
    table = tables.read(folder / "recall.parquet", "reproduced_recall").to_pandas()
    scores = (
        tables.read(folder / "scores.parquet", "scores").to_pandas().set_index(["metric", "candidates", "k", "row"])
    )
    own = table[(table["probe"] == "deep") & (table["status"] == "measured")]
    assert set(own["k"]) == {5, 10}
    assert {"words", "random_network", "constant_words"} <= set(own["row"])
    for line in own.itertuples():
        expected = scores.loc[("recall", "vocabulary", line.k, line.row)]
        assert (line.value, line.low, line.high) == tuple(expected[["value", "low", "high"]])


def test_the_page_and_the_figure_show_it(folder):
    text = (folder / "summary.md").read_text()
    assert "tokens of the categories" in text
    assert "Filterscope (deep)" in text
    assert "0.551" in text
    assert "without any of the reference's defects" in text
    assert "<table" in (folder / "summary.html").read_text()
    assert Image.open(folder / "recall.png").size[0] > 800
