"""Words of optimised pictures: whose they are, which pictures have none, and the null of shuffled claims."""

import numpy as np
import pandas as pd
import pytest

from filterscope import tables
from filterscope.pictures.picture_words import NO_PICTURE, SILENT, PicturePairs
from filterscope.words.explaining.explanation import Words

NAMES = np.array(["red", "blue", "disc", "crimson"])


@pytest.fixture
def pairs():
    """Pictures of filters 1, 2, 4 and 5 of six; filter 2 is dead, filter 5 silent in its picture."""
    rows = [(5, "p/5.png", -0.1, 64), (1, "p/1.png", 2.0, 64), (2, None, None, None), (4, "p/4.png", 0.5, 64)]
    table = pd.DataFrame(rows, columns=["filter", "path", "activation", "size"])
    return PicturePairs(table.assign(number=0, recipe="maco"), 6)


def test_every_picture_is_its_own_filters(pairs):
    images = pairs.images()
    assert images["path"].tolist() == ["p/1.png", "p/4.png"]
    for image_id, own in zip(images["image_id"], (1, 4), strict=True):
        filters, ranks = pairs.top.of(image_id)
        assert (filters.tolist(), ranks.tolist()) == ([own], [0])
    assert images["width"].tolist() == [64, 64]


def words(by_filter, count=3):
    rows = np.full((6, 1, count), -1)
    for number, own in by_filter.items():
        rows[number, 0, : len(own)] = [list(NAMES).index(word) for word in own]
    return Words(rows, np.zeros(rows.shape))


def test_claims_are_looked_for_among_the_first_words_only(pairs):
    said = words({1: ["crimson", "red"], 4: ["disc"]})
    among = words({1: ["red", "blue", "disc"], 4: ["disc", "red", "blue"]})
    table = pairs.table(said, among, NAMES, {1: "red", 2: "disc", 4: "blue", 5: "red"}, first=2)
    table = tables.checked(table, "picture_words").to_pandas().set_index("filter")
    assert table["words"].map(list).tolist() == [["crimson", "red"], [], ["disc"], []]
    assert table.loc[1, "categories"].tolist() == ["red", "blue"]
    assert table["found"].tolist() == [True, None, False, None]  # blue is the third word of filter 4
    assert table.loc[1, "null"] == 1  # blue, the other claim, is among the first two of filter 1, too
    assert table.loc[4, "null"] == 1  # red is
    assert table["note"].tolist() == ["", NO_PICTURE, "", SILENT]


def test_without_masks_there_are_words_but_no_verdicts(pairs):
    table = pairs.table(words({1: ["crimson"]}), words({1: ["red"]}), NAMES, {}, first=2)
    table = tables.checked(table, "picture_words").to_pandas()
    assert table[["claim", "found", "null"]].isna().all(axis=None)
    assert table["words"].map(len).max() == 1


def test_one_picture_has_no_null(pairs):
    table = pairs.table(words({1: ["red"]}), words({1: ["red"]}), NAMES, {1: "red"}, first=2).set_index("filter")
    assert table.loc[1, "found"]
    assert table.loc[1, "null"] is None
