"""Kept maps are read as they were, and which are kept is decided by their size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.activations.maps import HeldMaps, MapsWriter, StoredMaps, kept_images, stored_maps

SHAPE = (5, 3, 4)


def maps(count, seed=0, share=0.4):
    chance = torch.Generator().manual_seed(seed)
    values = torch.randn(count, *SHAPE, generator=chance)
    return values * (torch.rand(values.shape, generator=chance) < share)


def write(path, ids, values, layer="layer1"):
    with MapsWriter(path, layer, SHAPE) as writer:
        for some in np.array_split(np.arange(len(ids)), max(1, len(ids) // 2)):
            writer.add(np.array(ids)[some], values[some])


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_maps_come_back_bit_by_bit_in_any_order(tmp_path, share):
    values = maps(7, share=share)
    values[2, 0, 0, 0] = -0.0
    write(tmp_path / "a.parquet", [3, 5, 8, 9], values[:4])
    write(tmp_path / "b.parquet", [11, 12, 20], values[4:])
    with StoredMaps([tmp_path / "a.parquet", tmp_path / "b.parquet"]) as stored:
        assert (stored.layer, stored.filters, stored.height, stored.width) == ("layer1", *SHAPE)
        order = [20, 3, 8, 11, 8]
        expected = values[[6, 0, 2, 4, 2]]
        found = stored.of(order)
    assert torch.equal(found.view(torch.int32), expected.contiguous().view(torch.int32))


def test_dense_and_sparse_pictures_of_a_batch_come_back_alike(tmp_path, monkeypatch):
    """Also where a batch is too large for one column, and is written in parts."""
    values = torch.cat([maps(2), maps(1, share=1.0), maps(2, seed=1), maps(1, share=0.0), maps(1, seed=2, share=1.0)])
    for name, largest in (("whole.parquet", 1 << 30), ("parts.parquet", 2 * values[0].nelement() * 4)):
        monkeypatch.setattr("filterscope.activations.maps.LARGEST", largest)
        with MapsWriter(tmp_path / name, "layer1", SHAPE) as writer:
            writer.add(np.arange(7), values)
        with StoredMaps([tmp_path / name]) as stored:
            assert torch.equal(stored.of([6, 2, 0, 5, 3]), values[[6, 2, 0, 5, 3]])


def test_maps_that_a_job_holds_for_itself_come_back_bit_by_bit(tmp_path):
    values = maps(5)
    values[1, 0, 0, 0] = -0.0
    with HeldMaps(tmp_path / "held", "layer1", SHAPE) as held:
        held.add(np.array([3, 9]), values[:2])
        held.add(np.array([4, 1, 7]), values[2:])
        assert held.hold([9, 7])
        assert not held.hold([9, 8])
        found = held.of([7, 9, 3, 9])
        held.add(np.array([8]), values[:1])  # also between two looks
        assert torch.equal(held.of([8]), values[:1])
    assert torch.equal(found.view(torch.int32), values[[4, 1, 0, 1]].view(torch.int32))
    assert (held.layer, held.filters, held.height, held.width) == ("layer1", *SHAPE)


def test_maps_that_are_cut_off_are_named(tmp_path):
    with HeldMaps(tmp_path / "held", "layer1", SHAPE) as held:
        held.add(np.array([3, 9]), maps(2))
        (tmp_path / "held").write_bytes((tmp_path / "held").read_bytes()[:-8])
        with pytest.raises(OSError, match="the maps of image 9 in layer layer1 are cut off"):
            held.of([3, 9])


def test_zeros_take_a_bit(tmp_path):
    """Of maps of which nine in ten cells are zero, as behind a ReLU."""
    size = (64, 16, 16)
    values = torch.rand(4, *size, generator=torch.Generator().manual_seed(0))
    for name, own in (("dense", values), ("sparse", values * (values > 0.9))):
        with MapsWriter(tmp_path / name, "x", size) as writer:
            writer.add(np.arange(4), own)
    dense, sparse = ((tmp_path / name).stat().st_size for name in ("dense", "sparse"))
    assert dense >= values.nelement() * 4
    assert sparse < 0.2 * dense


def test_a_shard_of_which_nothing_is_kept_has_a_table(tmp_path):
    write(tmp_path / "none.parquet", [], maps(0))
    write(tmp_path / "some.parquet", [4], maps(1))
    paths = [tmp_path / "none.parquet", tmp_path / "some.parquet"]
    assert stored_maps(paths, [4]).hold([4])
    assert stored_maps(paths, [4, 5]) is None
    assert stored_maps([], [4]) is None


def test_shards_of_different_layers_are_refused(tmp_path):
    write(tmp_path / "a.parquet", [1], maps(1))
    write(tmp_path / "b.parquet", [2], maps(1), layer="layer2")
    with pytest.raises(tables.TableError, match="the shards are of different layers"):
        StoredMaps([tmp_path / "a.parquet", tmp_path / "b.parquet"])


@pytest.mark.parametrize(
    ("gigabytes", "split", "kept"),
    [(1.0, "val", {0, 1, 2, 3}), (0.9, "val", {1, 3}), (0.9, "all", set()), (0.4, "val", set()), (0.0, "val", set())],
)
def test_all_images_are_kept_or_the_scored_ones_or_none(gigabytes, split, kept):
    images = pd.DataFrame({"image_id": range(4), "split": ["train", "val"] * 2})
    assert kept_images(images, split, 62_500_000, gigabytes) == kept
