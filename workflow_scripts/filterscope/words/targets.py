"""Tokens of categories as what the explainer learns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def token_list(categories: pd.DataFrame, supervised_only: bool = True) -> list[str]:
    """The distinct tokens of the categories, in order of first appearance: 80 COCO names give 92."""
    rows = categories[categories["supervised"]] if supervised_only else categories
    return list(dict.fromkeys(token for tokens in rows["tokens"] for token in tokens))


def multi_hot(tokens: pa.ChunkedArray, known: list[str]) -> np.ndarray:
    """Which of the known tokens each row has, bool [rows, known]; tokens that are not known are passed over."""
    rows = np.repeat(np.arange(len(tokens)), pc.list_value_length(tokens).to_numpy())
    columns = pc.index_in(pc.list_flatten(tokens), value_set=pa.array(known, pa.string())).to_numpy(
        zero_copy_only=False
    )
    columns = np.nan_to_num(columns.astype(np.float64), nan=-1).astype(np.int64)
    targets = np.zeros((len(tokens), len(known) + 1), bool)
    targets[rows, columns] = True  # column -1 takes what is not known
    return targets[:, :-1]


def token_indices(words: pa.ChunkedArray | pa.Array, tokens: list[str]) -> np.ndarray:
    """Index of each word among the tokens, -1 where it is none; int64 [n]."""
    found = pc.fill_null(pc.index_in(words, value_set=pa.array(tokens, pa.string())), -1)
    return (
        found.to_numpy(zero_copy_only=False).astype(np.int64)
        if isinstance(found, pa.Array)
        else found.to_numpy().astype(np.int64)
    )


def most_frequent(tokens: pa.ChunkedArray, known: list[str]) -> np.ndarray:
    """Indices of the known tokens by falling frequency over the rows, ties to the smaller index."""
    return np.argsort(-multi_hot(tokens, known).sum(0), kind="stable")
