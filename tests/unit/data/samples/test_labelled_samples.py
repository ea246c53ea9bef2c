"""Labelled samples are whole, of one shape, and every class is there; what was written is what is read."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope import tables
from filterscope.data.samples.labelled_samples import (
    LabelledSamples,
    SamplesError,
    held_out,
    joined,
    numbered,
    read_samples,
    split_off,
    stratified,
    write_samples,
)

CLASSES = ("cat", "dog", "eel")


def pictures(**changes) -> LabelledSamples:
    """Nine pictures of 2 x 3 px, three a class; the last of each is for testing."""
    values = np.arange(9 * 6, dtype=np.uint8).reshape(9, 1, 2, 3)
    split = np.array(["train", "train", "test"] * 3)
    return LabelledSamples(
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


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([7, 1_000_000_007, 7], "go from 7 to 1000000007, 2 different ones among 3 samples"),
        (np.array([0, 2**62]), f"go from 0 to {2**62}"),
        (np.array([0, 2**63 + 5], np.uint64), f"go from 0 to {2**63 + 5}"),
        ([-1, 0, 1], "go from -1 to 1"),
        (np.array([0.0, 1e9]), "go from 0 to 1000000000"),
        (np.array([0.0, 1e300]), r"labels go up to 1e\+300, where float64 skips whole numbers"),
    ],
)
def test_ids_are_no_labels_and_take_no_memory(labels, said):
    """A list of as many names as the largest id would have filled the machine."""
    with pytest.raises(SamplesError, match=said) as raised:
        numbered(np.asarray(labels))
    assert "as text, as in y.astype(str)" in str(raised.value)


def test_ids_given_as_text_are_classes():
    labels, classes = numbered(np.array([1_000_000_007, 7, 7]).astype(str))
    assert (labels.tolist(), classes) == ([0, 1, 1], ("1000000007", "7"))


def test_a_class_of_one_cannot_be_on_both_sides():
    labels = np.array([0, 0, 0, 1, 1, 1, 2])
    with pytest.raises(SamplesError, match="class 'eel' has a single sample, which cannot be on both sides"):
        split_off(np.ones((7, 2), np.float32), labels, CLASSES, 0.4, seed=0)
    assert len(split_off(np.ones((7, 2), np.float32), labels, CLASSES, 0.0, seed=0)) == 7
    with pytest.raises(SamplesError, match="6 of 6 samples of 3 classes: every class needs one and one left"):
        split_off(np.ones((6, 2), np.float32), labels[[0, 1, 3, 4, 6, 6]], CLASSES, 0.99, seed=0)


@given(counts=st.lists(st.integers(2, 12), min_size=2, max_size=6), share=st.floats(0.01, 0.99))
def test_both_sides_of_a_split_have_every_class(counts, share):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = round(share * len(labels))
    if not len(counts) <= size <= len(labels) - len(counts):
        with pytest.raises(SamplesError, match="every class needs one and one left"):
            held_out(labels, share, 0, CLASSES)
        return
    apart = held_out(labels, share, 0, CLASSES)
    assert apart.sum() == size
    for side in (labels[apart], labels[~apart]):
        assert set(side.tolist()) == set(range(len(counts)))


def test_a_class_must_be_learnt_but_need_not_be_tested(caplog):
    values = np.arange(8, dtype=np.float32)[:, None]
    parts = {"train": (values[:5], np.array([0, 0, 2, 2, 2])), "test": (values[5:], np.array([0, 1, 2]))}
    with pytest.raises(SamplesError, match="the test split has the class 'dog', of which the train split has no"):
        joined(parts, CLASSES)
    parts["train"] = (values[:5], np.array([0, 1, 2, 2, 2]))
    parts["test"] = (values[5:], np.array([0, 0, 2]))
    joined(parts, CLASSES)
    assert "the test split has no sample of the class 'dog'" in caplog.text


def test_a_sample_is_named_as_it_was_read_whatever_became_of_it(tmp_path):
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    samples = split_off(values, np.arange(20) % 2, ("a", "b"), 0.3, 0, [f"x[{row}]" for row in range(20)])
    few = samples.limited({"train": 4}, seed=1)
    for part in (samples, samples.part("test"), few):
        assert part.origins.tolist() == [f"x[{int(row) // 2}]" for row in part.values[:, 0]]
    write_samples(few, tmp_path / "samples.parquet")
    assert read_samples(tmp_path / "samples.parquet").origins.tolist() == few.origins.tolist()
    assert pictures().origins is None
    write_samples(pictures(), tmp_path / "made.parquet")
    assert read_samples(tmp_path / "made.parquet").origins is None
    values[13, 1] = np.nan
    with pytest.raises(SamplesError, match=r"^x\[13\] has NaN or infinite values, the first at \[1\]"):
        split_off(values, np.arange(20) % 2, ("a", "b"), 0.3, 0, [f"x[{row}]" for row in range(20)])
    with pytest.raises(SamplesError, match="there are 9 samples and 1 origins"):
        pictures(origins=np.array(["x[0]"], object))
