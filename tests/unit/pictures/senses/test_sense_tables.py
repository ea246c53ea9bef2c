"""Rows, words and pictures of senses: what is told and what is not, chance, names, windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.activations.maps import KeptMaps
from filterscope.pictures.senses.codes import Codes, Strongest
from filterscope.pictures.senses.counting import CountSettings
from filterscope.pictures.senses.figures import mean_of_sense, title_of, window
from filterscope.pictures.senses.findings import OTHER, sense_names, told
from filterscope.pictures.senses.tables import (
    SenseError,
    chosen_filters,
    other_filters,
    sense_rows,
    sense_tables,
    shuffled,
)


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


@pytest.mark.parametrize(
    ("own", "others", "says"),
    [
        (
            "2222211111",
            "1111111111",
            "another filter fires, too, 5 have and by that one's attention 0 would (p 0.031)",
        ),
        (
            "2222111111",
            "1111111111",
            "4 have and by that one's attention 0 would (too few differ to tell chance)",
        ),
        ("2222211111", "1111122222", "5 would (p 0.62: no more than by chance)"),
        ("1111111111", "1111111112", "0 have and by that one's attention 1 would"),
        (
            "2222211111",
            "          ",
            "none of the other filters that were asked has one sense and fires in enough of their images",
        ),
    ],
)
def test_senses_that_others_find_as_often_are_said_to_be_no_more_than_chance(own, others, says):
    status = ["several" if each == "2" else "one" for each in own]
    known = {
        "status": status,
        "null_senses": 1,
        "shared_senses": list(map(int, own)),
        "other_senses": [int(each) if each != " " else None for each in others],
    }
    assert told(pd.DataFrame(known)).endswith(says)


class Kept(KeptMaps):
    """Maps [n, d, h, w] of images 0 to n - 1."""

    def __init__(self, maps):
        self.maps = torch.from_numpy(maps)
        _, self.filters, self.height, self.width = maps.shape

    def close(self):
        pass

    def hold(self, image_ids):
        return True

    def of(self, image_ids, device="cpu"):
        return self.maps[list(image_ids)]


def test_senses_of_the_images_alone_are_found_by_any_filter_s_attention():
    """Half of the images are full of one kind of places, half of the other; the filters fire anywhere. Filters 0 to 3
    have images of both kinds, and so two groups, though they look for neither."""
    chance = np.random.default_rng(0)
    maps = chance.random((80, 24, 3, 3), np.float32)
    maps[:40, :6] += 4
    maps[40:, 6:12] += 4
    both, first = np.r_[0:20, 40:60], np.arange(40)
    ids = np.stack([both] * 4 + [first] * 4)
    strongest = Strongest(np.arange(8), ids, np.ones(ids.shape))
    senses, _ = sense_tables(
        strongest, Kept(chance.random((80, 8, 3, 3), np.float32)), Kept(maps), 24, CountSettings(), 0
    )
    assert senses["senses"].tolist() == [2] * 4 + [1] * 4
    assert senses["shared_senses"].tolist() == senses["other_senses"].tolist() == [2] * 4 + [1] * 4
    assert senses["other_filter"][:4].between(4, 7).all()
    assert "4 have and by that one's attention 4 would (too few differ to tell chance)" in told(senses)


def test_groups_of_images_by_which_the_other_filter_is_silent_count_for_no_filter():
    """As above, but the filters with one sense fire in images of one kind alone. In further images nothing is."""
    chance = np.random.default_rng(0)
    maps = chance.random((160, 24, 3, 3), np.float32)
    maps[:40, :6] += 4
    maps[40:80, 6:12] += 4
    fired = chance.random((160, 14, 3, 3), np.float32)
    fired[40:80, 8:] = 0
    ids = np.stack([np.arange(80)] * 12 + [np.arange(80, 160)] * 2)
    senses, _ = sense_tables(
        Strongest(np.arange(14), ids, np.ones(ids.shape)), Kept(fired), Kept(maps), 24, CountSettings(), 0
    )
    assert senses["senses"].tolist() == [2] * 8 + [1] * 4 + [1, 1]
    compared = senses[:8]
    assert compared["shared_images"].eq(40).all()
    assert compared["shared_senses"].eq(1).all()
    assert "another filter fires, too, 0 have and by that one's attention 0 would" in told(senses)
    assert compared["other_filter"].value_counts().le(3).all(), "none stands for many while others are left"


def test_other_filters_have_one_sense_and_fire_in_enough_of_the_images():
    senses = pd.DataFrame({"status": ["several", "one", "one", "untold", "one"]})
    images = np.array([10, 20, 30])
    strongest = Strongest(np.array([3, 5, 6, 7, 8]), np.tile(images[::-1], (5, 1)), np.ones((5, 3)))
    fires = np.zeros((3, 9), bool)
    fires[:, 5] = True
    fires[:2, 6] = True
    drawn = np.stack([other_filters(senses, strongest, fires, images, 2, seed) for seed in range(20)])
    assert [set(each) for each in drawn.T.tolist()] == [{5, 6}, {6}, {5}, {-1}, {5, 6}]
    assert all(abs((each == 5).sum() - (each == 6).sum()) <= 2 for each in drawn)
    assert other_filters(senses, strongest, fires, images, 3, 0).tolist() == [5, -1, 5, -1, 5]


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
    tables.write(pd.DataFrame(rows).assign(**dict.fromkeys(OTHER)), "senses", tmp_path / "senses.parquet")
    senses = tables.read(tmp_path / "senses.parquet", "senses").to_pandas()
    assert senses["senses"].isna().tolist() == [False, True]
    title = title_of(next(senses.itertuples()))
    assert title.startswith("filter 5: 2 senses (strength ")
    senses["senses"] = 1.0
    assert title_of(next(senses.itertuples())).startswith("filter 5: one sense (strength ")
