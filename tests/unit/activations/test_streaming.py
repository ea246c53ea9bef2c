"""Pictures and masks of a dataset come batch by batch, all of them once, whatever is wrong with some."""

import multiprocessing
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

from filterscope.activations.streaming import Annotations, MaskGrid, PictureDataset, shard, stream, whole_batches
from filterscope.data.geometry import Geometry

SIDE = 32


def encoded(mask):
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]


@pytest.fixture
def world(tmp_path):
    """Six pictures; picture i has i % 3 objects, the k-th of them a square of 8 px in column k."""
    rows, objects = [], []
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        split = "train" if number < 4 else "val"
        rows.append((10 + number, split, f"{number}.png", SIDE, SIDE, False))
        for place in range(number % 3):
            mask = np.zeros((SIDE, SIDE))
            mask[:8, 8 * place : 8 * place + 8] = 1
            objects.append((100 * place + number, 10 + number, encoded(mask)))
    images = pd.DataFrame(rows, columns=["image_id", "split", "path", "width", "height", "turned"])
    annotations = pa.table(dict(zip(["annotation_id", "image_id", "mask"], zip(*objects, strict=True), strict=True)))
    return tmp_path, images, annotations


def opened(world, grids=MaskGrid(), **settings):
    folder, images, annotations = world
    ordered = Annotations(annotations, images["image_id"].to_numpy())
    return PictureDataset(folder, images, ordered, Geometry(SIDE, SIDE), grids, **settings)


def refuse(image_id, reason):
    raise AssertionError(f"{image_id}: {reason}")


@pytest.mark.parametrize(
    ("decoded", "workers", "small", "begun"),
    [
        (True, 1, SIDE * SIDE - 1, 1),
        (True, 1, SIDE * SIDE, 0),
        (True, 2, SIDE * SIDE, 2),
        (False, 1, 0, 0),
        (False, 2, 0, 2),
    ],
)
def test_masks_alone_and_small_pictures_begin_processes_only_where_there_are_several_threads(
    world, monkeypatch, decoded, workers, small, begun
):
    asked = []
    monkeypatch.setattr("filterscope.activations.streaming.SMALL", small)
    monkeypatch.setattr(
        "filterscope.activations.streaming.DataLoader",
        lambda pictures, num_workers, **settings: asked.append(num_workers) or iter(()),
    )
    pictures = opened(world, MaskGrid(sampled=((SIDE, SIDE),)), decoded=decoded)
    assert list(stream(pictures, 4, workers, refuse)) == []
    assert asked == [begun]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_picture_comes_once_in_order(world, workers):
    pictures = opened(world)
    batches = list(stream(pictures, 4, workers, refuse))
    assert [len(batch.looks) for batch in batches] == [4, 2]
    assert np.concatenate([batch.image_ids for batch in batches]).tolist() == list(range(10, 16))
    seen = torch.cat([batch.pictures(torch.device("cpu")) for batch in batches])
    for number in range(6):
        original = np.asarray(Image.open(world[0] / f"{number}.png"))
        np.testing.assert_array_equal(seen[number].permute(1, 2, 0), original)


class Stuck(PictureDataset):
    """Pictures that are never decoded."""

    def __getitem__(self, index):
        time.sleep(600)


def read_for_ever(world, sender):
    folder, images, annotations = world
    ordered = Annotations(annotations, images["image_id"].to_numpy())
    pictures = Stuck(folder, images, ordered, Geometry(SIDE, SIDE), MaskGrid())
    batches = stream(pictures, 2, 2, refuse)
    threading.Timer(1.0, lambda: sender.send([child.pid for child in psutil.Process().children()])).start()
    next(batches)


def test_decoding_processes_of_a_killed_job_end_with_it(world):
    """They were found 50 minutes later, half a GB each, waiting for what the job no longer gave."""
    receiver, sender = multiprocessing.Pipe()
    reader = multiprocessing.get_context("fork").Process(target=read_for_ever, args=(world, sender))
    reader.start()
    assert receiver.poll(60)
    decoding = [psutil.Process(pid) for pid in receiver.recv()]
    assert len(decoding) == 2
    reader.kill()
    reader.join()
    _, alive = psutil.wait_procs(decoding, timeout=20)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def test_masks_come_with_the_annotations_they_belong_to(world):
    grids = MaskGrid(sampled=((SIDE, SIDE), (4, 4)), covered=((4, 4),))
    pictures = opened(world, grids)
    table = pictures.annotations.table
    for index in range(len(pictures)):
        look = pictures[index]
        assert len(look.annotations) == index % 3
        for place, position in enumerate(look.annotations):
            row = table.slice(int(position), 1).to_pylist()[0]
            assert row == {**row, "annotation_id": 100 * place + index, "image_id": look.image_id}
            expected = np.zeros((SIDE, SIDE), bool)
            expected[:8, 8 * place : 8 * place + 8] = True
            np.testing.assert_array_equal(look.masks["sampled", (SIDE, SIDE)][place], expected)
            cells = np.zeros((4, 4))
            cells[0, place] = 1
            np.testing.assert_array_equal(look.masks["covered", (4, 4)][place], cells)
            np.testing.assert_array_equal(look.masks["sampled", (4, 4)][place], cells > 0)


