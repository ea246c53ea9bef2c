"""tabulate_defects: the defaults, each defect alone and all of them, on the same data."""

from dataclasses import replace

import pandas as pd
import pytest

from filterscope import tables
from filterscope.faithful import Faithful
from filterscope.words.defects import read_measured
from filterscope.words.in_memory_run import ProbeTrials
from words.scoring.tabulate_defects import tabulate_defects


def tabulated(study, folder, largest=5000, boxes=True, overlap=0.04, tables_follow=True, **shared):
    """shared: what a job is told that shares the variants with others."""
    training = replace(study.training, epochs=3)
    settings = replace(study.trial, training=training, scores=replace(study.scores, bootstrap=20, overlap=overlap))
    arguments = (study.pictures, settings, study.probe(), study.seed, largest, boxes)
    tabulate_defects(study.paths, folder / "defects.parquet", folder / "defects.csv", *arguments, **shared)
    if not tables_follow:
        return None
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


def test_jobs_that_share_the_variants_give_the_table_of_one(table, study, tmp_path):
    """Of which the second dies and is begun again alone."""
    shards = [tmp_path / f"{number}-of-3.json" for number in (1, 2, 3)]
    (whole := tmp_path / "whole").mkdir()
    for path in shards:
        tabulated(study, whole, tables_follow=False, scatteritem=path.stem, path_to_measured=path)
    assert not list(whole.iterdir())
    before = [path.read_bytes() for path in shards]
    shards[1].unlink()
    tabulated(study, whole, tables_follow=False, scatteritem="2-of-3", path_to_measured=shards[1])
    assert [path.read_bytes() for path in shards] == before
    assert sorted(map(str, tmp_path.glob("*.json"))) == sorted(map(str, shards))
    again = tabulated(study, whole, paths_to_measured=shards)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_a_job_beyond_the_variants_measures_nothing_and_changes_nothing(table, study, tmp_path):
    """Of 20 jobs five; that nothing is read is told by files that are not there."""
    every = table.groupby("switch", sort=False).groups
    shards = [tmp_path / f"{number}-of-20.json" for number in range(1, 21)]
    for path in shards[len(every) :]:
        arguments = (None, None, "nowhere", study.trial, study.probe(), study.seed, 5000, True)
        tabulate_defects({"images": "nowhere"}, *arguments, scatteritem=path.stem, path_to_measured=path)
    assert {path.read_text() for path in shards[len(every) :]} == {"{}"}
    for path, name in zip(shards, every, strict=False):
        path.write_text(f'{{"{name}": {{}}}}')
    assert list(read_measured(shards)) == list(every)


@pytest.mark.parametrize("killed_at", [1, 5])
def test_a_killed_job_ends_as_an_undisturbed_one_and_measures_no_variant_twice(
    table, study, tmp_path, monkeypatch, caplog, killed_at
):
    run, ran = ProbeTrials.run, []

    def killing(trials, settings, defects):
        if len(ran) == killed_at:
            raise KeyboardInterrupt
        ran.append(defects)
        return run(trials, settings, defects)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ProbeTrials, "run", killing)
        tabulated(study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".defects.json"]

    def counting(trials, settings, defects):
        ran.append(defects)
        return run(trials, settings, defects)

    with caplog.at_level("INFO", "filterscope"), monkeypatch.context() as patched:
        patched.setattr(ProbeTrials, "run", counting)
        again = tabulated(study, tmp_path)
    assert f"going on with {killed_at} variants from before" in caplog.text
    assert len(ran) == len(set(ran)) == table["switch"].nunique()
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["defects.csv", "defects.parquet"]


def test_what_was_measured_of_other_data_is_not_taken_up(study, tmp_path, monkeypatch, caplog):
    def once(trials, settings, defects):
        raise KeyboardInterrupt

    (tmp_path / ".defects.json").write_text('{"digest": "of another study", "found": {"default": {}}}')
    monkeypatch.setattr(ProbeTrials, "run", once)
    with caplog.at_level("INFO", "filterscope"), pytest.raises(KeyboardInterrupt):
        tabulated(study, tmp_path)
    assert ".defects.json belongs to other data or settings: everything is measured anew" in caplog.text
