"""tabulate_scores: every value with its interval, and by how much the words beat each row."""

import numpy as np
import pandas as pd
import pytest

from filterscope import tables
from words.scoring.tabulate_scores import tabulate_scores

NAMES = {"probe": "p", "dataset": "d", "vocabulary": "v"}
KEYS = ["metric", "candidates", "k", "row"]


def tabulated(folder, *frames, confidence=0.9):
    paths = []
    for number, frame in enumerate(frames):
        paths.append(folder / f"{number}.parquet")
        tables.write(tables.measurements(pd.DataFrame(frame)), "measurements", paths[-1])
    tabulate_scores(paths, folder / "scores.parquet", folder / "scores.csv", confidence, NAMES)
    return tables.read(folder / "scores.parquet", "scores").to_pandas()


def line(row, n, values, metric="recall", k=5):
    return {"row": row, "metric": metric, "candidates": "vocabulary", "k": k, "n": n, "resamples": np.float32(values)}


def test_rows_of_all_files_stand_together(study):
    table = tables.read(study.folder / "scores.parquet", "scores").to_pandas()
    ceiling = table["row"] == "ceiling"  # of five metrics of claims, once: not the random network's
    assert len(table[ceiling]) == 5
    table = table[~ceiling]
    assert set(table["row"]) == {
        *("words", "shuffled_labels", "constant_words", "shuffled_filters", "dissection", "random_network"),
    }
    assert len(table) == 6 * 9
    assert set(map(tuple, table[list(NAMES)].to_numpy())) == {("p", "d", "v")}
    assert ((table["low"] <= table["value"] + 1e-6) & (table["value"] <= table["high"] + 1e-6)).mean() > 0.9
    own = table[table["row"] == "words"]
    assert own[["margin", "margin_low", "margin_high"]].isna().all(axis=None)
    rest = table[table["row"] != "words"].set_index(KEYS)
    for index, row in rest.iterrows():
        expected = own.set_index(KEYS[:3]).loc[index[:3], "value"] - row["value"]
        assert row["margin"] == pytest.approx(expected, abs=1e-6)
    csv = pd.read_csv(study.folder / "scores.csv")
    np.testing.assert_allclose(csv.loc[~ceiling, "value"], table["value"], rtol=1e-6)


def test_values_and_intervals(tmp_path):
    values = np.concatenate([[0.5], np.linspace(0, 1, 101)])
    table = tabulated(tmp_path, [line("words", 7, values), line("null", 7, values / 2)])
    own = table[table["row"] == "words"].iloc[0]
    assert (own["value"], own["low"], own["high"], own["n"]) == pytest.approx((0.5, 0.05, 0.95, 7))
    null = table[table["row"] == "null"].iloc[0]
    assert (null["margin"], null["margin_low"], null["margin_high"]) == pytest.approx((0.25, 0.025, 0.475))


@pytest.mark.parametrize("nothing", [("words",), ("null",), ("words", "null")])
def test_what_could_not_be_measured_is_missing_not_zero(tmp_path, nothing, caplog):
    rows = [line(row, 0 if row in nothing else 3, [0.0, 0.1, 0.2]) for row in ("words", "null")]
    with caplog.at_level("INFO", "filterscope"):
        table = tabulated(tmp_path, rows).set_index("row")
    for row in ("words", "null"):
        assert pd.isna(table.loc[row, "value"]) == (row in nothing)
    assert pd.isna(table.loc["null", "margin"])
    csv = (tmp_path / "scores.csv").read_text().splitlines()
    for row in nothing:
        assert next(each for each in csv if f'"{row}"' in each).split(",")[7:10] == ["", "", ""]
    warned = [record for record in caplog.records if record.levelname == "WARNING"]
    assert bool(warned) == ("words" in nothing)
