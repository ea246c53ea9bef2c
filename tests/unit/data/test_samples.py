"""Labelled samples are whole, of one shape, and every class is there; what was written is what is read."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope import tables
from filterscope.data.samples import (
    Samples,
    SamplesError,
    joined,
    numbered,
    read_samples,
    split_off,
    stratified,
    write_samples,
)

CLASSES = ("cat", "dog", "eel")


def pictures(**changes) -> Samples:
    """Nine pictures of 2 x 3 px, three a class; the last of each is for testing."""
    values = np.arange(9 * 6, dtype=np.uint8).reshape(9, 1, 2, 3)
    split = np.array(["train", "train", "test"] * 3)
    return Samples(
        **{"values": values, "labels": np.repeat(np.arange(3), 3), "classes": CLASSES, "split": split, **changes}
    )


def test_parts_and_views():
    samples = pictures()
    test = samples.part("test")
    assert test.labels.tolist() == [0, 1, 2]
    assert test.flat().tolist() == [[float(value) for value in range(row * 6, row * 6 + 6)] for row in (2, 5, 8)]
    assert samples.shape == (1, 2, 3)
    assert samples.images().dtype == np.float32
    assert samples.images()[8, 0, 1, 2] == np.float32(53) / np.float32(255)


def test_vectors_are_no_pictures():
    vectors = pictures(values=np.ones((9, 4), np.float32))
    assert vectors.flat().shape == (9, 4)
    with pytest.raises(SamplesError, match="vectors of 4 values; this needs pictures"):
        vectors.images()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"values": np.ones((9, 2, 3), np.float32)}, r"float32 \[9, 2, 3\], should be uint8 or float32, \[N, d\] or"),
        ({"values": np.ones((9, 2))}, r"float64 \[9, 2\], should be"),
        ({"values": np.ones((8, 2), np.float32)}, "8 samples, 9 labels and 9 splits"),
        ({"values": np.full((9, 2), np.nan, np.float32)}, "sample 0 has NaN or infinite"),
        ({"values": np.array([[0], [np.inf], *[[1]] * 7], np.float32)}, "sample 1 has NaN or infinite"),
        ({"split": np.array(["train"] * 8 + ["val"])}, "split is 'val' for some samples"),
        ({"labels": np.zeros(9, np.int64), "classes": ("cat",)}, "only one class, 'cat'"),
        ({"labels": np.repeat([0, 2, 2], 3)}, r"no sample has label 1 \(dog\); labels must be 0, 1, 2"),
        ({"labels": np.repeat([0, 1, 3], 3)}, "labels go from 0 to 3, should be from 0 to 2"),
        ({"labels": np.repeat([0, 1, -1], 3)}, "labels go from -1 to 1"),
        ({"labels": np.repeat([0.0, 1.0, 2.0], 3)}, "labels are float64"),
        ({"classes": ("cat", "dog", "cat")}, "a name comes twice"),
    ],
)
def test_what_is_refused(changes, said):
    with pytest.raises(SamplesError, match=said):
        pictures(**changes)


def test_a_split_needs_two_classes():
    with pytest.raises(SamplesError, match="the test split has only the class 'cat'; two are needed"):
        pictures(split=np.array(["test", *["train"] * 8])).part("test")
    with pytest.raises(SamplesError, match="the test split has no samples"):
        pictures(split=np.array(["train"] * 9)).part("test")


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_what_was_written_is_read(tmp_path, kind):
    samples = pictures(values=np.random.default_rng(0).integers(0, 256, (9, 3, 4, 5)).astype(kind))
    write_samples(samples, tmp_path / "a.parquet")
    write_samples(samples, tmp_path / "b.parquet")
    found = read_samples(tmp_path / "a.parquet")
    for field in ("values", "labels", "split"):
        expected = getattr(samples, field)
        assert np.array_equal(getattr(found, field), expected), field
        assert getattr(found, field).dtype == expected.dtype, field
    assert found.classes == CLASSES
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet")["class"].to_pylist()[:4] == ["cat", "cat", "cat", "dog"]


def test_a_table_without_shape_and_classes_is_refused(tmp_path):
    write_samples(pictures(), tmp_path / "samples.parquet")
    table = pq.read_table(tmp_path / "samples.parquet")
    pq.write_table(table.replace_schema_metadata({"shape": "[1]"}), tmp_path / "bare.parquet")
    with pytest.raises(tables.TableError, match=r"metadata lack \['classes'\]; rerun prepare_samples"):
        read_samples(tmp_path / "bare.parquet")


def test_text_is_numbered_in_alphabetical_order_or_as_it_is_told():
    assert numbered(["dog", "cat", "dog"])[0].tolist() == [1, 0, 1]
    assert numbered(np.array(["dog", "cat"]))[1] == ("cat", "dog")
    assert numbered(["dog", "cat"], ("dog", "cat"))[0].tolist() == [0, 1]
    with pytest.raises(SamplesError, match="label 'eel' is no class; classes are dog, cat"):
        numbered(["eel"], ("dog", "cat"))


def test_whole_numbers_are_labels():
    labels, classes = numbered(np.array([[2.0], [0.0], [1.0]]))
    assert (labels.tolist(), classes) == ([2, 0, 1], ("0", "1", "2"))
    assert numbered(np.array([True, False]))[0].tolist() == [1, 0]
    for wrong in ([0.5, 1.0], [np.nan, 1.0], [1j, 2j]):
        with pytest.raises(SamplesError, match="should be text or whole numbers from 0"):
            numbered(np.array(wrong))
    with pytest.raises(SamplesError, match=r"shape \[2, 2\], should be \[N\]"):
        numbered(np.eye(2))


def test_splits_that_do_not_belong_together():
    first = (np.ones((4, 3), np.float32), np.array([0, 1, 0, 1]))
    with pytest.raises(SamplesError, match=r"different shapes: train \[3\], test \[2\]"):
        joined({"train": first, "test": (np.ones((2, 2), np.float32), np.array([0, 1]))}, ("a", "b"))
    with pytest.raises(SamplesError, match="test has 2 samples and 3 labels"):
        joined({"train": first, "test": (np.ones((2, 3), np.float32), np.array([0, 1, 1]))}, ("a", "b"))


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=6),
    share=st.floats(0, 1),
    seed=st.integers(0, 5),
)
def test_drawn_by_class(counts, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    size = max(len(counts), round(share * len(labels)))
    rows = stratified(labels, size, np.random.default_rng(seed))
    assert len(rows) == size
    assert (np.diff(rows) > 0).all(), "sorted, each once"
    found = np.bincount(labels[rows], minlength=len(counts))
    assert (found >= 1).all()
    wanted = np.array(counts) * size / len(labels)
    lifted = int((wanted < 1).sum())  # classes that get more than their share take it from others
    assert (np.abs(found - wanted) <= 1 + lifted).all()
    assert np.array_equal(rows, stratified(labels, size, np.random.default_rng(seed)))


def test_limits_are_by_split_and_keep_the_order():
    labels = np.tile(np.arange(4), 25)
    values = np.arange(100, dtype=np.float32)[:, None]
    samples = split_off(values, labels, tuple("abcd"), 0.4, seed=1)
    assert [(samples.split == split).sum() for split in ("train", "test")] == [60, 40]
    few = samples.limited({"train": 12, "test": None}, seed=3)
    train = few.part("train")
    assert np.bincount(train.labels).tolist() == [3, 3, 3, 3]
    assert (np.diff(train.values[:, 0]) > 0).all()
    assert len(few.part("test")) == 40
    assert set(train.values[:, 0]) < set(samples.part("train").values[:, 0])
    assert np.array_equal(few.values, samples.limited({"train": 12}, seed=3).values)
    assert not np.array_equal(few.values, samples.limited({"train": 12}, seed=4).values)
    with pytest.raises(SamplesError, match="3 of 60 samples of 4 classes: every class needs one"):
        samples.limited({"train": 3}, seed=0)
