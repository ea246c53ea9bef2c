"""check_scores (the rule): scores fall when labels are spoilt, and those that cannot notice do not pass."""

import pandas as pd
import pytest

from filterscope import tables

NOTICING = ("iou", "f1", "auprc", "correlation")


def spoilt(study, folder, **changed):
    arguments = {
        "path_to_claims": study.filter_claims,
        "path_to_table": folder / "sanity.parquet",
        "path_to_csv": folder / "sanity.csv",
        "split": "all",
    }
    study.check(**{**arguments, **changed})
    return tables.read(folder / "sanity.parquet", "sanity").to_pandas().set_index(["test", "metric"])


@pytest.fixture
def right(study, tmp_path):
    """The claims of the two colour filters alone."""
    claims = study.table("filter_claims")
    claims.loc[~claims["filter"].isin([0, 1]), "claim"] = None
    tables.write(claims.astype(object).where(claims.notna(), None), "filter_claims", tmp_path / "claims.parquet")
    return tmp_path / "claims.parquet"


@pytest.mark.parametrize("test", ["missing_labels", "extra_labels"])
def test_scores_notice_spoilt_labels(study, tmp_path, right, test):
    table = spoilt(study, tmp_path, path_to_claims=right)
    for metric in NOTICING:
        row = table.loc[(test, metric)]
        assert row["passed"], metric
        assert row["n"] == 2
        assert row["spoilt"] < 0.95 * row["value"]
    blind = {"missing_labels": "pixel_recall", "extra_labels": "pixel_precision"}[test]
    assert table.loc[(test, blind), "spoilt"] > 0.8 * table.loc[(test, blind), "value"]


def test_true_values_are_those_of_the_claims(study, tmp_path, right):
    table = spoilt(study, tmp_path, path_to_claims=right, split="val")
    claims = study.table("filter_claims").set_index("filter").loc[[0, 1]]
    for metric in NOTICING:
        column = {"auprc": "auprc", "iou": "iou", "f1": "f1", "correlation": "correlation"}[metric]
        assert table.loc[("missing_labels", metric), "value"] == pytest.approx(claims[column].mean(), abs=1e-5)


def test_same_bytes_every_time(study, tmp_path):
    spoilt(study, tmp_path)
    first = (tmp_path / "sanity.parquet").read_bytes()
    spoilt(study, tmp_path)
    assert (tmp_path / "sanity.parquet").read_bytes() == first
    assert len(pd.read_csv(tmp_path / "sanity.csv")) == 12