def test_without_annotations_there_are_no_masks(world):
    folder, images, _ = world
    pictures = opened((folder, images, None), MaskGrid(covered=((4, 4),)))
    assert pictures[1].masks["covered", (4, 4)].shape == (0, 4, 4)


@pytest.mark.parametrize("workers", [0, 2])
def test_what_cannot_be_read_goes_to_reject_and_the_rest_goes_on(world, workers):
    folder = world[0]
    (folder / "0.png").write_bytes((folder / "0.png").read_bytes()[:200])
    (folder / "2.png").unlink()
    Image.new("RGB", (SIDE, SIDE + 1)).save(folder / "3.png")
    rejected = {}
    batches = list(stream(opened(world), 2, workers, rejected.__setitem__))
    assert np.concatenate([batch.image_ids for batch in batches]).tolist() == [11, 14, 15]
    assert list(rejected) == [10, 12, 13]
    assert "0.png" in rejected[10]
    assert "missing" in rejected[12]
    assert rejected[13] == "3.png: is 32 x 33 px, the images table says 32 x 32 px"


def test_a_batch_without_a_readable_picture_is_no_batch(world):
    for number in range(2):
        (world[0] / f"{number}.png").write_bytes(b"no picture")
    assert [len(batch.looks) for batch in stream(opened(world), 2, 0, lambda *_: None)] == [2, 2]


def test_random_crops_change_training_pictures_only_and_never_masks(world):
    grids = MaskGrid(sampled=((SIDE, SIDE),))
    folder, images, annotations = world
    ordered = Annotations(annotations, images["image_id"].to_numpy())
    plain, first, again, other = (
        PictureDataset(folder, images, ordered, Geometry(48, SIDE), grids, random_crops=seed)
        for seed in (None, 5, 5, 6)
    )
    moved = [not torch.equal(plain[index].picture, first[index].picture) for index in range(6)]
    assert moved == [True] * 4 + [False] * 2
    assert all(torch.equal(first[index].picture, again[index].picture) for index in range(6))
    assert any(not torch.equal(first[index].picture, other[index].picture) for index in range(6))
    for index in range(6):
        for key, masks in plain[index].masks.items():
            np.testing.assert_array_equal(masks, first[index].masks[key])


def test_transposed_masks_are_right_in_squares_only():
    """The reference allocates (width, height) and fills [y, x]: what lies beyond the shorter side is lost."""
    size, box = np.array([20, 40]), np.zeros((20, 40), np.uint8)
    box[5:15, 10:30] = 1
    runs = [coco_mask.encode(np.asfortranarray(box))["counts"]]
    whole = PictureDataset.__new__(PictureDataset)
    whole.geometry, whole.grids = Geometry(20, 20), MaskGrid(sampled=((20, 20),), transposed=True)
    (wrong,) = whole._masks(runs, size).values()
    expected = np.zeros((40, 20), bool)
    expected[5:15, 10:20] = True  # columns from 20 on do not exist, and the picture is now upright
    assert np.array_equal(wrong[0], expected[10:30])  # its middle
    square = box[:, :20]
    runs = [coco_mask.encode(np.asfortranarray(square))["counts"]]
    (same,) = whole._masks(runs, np.array([20, 20])).values()
    assert np.array_equal(same[0], square.astype(bool))


@given(st.integers(0, 50), st.integers(1, 9))
def test_shards_cover_all_images_once_in_order(more, total):
    n = total + more
    images = pd.DataFrame({"image_id": np.arange(n) * 3})
    parts = [shard(images, f"{number}-of-{total}") for number in range(1, total + 1)]
    assert pd.concat(parts)["image_id"].tolist() == images["image_id"].tolist()
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 8))
def test_shards_have_whole_batches_where_there_are_enough(n, total, size):
    images = pd.DataFrame({"image_id": np.arange(n) * 3})
    places = [f"{number}-of-{total}" for number in range(1, total + 1)]
    parts = [whole_batches(images, place, size) for place in places]
    assert pd.concat(parts)["image_id"].tolist() == images["image_id"].tolist()
    assert all(part["image_id"].iloc[0] % (3 * size) == 0 for part in parts if len(part))
    if total > n:
        return
    asked = [shard(images, place, size) for place in places]
    assert pd.concat(asked)["image_id"].tolist() == images["image_id"].tolist()
    assert all(map(len, asked))
    if -(-n // size) >= total:
        assert [len(each) for each in asked] == [len(part) for part in parts]


@pytest.mark.parametrize("item", ["0-of-3", "4-of-3", "2", "2-of-"])
def test_impossible_shards_are_refused(item):
    with pytest.raises(ValueError, match="2-of-8"):
        shard(pd.DataFrame({"image_id": range(9)}), item)


def test_more_shards_than_images_are_refused():
    with pytest.raises(ValueError, match="shards is 4, more than the 3 images"):
        shard(pd.DataFrame({"image_id": range(3)}), "1-of-4")
