"""score_words: scores fall when labels are spoilt, and those that cannot notice do not pass."""

import pandas as pd
import pytest

from filterscope import tables

NOTICING = ("iou", "f1", "auprc", "correlation")


def spoilt(study, folder, **changed):
    study.score(**{"written": study.scored_at(folder), "split": "all", **changed})
    return tables.read(folder / "sanity.parquet", "sanity").to_pandas().set_index(["test", "metric"])


@pytest.fixture
def right(study, tmp_path):
    """Words by filter of which the two colour filters' alone are claimed."""
    votes = study.table("words_by_filter", "filter_votes")
    votes["claim"] &= votes["filter"].isin([0, 1])
    tables.write(votes, "filter_votes", tmp_path / "votes.parquet")
    return {"words": tmp_path / "votes.parquet", "shuffled_labels": study.shuffled_labels_by_filter}


@pytest.mark.parametrize("test", ["missing_labels", "extra_labels"])
def test_scores_notice_spoilt_labels(study, tmp_path, right, test):
    table = spoilt(study, tmp_path, paths_to_votes=right)
    for metric in NOTICING:
        row = table.loc[(test, metric)]
        assert row["passed"], metric
        assert row["n"] == 2
        assert row["spoilt"] < 0.95 * row["value"]
    blind = {"missing_labels": "pixel_recall", "extra_labels": "pixel_precision"}[test]
    assert table.loc[(test, blind), "spoilt"] > 0.8 * table.loc[(test, blind), "value"]


def test_true_values_are_those_of_the_claims(study, tmp_path, right):
    table = spoilt(study, tmp_path, paths_to_votes=right, split="val")
    claims = study.table("filter_claims").set_index("filter").loc[[0, 1]]
    for metric in NOTICING:
        assert table.loc[("missing_labels", metric), "value"] == pytest.approx(claims[metric].mean(), abs=1e-9)


def test_same_bytes_every_time(study, tmp_path):
    spoilt(study, tmp_path, split="val")
    assert (tmp_path / "sanity.parquet").read_bytes() == study.sanity.read_bytes()
    assert len(pd.read_csv(tmp_path / "sanity.csv")) == 12
