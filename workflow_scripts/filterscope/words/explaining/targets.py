"""Tokens of categories as what the explainer learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Candidates that are asked for the unsupervised tokens only; the first was looked for among them only, too.
UNSUPERVISED = ("unsupervised", "vocabulary_unsupervised")


def token_list(categories: pd.DataFrame, supervised_only: bool = True) -> list[str]:
    """The distinct tokens of the categories, in order of first appearance: 80 COCO names give 92."""
    rows = categories[categories["supervised"]] if supervised_only else categories
    return list(dict.fromkeys(token for tokens in rows["tokens"] for token in tokens))


@dataclass(frozen=True)
class Tokens:
    """What may be said of an image: the tokens of all categories, and which of them were never supervised.

    every: [T]. unsupervised: bool [T], tokens that no supervised category has. The explainer learns from the others
    alone, so an object without one of those takes no part in its training; for the truth of an image it counts.

    How well words work for what was never supervised (claim 2 of LaViSE, 4.3, where nobody measured it) is told by
    two further values of `candidates` in the tables of scores, for datasets that have such categories:
    "vocabulary_unsupervised" are the words that were looked for in the whole vocabulary, and "unsupervised" those
    that were looked for among the unsupervised tokens alone. Both are asked for the unsupervised tokens only, so
    recall counts the pairs of filter and image with such an object in the region. For IoU, F1, AUPRC and
    correlation every filter claims its best word among the unsupervised tokens. The nulls and the rival say their
    best about the same tokens: constant words are the most frequent unsupervised ones, and Network Dissection,
    which sees their masks, chooses among them. So they are told which tokens are asked for, also where the words
    over the whole vocabulary are not: there, the shuffled rows and the random network are the fair comparison.
    """

    every: list[str]
    unsupervised: np.ndarray

    @classmethod
    def of(cls, categories: pd.DataFrame) -> Tokens:
        """From the `categories` table."""
        every = token_list(categories, supervised_only=False)
        return cls(every, ~np.isin(every, token_list(categories)))

    @property
    def supervised(self) -> list[str]:
        """The tokens that the explainer learns from."""
        return [token for token, out in zip(self.every, self.unsupervised, strict=True) if not out]

    @property
    def held_out(self) -> list[str]:
        """The tokens that were never supervised."""
        return [token for token, out in zip(self.every, self.unsupervised, strict=True) if out]

    def claimable(self, allowed: Sequence[str] | None) -> np.ndarray:
        """Tokens that a filter may be called by, bool [T]: supervised, and allowed where words are restricted."""
        return ~self.unsupervised if allowed is None else ~self.unsupervised & np.isin(self.every, list(allowed))

    @property
    def asked(self) -> dict[str, np.ndarray]:
        """Tokens that are asked for, bool [T], by candidates; those that are not named are asked for every token."""
        return dict.fromkeys(UNSUPERVISED, self.unsupervised) if self.unsupervised.any() else {}


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
