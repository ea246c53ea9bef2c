"""The tables that stages hand to each other: one schema each, checked on write and on read.

Parquet on disk, pyarrow in memory. A table that does not fit its schema never reaches a file, and a file
that does not fit is refused with its name, the column and the rule that makes it.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from filterscope.schemas import SCHEMAS
from filterscope.schemas.columns import TOKENS, VALUES, VECTOR, Column, Schema

KINDS = {
    "null": (pa.types.is_null,),
    "integer": (pa.types.is_integer,),
    "real": (pa.types.is_floating,),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "bytes": (pa.types.is_binary, pa.types.is_large_binary),
    "list": (pa.types.is_list, pa.types.is_large_list),
}

# Key of the metadata of a file that stands for a table that could not be made; its value says why.
STOPPED = b"filterscope.stopped"


class TableError(ValueError):
    """A table does not fit its schema."""


class StoppedError(TableError):
    """A file stands for a table that could not be made; says why. reason: without the name of the file."""

    def __init__(self, path: str | Path, reason: str):
        super().__init__(f"{path}: {reason}")
        self.reason = reason


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    if wanted == VECTOR:
        return pa.types.is_fixed_size_list(found) and found.value_type == pa.float32()
    if wanted == VALUES:
        return pa.types.is_fixed_size_list(found) and found.value_type in (pa.float32(), pa.uint8())
    if wanted == TOKENS:
        return pa.types.is_list(found) and pa.types.is_string(found.value_type)
    return found == wanted


def _kind(type_: pa.DataType) -> str:
    """What a value is, whatever its width: types of one kind may be cast into each other."""
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    for kind, tests in KINDS.items():
        if any(test(type_) for test in tests):
            return kind
    return str(type_)


def _coerced(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values in the column's width. Text never becomes a number, nor a number text or a truth."""
    if column.type in (VECTOR, VALUES) or values.type == column.type:
        return values
    found, wanted = _kind(values.type), _kind(column.type)
    if found not in (wanted, "null") and (found, wanted) not in {("integer", "real"), ("real", "integer")}:
        return values
    return values.cast(column.type)


def _not_finite(values: pa.ChunkedArray) -> bool:
    if pa.types.is_fixed_size_list(values.type):
        if pa.types.is_integer(values.type.value_type):
            return False
        return any(not np.isfinite(chunk.flatten().to_numpy(zero_copy_only=False)).all() for chunk in values.chunks)
    if pa.types.is_floating(values.type):
        return not pc.all(pc.is_finite(values.drop_null())).as_py() if len(values.drop_null()) else False
    return False


def vectors(values: np.ndarray) -> pa.FixedSizeListArray:
    """A vector column from a [rows, length] array. Raises ValueError where the array has another rank."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if values.ndim != 2:
        raise ValueError(f"values of a vector column must be [rows, length], not {list(values.shape)}")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def matrix(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A [rows, length] float32 array from a vector column."""
    length = column.type.list_size
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, length) for chunk in chunks if len(chunk)]
    if not parts:
        return np.zeros((0, length), np.float32)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def checked(data: pa.Table | pd.DataFrame | dict, name: str, source: str = "the new table") -> pa.Table:
    """The data as a table that fits the schema `name`, columns in the schema's order.

    Raises TableError naming the table, the column and what is wrong: missing or unknown column, wrong type,
    missing value, NaN or infinite number, repeated key.
    """
    schema = SCHEMAS[name]
    hint = f"{source} ({name}, made by rule {schema.rule})"
    try:
        if isinstance(data, pd.DataFrame):
            data = pa.Table.from_pandas(data, preserve_index=False)
        elif isinstance(data, dict):
            data = pa.table(data)
    except (pa.ArrowException, TypeError) as error:
        raise TableError(f"{hint}: {error}") from error
    missing = [column for column in schema.names if column not in data.column_names]
    unknown = [column for column in data.column_names if column not in schema.names]
    if missing or unknown:
        raise TableError(f"{hint}: missing columns {missing}, unknown columns {unknown}; rerun {schema.rule}")
    arrays = []
    for column in schema.columns:
        try:
            values = _coerced(data[column.name], column)
        except pa.ArrowException as error:
            raise TableError(f"{hint}: column {column.name}: {error}") from error
        if not _fits(values.type, column.type):
            raise TableError(f"{hint}: column {column.name} is {values.type}, should be {column.type}")
        missing = values.null_count
        if column.type == TOKENS:
            missing += sum(chunk.flatten().null_count for chunk in values.chunks)
        if missing and not column.optional:
            raise TableError(f"{hint}: column {column.name} has {missing} missing values")
        if _not_finite(values):
            raise TableError(f"{hint}: column {column.name} has NaN or infinite values")
        arrays.append(values)
    table = pa.table(arrays, names=schema.names).replace_schema_metadata(_metadata(data, schema, hint))
    _check_key(table, schema, hint)
    return table


