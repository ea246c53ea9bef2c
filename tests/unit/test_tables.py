"""Tables fit their schemas or do not exist."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from filterscope import tables

HISTORY = {
    "epoch": [1, 2],
    "train_loss": [0.5, 0.25],
    "val_loss": [0.75, 0.5],
    "val_recall": [0.0, 1.0],
    "best": [True, True],
}


def history(**changes) -> dict:
    return {**HISTORY, **changes}


def image_activations(ids=(1, 2), filters=3, **changes) -> dict:
    values = np.arange(len(ids) * filters, dtype=np.float32).reshape(len(ids), filters)
    return {
        "image_id": list(ids),
        "split": ["train"] * len(ids),
        "maximum": tables.vectors(values),
        "mean": tables.vectors(values / 2),
        **changes,
    }


def categories(**changes) -> dict:
    counts = {f"{what}_{split}": [1, 2] for what in ("images", "annotations") for split in ("train", "val")}
    return {
        "category": ["dog", "hot dog"],
        "tokens": [["dog"], ["hot", "dog"]],
        **counts,
        "supervised": [True, False],
        **changes,
    }


def test_every_schema_has_distinct_columns_and_a_key_among_them():
    for name, schema in tables.SCHEMAS.items():
        assert len(set(schema.names)) == len(schema.names), name
        assert set(schema.key) <= set(schema.names), name
        assert all(column.meaning for column in schema.columns), name


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pa.table], ids=["dict", "pandas", "arrow"])
def test_written_table_is_read_back(make, tmp_path):
    path = tmp_path / "deep" / "history.parquet"
    tables.write(make(history()), "history", path)
    assert tables.read(path, "history").to_pydict() == HISTORY
    assert os.listdir(path.parent) == ["history.parquet"]


def test_columns_are_put_in_order_and_widths_are_adapted():
    shuffled = pd.DataFrame(history()).iloc[:, ::-1].astype({"epoch": "int32", "train_loss": "float32"})
    table = tables.checked(shuffled, "history")
    assert table.column_names == list(HISTORY)
    assert table.schema.field("epoch").type == pa.int64()
    assert table.schema.field("train_loss").type == pa.float64()


def test_whole_numbers_that_pandas_made_real_are_integers_again():
    assert tables.checked(history(epoch=[1.0, 2.0]), "history")["epoch"].to_pylist() == [1, 2]


def test_categorical_and_large_text_are_text():
    table = tables.checked(categories(category=pd.Categorical(["dog", "hot dog"])), "categories")
    assert table["category"].to_pylist() == ["dog", "hot dog"]
    large = pa.array([["dog"], ["hot", "dog"]], pa.large_list(pa.large_string()))
    assert tables.checked(categories(tokens=large), "categories").schema.field("tokens").type == tables.TOKENS


def test_same_table_same_bytes(tmp_path):
    for name in ("a", "b"):
        tables.write(categories(), "categories", tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({k: v for k, v in HISTORY.items() if k != "best"}, r"missing columns \['best'\]"),
        (history(note=["a", "b"]), r"unknown columns \['note'\]"),
        (
            history(train_loss=[0.5, np.nan]),
            "column train_loss has 1 missing values|column train_loss has NaN",
        ),
        (history(train_loss=np.array([0.5, np.nan])), "column train_loss has NaN or infinite values"),
        (history(val_loss=np.array([np.inf, 1.0])), "column val_loss has NaN or infinite values"),
        (history(epoch=[1, None]), "column epoch has 1 missing values"),
        (history(epoch=["1", "2"]), "column epoch is string, should be int64"),
        (history(epoch=[1.5, 2.0]), "column epoch: Float value 1.5.* was truncated"),
        (history(best=[1, 0]), "column best is int64, should be bool"),
        (history(best=["yes", "no"]), "column best is string, should be bool"),
        (history(train_loss=[[1.0], [2.0]]), "column train_loss is list<item: double>, should be double"),
        (history(train_loss=[True, False]), "column train_loss is bool, should be double"),
        (history(epoch=[3, 3]), "key epoch is repeated"),
        (history(epoch=[1, 2, 3]), "expected length"),
        (history(epoch=[1, "two"]), "history, made by rule train_explainer"),
    ],
)
def test_table_that_does_not_fit_is_refused_and_not_written(data, said, tmp_path):
    path = tmp_path / "history.parquet"
    with pytest.raises(tables.TableError, match=said) as error:
        tables.write(data, "history", path)
    assert str(path) in str(error.value)
    assert "train_explainer" in str(error.value)
    assert os.listdir(tmp_path) == []


def test_nan_in_a_dataframe_is_refused():
    with pytest.raises(tables.TableError, match="column val_recall"):
        tables.checked(pd.DataFrame(history(val_recall=[0.0, np.nan])), "history")


def test_missing_token_inside_a_list_is_refused():
    with pytest.raises(tables.TableError, match="column tokens has 1 missing values"):
        tables.checked(categories(tokens=[["dog"], ["hot", None]]), "categories")


def test_number_is_not_taken_for_text():
    with pytest.raises(tables.TableError, match="column category is int64, should be string"):
        tables.checked(categories(category=[1, 2]), "categories")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_number_that_is_not_finite_inside_a_vector_is_refused(wrong):
    values = np.zeros((2, 3), np.float32)
    values[1, 2] = wrong
    with pytest.raises(tables.TableError, match="column maximum has NaN or infinite values"):
        tables.checked(image_activations(maximum=tables.vectors(values)), "image_activations")


def test_lists_of_different_lengths_are_not_vectors():
    ragged = pa.array([[1.0], [1.0, 2.0]], pa.list_(pa.float32()))
    with pytest.raises(tables.TableError, match="column maximum is list"):
        tables.checked(image_activations(maximum=ragged), "image_activations")


def test_vectors_of_doubles_are_refused():
    double = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(6)), 3)
    with pytest.raises(tables.TableError, match="column maximum is fixed_size_list<item: double>"):
        tables.checked(image_activations(maximum=double), "image_activations")


def test_empty_table_is_a_table(tmp_path):
    empty = {"item": pa.array([], pa.string()), "reason": pa.array([], pa.string())}
    tables.write(empty, "rejected", tmp_path / "rejected.parquet")
    assert tables.read(tmp_path / "rejected.parquet", "rejected").num_rows == 0
    assert tables.checked(pd.DataFrame({"item": [], "reason": []}).astype(object), "rejected").num_rows == 0


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(width=32, allow_nan=False),
    )
)
def test_vectors_and_matrix_are_inverse(values):
    column = tables.vectors(values)
    assert np.array_equal(tables.matrix(column), values)
    assert np.array_equal(tables.matrix(pa.chunked_array([column, column])), np.concatenate([values, values]))


def test_matrix_of_a_slice_is_the_slice():
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert np.array_equal(tables.matrix(tables.vectors(values)[1:3]), values[1:3])
    table = pa.table({"v": tables.vectors(values)}).filter(pa.array([True, False, False, True]))
    assert np.array_equal(tables.matrix(table["v"]), values[[0, 3]])


def test_matrix_of_nothing_keeps_its_width():
    assert tables.matrix(tables.vectors(np.zeros((0, 7)))).shape == (0, 7)


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3)])
def test_vectors_refuses_other_ranks(shape):
    with pytest.raises(ValueError, match="rows, length"):
        tables.vectors(np.zeros(shape))


def test_csv_joins_tokens(tmp_path):
    tables.write(categories(), "categories", tmp_path / "categories.csv")
    read = pd.read_csv(tmp_path / "categories.csv")
    assert read["tokens"].tolist() == ["dog", "hot dog"]
    assert list(read.columns) == tables.SCHEMAS["categories"].names


def test_failed_write_keeps_what_was_there(tmp_path):
    path = tmp_path / "history.parquet"
    tables.write(history(), "history", path)
    before = path.read_bytes()
    with pytest.raises(tables.TableError):
        tables.write(history(epoch=[1, 1]), "history", path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["history.parquet"]


def test_what_killed_jobs_left_of_the_same_file_is_removed(tmp_path):
    """And nothing else: neither parts of other files, nor of downloads, which go on from theirs."""
    for name in (".a[1].csv.77.part", ".b.csv.77.part", ".a[1].csv.part", "a[1].csv.77.part", ".a1.csv.77.part"):
        (tmp_path / name).touch()
    with tables.replacing(tmp_path / "a[1].csv") as temporary:
        temporary.write_text("whole")
    assert not (tmp_path / ".a[1].csv.77.part").exists()
    assert len(list(tmp_path.iterdir())) == 5
    (tmp_path / ".images.parquet.77.part").touch()
    tables.Writer("images", tmp_path / "images.parquet")
    assert not (tmp_path / ".images.parquet.77.part").exists()


def test_replacing_leaves_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with pytest.raises(KeyError), tables.replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyError("no")
    assert os.listdir(path.parent) == []
    with tables.replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["file.txt"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not a readable Parquet file"),
        (b"", "not a readable Parquet file"),
        (b"PAR1 half a file", "not a readable"),
    ],
)
def test_unreadable_file_is_named(content, said, tmp_path):
    path = tmp_path / "history.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(tables.TableError, match=said) as error:
        tables.read(path, "history")
    assert str(path) in str(error.value)
    assert "rerun train_explainer" in str(error.value)


def test_truncated_file_is_named(tmp_path):
    path = tmp_path / "history.parquet"
    tables.write(history(), "history", path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(tables.TableError, match="not a readable Parquet file"):
        tables.read(path, "history")


def test_file_of_another_table_is_refused(tmp_path):
    path = tmp_path / "categories.parquet"
    tables.write(categories(), "categories", path)
    with pytest.raises(tables.TableError, match="missing columns"):
        tables.read(path, "history")


def test_file_that_was_changed_by_others_is_checked_on_reading(tmp_path):
    path = tmp_path / "history.parquet"
    pq.write_table(pa.table(history(train_loss=np.array([np.nan, 1.0]))), path)
    with pytest.raises(tables.TableError, match="column train_loss has NaN"):
        tables.read(path, "history")


class TestShards:
    def write(self, folder, *shards):
        paths = [folder / f"{number}.parquet" for number, _ in enumerate(shards)]
        for path, shard in zip(paths, shards, strict=True):
            tables.write(shard, "image_activations", path)
        return paths

    def test_are_joined_in_order(self, tmp_path):
        paths = self.write(tmp_path, image_activations([5, 4]), image_activations([3]))
        table = tables.read(paths, "image_activations")
        assert table["image_id"].to_pylist() == [5, 4, 3]
        assert tables.matrix(table["maximum"]).shape == (3, 3)

    def test_with_the_same_key_are_refused(self, tmp_path):
        paths = self.write(tmp_path, image_activations([1, 2]), image_activations([2, 3]))
        with pytest.raises(tables.TableError, match="key image_id is repeated"):
            tables.read(paths, "image_activations")

    def test_with_vectors_of_different_lengths_are_refused(self, tmp_path):
        paths = self.write(tmp_path, image_activations([1], filters=3), image_activations([2], filters=4))
        with pytest.raises(tables.TableError, match="do not belong together") as error:
            tables.read(paths, "image_activations")
        assert all(str(path) in str(error.value) for path in paths)

    def test_none_is_an_error(self):
        with pytest.raises(tables.TableError, match="no file"):
            tables.read([], "image_activations")


class TestWriter:
    def test_batches_become_one_table(self, tmp_path):
        path = tmp_path / "deep" / "out.parquet"
        with tables.Writer("image_activations", path) as writer:
            writer.add(image_activations([1, 2]))
            assert not path.exists()
            writer.add(image_activations([3]))
        assert tables.read(path, "image_activations")["image_id"].to_pylist() == [1, 2, 3]
        assert os.listdir(path.parent) == ["out.parquet"]

    @pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=["error", "interrupt"])
    def test_half_written_leaves_nothing(self, error, tmp_path):
        with (
            pytest.raises(type(error)),
            tables.Writer("image_activations", tmp_path / "out.parquet") as writer,
        ):
            writer.add(image_activations())
            raise error
        assert os.listdir(tmp_path) == []

    def test_half_written_keeps_what_was_there(self, tmp_path):
        path = tmp_path / "out.parquet"
        tables.write(image_activations([7]), "image_activations", path)
        with pytest.raises(tables.TableError), tables.Writer("image_activations", path) as writer:
            writer.add(image_activations([1, 2]))
            writer.add(image_activations([3], split=[None]))
        assert tables.read(path, "image_activations")["image_id"].to_pylist() == [7]
        assert os.listdir(tmp_path) == ["out.parquet"]

    def test_batch_of_other_vectors_is_refused(self, tmp_path):
        with (
            pytest.raises(tables.TableError, match=r"out\.parquet"),
            tables.Writer("image_activations", tmp_path / "out.parquet") as writer,
        ):
            writer.add(image_activations([1], filters=3))
            writer.add(image_activations([2], filters=4))
        assert os.listdir(tmp_path) == []

    def test_without_rows_is_an_error(self, tmp_path):
        with (
            pytest.raises(tables.TableError, match="no rows were written"),
            tables.Writer("image_activations", tmp_path / "out.parquet"),
        ):
            pass
        assert os.listdir(tmp_path) == []


@contextmanager
def full_disk():
    """No file may grow beyond 4 KiB meanwhile; pytest's own log neither, so it must not last longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_full_disk_leaves_the_table_that_was_there(name, tmp_path):
    tables.write(history(), "history", tmp_path / name)
    before = (tmp_path / name).read_bytes()
    chance = np.random.default_rng(0)
    many = {
        **{key: chance.random(5000) for key in HISTORY},
        "epoch": np.arange(5000),
        "best": chance.random(5000) < 0.5,
    }
    with full_disk(), pytest.raises(OSError, match="File too large"):
        tables.write(many, "history", tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]
