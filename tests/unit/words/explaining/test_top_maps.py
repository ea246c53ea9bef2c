"""Kept maps are the maps, in bytes of the filter's largest maximum."""

import numpy as np
import pytest
import torch

from filterscope import tables
from filterscope.words.explaining.top_maps import SIDE, TopMaps


def kept(maps, maxima, ids):
    """The table of these maps [filters, p, h, w], each taken in with all filters of its rank."""
    top = TopMaps(maxima)
    for rank in range(maxima.shape[1]):
        heard = np.flatnonzero(maxima[:, rank] > 0)
        top.add(heard, np.full(len(heard), rank), torch.from_numpy(maps[heard, rank]))
    return tables.checked(top.table(ids), "heatmaps").to_pandas()


def test_small_maps_are_kept_as_they_are():
    maps = np.random.default_rng(0).normal(1, 2, (3, 2, 4, 5)).astype(np.float32)
    maps[:, 1] /= 3
    maxima = maps.max((2, 3)).astype(np.float64)
    maxima[2, 1] = 0.0  # a filter that stays silent in its second image
    table = kept(maps, maxima, np.array([[7, 8], [9, 7], [8, 9]]))
    assert table[["filter", "rank", "image_id"]].to_numpy().tolist() == [
        [0, 0, 7], [0, 1, 8], [1, 0, 9], [1, 1, 7], [2, 0, 8],
    ]  # fmt: skip
    for row in table.itertuples():
        own = maps[row.filter, row.rank]
        values = np.frombuffer(row.map, np.uint8).reshape(row.rows, row.columns)
        wanted = np.clip(own, 0, None) / maxima[row.filter, 0] * 255
        assert np.abs(values - wanted).max() <= 0.51
        assert (row.map_rows, row.map_columns) == (4, 5)
        assert own[row.peak_row, row.peak_column] == own.max()
    assert max(table["map"].iloc[0]) == 255


def test_large_maps_keep_the_largest_value_of_every_cell():
    maps = np.zeros((1, 1, 30, 56), np.float32)
    maps[0, 0, 29, 41] = 4.0
    table = kept(maps, np.array([[4.0]]), np.array([[1]]))
    (row,) = table.itertuples()
    values = np.frombuffer(row.map, np.uint8).reshape(SIDE, SIDE)
    assert (row.rows, row.columns, row.map_rows, row.map_columns) == (SIDE, SIDE, 30, 56)
    assert values[SIDE - 1, 41 * SIDE // 56] == 255
    assert (row.peak_row, row.peak_column) == (29, 41)


def test_no_map_at_all_is_an_empty_table():
    table = kept(np.zeros((2, 1, 3, 3), np.float32), np.zeros((2, 1)), np.zeros((2, 1), int))
    assert len(table) == 0


@pytest.mark.parametrize("shape", [(1, 1), (14, 14)])
def test_maps_of_any_size_have_as_many_bytes_as_cells(shape):
    table = kept(np.ones((2, 1, *shape), np.float32), np.ones((2, 1)), np.array([[1], [2]]))
    assert [len(each) for each in table["map"]] == [shape[0] * shape[1]] * 2