def _metadata(data: pa.Table, schema: Schema, hint: str) -> dict[bytes, bytes] | None:
    """What the schema wants the metadata to say, and nothing else. Raises TableError."""
    found = data.schema.metadata or {}
    missing = [key for key in schema.metadata if key.encode() not in found]
    if missing:
        raise TableError(f"{hint}: metadata lack {missing}; rerun {schema.rule}")
    return {key.encode(): found[key.encode()] for key in schema.metadata} or None


def _check_key(table: pa.Table, schema: Schema, hint: str) -> None:
    if schema.key and table.num_rows:
        keys = table.select(list(schema.key))
        if keys.group_by(list(schema.key)).aggregate([]).num_rows != keys.num_rows:
            raise TableError(f"{hint}: key {', '.join(schema.key)} is repeated")


def measurements(table: pd.DataFrame) -> pa.Table:
    """The `measurements` table from a frame whose resamples are arrays."""
    plain = pa.Table.from_pandas(table.drop(columns="resamples"), preserve_index=False)
    return plain.append_column("resamples", vectors(np.stack(table["resamples"])))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block succeeds and vanishes when it fails."""
    path = Path(path)
    temporary = _part_of(path)
    try:
        yield temporary
        _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    """In the place of the path, once the disk holds it: a loss of power leaves the file that was there, or this one."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _part_of(path: Path) -> Path:
    """This process's own hidden file beside `path`, whose folder is made.

    Parts that killed jobs have left of the same file are removed. One of a job that is still at work, as its Snakemake
    was killed, goes too: nobody waits for that job, and it ends with an error instead of a second file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.[0-9]*.part"):
        left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write(data: pa.Table | pd.DataFrame | dict, name: str, path: str | Path) -> pa.Table:
    """Check a table and write it whole: Parquet, or CSV where the path says so."""
    table = checked(data, name, str(path))
    with replacing(path) as temporary:
        if Path(path).suffix == ".csv":
            pa_csv.write_csv(_flat(table), temporary)
        else:
            pq.write_table(table, temporary, compression="zstd")
    return table


def _flat(table: pa.Table) -> pa.Table:
    """Lists of words joined by spaces, for CSV."""
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            table = table.set_column(index, field.name, pc.binary_join(table[field.name], " "))
    return table


def read(path: str | Path | Iterable[str | Path], name: str) -> pa.Table:
    """Read a table, or several shards of one, and check it against its schema."""
    if not isinstance(path, (str, Path)):
        return _concatenated(list(path), name)
    try:
        table = pq.read_table(path, memory_map=True, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); rerun {SCHEMAS[name].rule}") from error
    _refuse_stopped(table.schema.metadata, path)
    return checked(table, name, str(path))


def _concatenated(paths: list[str | Path], name: str) -> pa.Table:
    schema = SCHEMAS[name]
    hint = f"{', '.join(map(str, paths)) or 'no file'} ({name}, made by rule {schema.rule})"
    try:
        table = pa.concat_tables([read(path, name) for path in paths])
    except pa.ArrowException as error:
        raise TableError(f"{hint}: the files do not belong together: {error}") from error
    _check_key(table, schema, hint)
    return table


def empty(name: str, vector: int = 1) -> pa.Table:
    """A table without rows; vector columns are so long."""
    fields = [
        (column.name, pa.list_(pa.float32(), vector) if column.type == VECTOR else column.type)
        for column in SCHEMAS[name].columns
    ]
    return pa.schema(fields).empty_table()


def opened(path: str | Path, name: str) -> pq.ParquetFile:
    """A table to go through by itself, where it need not fit into memory. Raises TableError as `read` does."""
    schema = SCHEMAS[name]
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); rerun {schema.rule}") from error
    try:
        _refuse_stopped(file.schema_arrow.metadata, path)
        _metadata(file.schema_arrow.empty_table(), schema, f"{path} ({name}, made by rule {schema.rule})")
    except TableError:
        file.close()
        raise
    return file


def write_stopped(name: str, path: str | Path, reason: str) -> None:
    """Leave, in the place of a table that could not be made, why: whoever reads it stops and says so.

    For jobs that make the tables of several layers, of which one went wrong and the others did not.
    """
    with replacing(path) as temporary:
        pq.write_table(empty(name).replace_schema_metadata({STOPPED: reason.encode()}), temporary)


def _refuse_stopped(metadata: dict[bytes, bytes] | None, path: str | Path) -> None:
    if metadata and STOPPED in metadata:
        raise StoppedError(path, metadata[STOPPED].decode())


def batches(path: str | Path, name: str, columns: list[str], rows: int = 1024) -> Iterator[pa.RecordBatch]:
    """Go through some columns of a table that need not fit into memory, so many rows at a time."""
    with pq.ParquetFile(path, memory_map=True) as file:
        _refuse_stopped(file.schema_arrow.metadata, path)
        missing = [column for column in columns if column not in file.schema_arrow.names]
        if missing:
            raise TableError(f"{path} ({name}): missing columns {missing}; rerun {SCHEMAS[name].rule}")
        yield from file.iter_batches(columns=columns, batch_size=rows)


def column(paths: Iterable[str | Path], name: str, column: str) -> np.ndarray:
    """One column of all shards of a table, without the others: those may be too large for memory."""
    parts = [batch[column].to_numpy(zero_copy_only=False) for path in paths for batch in batches(path, name, [column])]
    return np.concatenate(parts)


def going(paths: Sequence[Sequence[str | Path]], name: str, of: str) -> tuple[np.ndarray, dict[int, str]]:
    """A column that several layers have alike, and the layers that stopped, by number, with the reason.

    paths: of each layer, all shards of its table. Raises TableError where all have stopped.
    """
    values, stopped = None, {}
    for place, shards in enumerate(paths):
        try:
            values = column(shards, name, of)
        except StoppedError as error:
            stopped[place] = str(error)
            last = error
    if values is None:
        raise last
    return values, stopped


class Writer:
    """Writes a table that does not fit into memory, batch by batch; the file appears when all is well."""

    def __init__(self, name: str, path: str | Path, plain: bool = False):
        """plain: values as they are, for large ones that do not repeat: packing and describing them costs much."""
        self.name, self.path = name, Path(path)
        plainly = {"compression": "none", "use_dictionary": False, "write_statistics": False}
        self._options = plainly if plain else {"compression": "zstd"}
        self._temporary = _part_of(self.path)
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Writer:
        return self

    def add(self, data: pa.Table | pd.DataFrame | dict) -> None:
        """Check one batch and append it."""
        table = checked(data, self.name, str(self.path))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._temporary, table.schema, **self._options)
        if table.schema != self._writer.schema:
            first = self._writer.schema
            raise TableError(f"{self.path} ({self.name}): a batch is {table.schema}, the first was {first}")
        self._writer.write_table(table)

    def __exit__(self, kind, value, trace) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
            if kind is None and self._writer is None:
                raise TableError(f"{self.path} ({self.name}): no rows were written")
            if kind is None:
                _put(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)
