"""Rows, words and pictures of senses: what is told and what is not, chance, names, windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from filterscope import tables
from filterscope.pictures.senses.codes import Codes, Strongest
from filterscope.pictures.senses.counting import CountSettings
from filterscope.pictures.senses.figures import mean_of_sense, title_of, window
from filterscope.pictures.senses.findings import sense_names, told
from filterscope.pictures.senses.tables import SenseError, chosen_filters, sense_rows, shuffled


def test_filters_of_an_entry():
    assert chosen_filters("all", 3, "conv").tolist() == [0, 1, 2]
    assert chosen_filters([2, 0], 3, "conv").tolist() == [2, 0]
    with pytest.raises(SenseError, match="filter 3 is not in layer conv: its filters are 0 to 2"):
        chosen_filters([1, 3], 3, "conv")


def test_shuffled_codes_keep_what_every_filter_does():
    codes = np.random.default_rng(0).standard_normal((30, 4))
    found = shuffled(codes, 1)
    assert not np.array_equal(found, codes)
    assert np.array_equal(np.sort(found, axis=0), np.sort(codes, axis=0))


def rows_of(values, fired=None):
    count = len(values)
    strongest = Strongest(np.array([5]), np.arange(count)[None], np.linspace(2, 1, count)[None])
    fired = np.ones(count, bool) if fired is None else fired
    codes = Codes(values[None], fired[None], np.full((1, count, 2), 0.5))
    rows, frames = sense_rows(strongest, codes, [0], 10, CountSettings())
    return rows[0], frames


def test_rows_of_a_filter_with_two_senses():
    values = np.random.default_rng(0).standard_normal((30, 20))
    values[:18, :3] += 8
    values[18:, 3:6] += 8
    row, (members,) = rows_of(values)
    assert (row["filter"], row["images"], row["status"], row["senses"], row["note"]) == (5, 30, "several", 2, "")
    assert members[members["sense"] == 0]["image_id"].max() < 18
    assert row["null_senses"] == 1
    assert members.groupby("sense")["rank"].max().tolist() == [17, 11]


@pytest.mark.parametrize(
    ("values", "fired", "said"),
    [
        (np.ones((30, 4)), None, "its 30 images have 1 different codes: are they copies of one picture?"),
        (-np.random.default_rng(0).random((30, 4)), None, "nothing else fires above the background where it does"),
        (np.ones((30, 4)), np.arange(30) < 9, "it fires in 9 of its images, fewer than the 10 that are needed"),
    ],
)
def test_rows_that_tell_nothing_say_why(values, fired, said):
    row, frames = rows_of(values, fired)
    assert (row["status"], row["note"], row["senses"], row["null_senses"]) == ("untold", said, None, None)
    assert frames == []


def test_what_is_told_of_a_layer():
    senses = pd.DataFrame({"status": ["several", "one", "untold"], "null_senses": [1, 2, None]})
    said = told(senses)
    assert said.startswith("1 of 2 filters have more than one sense; of codes shuffled among the same images 1 of 2")
    assert said.endswith("of 1 it cannot be told")


def test_names_are_of_words_that_tell_apart():
    words = pd.DataFrame(
        {
            "filter": [0, 0, 0, 1, 1],
            "sense": [0, 0, 1, 0, 0],
            "rank": [0, 1, 0, 1, 0],
            "word": ["red", "warm", "blue", "second", "first"],
            "p": [0.01, 0.2, 0.3, None, None],
        }
    )
    found = sense_names(words, 2, 0.05)
    assert found == {(0, 0): "red", (0, 1): "no word tells it apart (blue: p 0.30)", (1, 0): "first, second"}


def test_windows_lie_inside_and_are_as_large_as_the_view():
    view = np.zeros((40, 40, 3), np.uint8)
    view[:10, 30:] = 200
    assert window(view, 0.5, 0.5, 1.0) is view
    corner = window(view, 0.0, 1.0, 0.25)
    assert corner.shape == view.shape
    assert (corner == 200).all()
    assert window(view, 1.0, 0.0, 0.25).max() == 0
    rows = pd.DataFrame({"peak_row": [0.0, 1.0], "peak_column": [1.0, 0.0]})
    mean = mean_of_sense(rows, lambda row: window(view, row.peak_row, row.peak_column, 0.25))
    assert (mean == 100).all()


def test_titles_count_senses_beside_a_filter_that_is_untold(tmp_path):
    """Where one number is missing, pandas reads the whole column as real numbers."""
    settings = CountSettings()
    codes = np.random.default_rng(0).standard_normal((2, 30, 20))
    codes[0, :18, :3] += 8
    codes[0, 18:, 3:6] += 8
    fired = np.ones((2, 30), bool)
    fired[1, 5:] = False
    images, maxima = np.tile(np.arange(30), (2, 1)), np.ones((2, 30))
    strongest, found = Strongest(np.array([5, 7]), images, maxima), Codes(codes, fired, np.full((2, 30, 2), 0.5))
    rows, _ = sense_rows(strongest, found, [0, 0], 10, settings)
    tables.write(pd.DataFrame(rows), "senses", tmp_path / "senses.parquet")
    senses = tables.read(tmp_path / "senses.parquet", "senses").to_pandas()
    assert senses["senses"].isna().tolist() == [False, True]
    title = title_of(next(senses.itertuples()))
    assert title.startswith("filter 5: 2 senses (strength ")
    senses["senses"] = 1.0
    assert title_of(next(senses.itertuples())).startswith("filter 5: one sense (strength ")
