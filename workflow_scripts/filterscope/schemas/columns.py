"""What a table of the workflow is: typed columns with a meaning, a key and the rule that makes it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

# A vector column: all rows have the same length, which the data decide (number of filters, word dimension).
VECTOR = pa.list_(pa.float32())
# The same of bytes or real numbers: samples as they were read.
VALUES = pa.list_(pa.uint8())
TOKENS = pa.list_(pa.string())
TEXT, INTEGER, REAL, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and whether a value may be missing (never NaN)."""

    name: str
    type: pa.DataType
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class Schema:
    """A table of the workflow: the rule that makes it, its key, its columns, and what its metadata must say."""

    rule: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    metadata: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]
