"""tabulate_defects: the defaults, each defect alone and all of them, on the same data."""

from dataclasses import replace

import pandas as pd
import pytest

from filterscope import tables
from filterscope.faithful import Faithful
from words.scoring.tabulate_defects import tabulate_defects


def tabulated(study, folder, largest=5000, boxes=True, **changed):
    training = replace(study.training, epochs=3)
    settings = replace(study.trial, training=training, scores=replace(study.scores, bootstrap=20, **changed))
    arguments = (study.pictures, settings, study.probe(), study.seed, largest, boxes)
    tabulate_defects(study.paths, folder / "defects.parquet", folder / "defects.csv", *arguments)
    return tables.read(folder / "defects.parquet", "defects").to_pandas()


@pytest.fixture(scope="module")
def table(study, tmp_path_factory):
    return tabulated(study, tmp_path_factory.mktemp("defects"))


def test_every_switch_is_tried_alone_and_with_all(table):
    assert list(dict.fromkeys(table["switch"])) == ["default", *Faithful.names(), "all"]
    assert (table.groupby("switch").size() == 4).all()  # two candidates, two numbers of words


def test_the_cost_is_what_the_default_loses(table):
    own = table[table["switch"] == "default"].set_index(["candidates", "k"])["recall"]
    for row in table.dropna(subset="recall").itertuples():
        assert row.cost == pytest.approx(own[row.candidates, row.k] - row.recall)
    assert (table[table["switch"] == "default"]["cost"] == 0).all()
    assert (table[table["switch"] != "default"]["cost"] != 0).any()


def test_an_explainer_too_large_is_not_tried_and_that_is_said(study, tmp_path, caplog):
    with caplog.at_level("INFO", "filterscope"):
        table = tabulated(study, tmp_path, largest=1279)  # 5 filters x 16 x 16 cells = 1280 inputs
    assert "unpooled is not tried" in caplog.text
    untried = table[table["switch"] == "unpooled"]
    assert untried[["recall", "low", "high", "cost"]].isna().all(axis=None)
    assert (untried["n"] == 0).all()
    assert "all" not in set(table["switch"])
    assert table[table["switch"] == "all_but_unpooled"]["recall"].notna().all()


def test_a_defect_of_boxes_is_not_tried_where_there_are_none(table, study, tmp_path):
    assert "transposed_boxes" in set(table["switch"])
    assert "transposed_boxes" not in set(tabulated(study, tmp_path, boxes=False)["switch"])


def test_no_valid_pair_is_missing(study, tmp_path):
    table = tabulated(study, tmp_path, overlap=0.999)
    none = table[table["n"] == 0]
    assert len(none)
    assert none[["recall", "low", "high", "cost"]].isna().all(axis=None)
    assert len(pd.read_csv(tmp_path / "defects.csv")) == len(table)
