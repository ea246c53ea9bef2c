"""What filters have answered to composed pictures, and the table that it is kept in. Loads no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from filterscope import tables

# In the place of a background's number: the object was taken out of its own picture.
LOST_PLACE = -1


@dataclass(frozen=True)
class ProofSettings:
    """How causes are proved; see config.yaml."""

    objects: int = 24
    controls: int = 100
    fewest: int = 4
    places: int = 3
    sizes: int = 2
    smallest: float = 0.01


@dataclass(frozen=True)
class Responses:
    """What all filters answer. n objects, P places, d filters, T tokens.

    tokens: bool [n, T]. sizes: index of every object's size, [n]. lacking: bool [P, T]. laid: answers to every object
    at every place, float32 [n, P, d]. lost: answer to the picture itself minus that to the picture without the object,
    mean over REMOVALS, [n, d].
    """

    tokens: np.ndarray
    sizes: np.ndarray
    lacking: np.ndarray
    laid: np.ndarray
    lost: np.ndarray


def token_rows(tokens: Iterable[np.ndarray], count: int) -> np.ndarray:
    """Which of so many tokens each object has, bool [n, count], from arrays of their indices."""
    lists = list(tokens)
    rows = np.zeros((len(lists), count), bool)
    for row, own in zip(rows, lists, strict=True):
        row[own] = True
    return rows


def answer_table(responses: Responses, unusable: np.ndarray, tokens: Sequence[str]) -> pa.Table:
    """The `answers` table; unusable: how many of every token's objects could not be used, [T]."""
    count, places, _ = responses.laid.shape
    names = np.array(tokens, object)
    words = [names[own].tolist() for own in responses.tokens]
    lines = np.concatenate([responses.laid, responses.lost[:, None]], 1)
    columns = {
        "object": np.repeat(np.arange(count), places + 1),
        "place": np.tile(np.r_[np.arange(places), LOST_PLACE], count),
        "tokens": pa.array([own for own in words for _ in range(places + 1)], pa.list_(pa.string())),
        "size": np.repeat(responses.sizes, places + 1),
        "mean": tables.vectors(lines.reshape(count * (places + 1), lines.shape[2])),
    }
    said = {
        "lacking": json.dumps([names[own].tolist() for own in responses.lacking]),
        "unusable": json.dumps({token: int(n) for token, n in zip(tokens, unusable, strict=True) if n}),
    }
    return pa.table(columns).replace_schema_metadata(said)


def responses_of(table: pa.Table, tokens: Sequence[str]) -> tuple[Responses, np.ndarray]:
    """What `answer_table` was made of: responses, and how many of every token's objects could not be used, [T]."""
    index = {token: place for place, token in enumerate(tokens)}
    said = {key: json.loads(table.schema.metadata[key.encode()]) for key in ("lacking", "unusable")}
    places = len(said["lacking"])
    lines = tables.matrix(table["mean"])
    lines = lines.reshape(len(lines) // (places + 1), places + 1, lines.shape[1])
    first = table.take(np.arange(len(lines)) * (places + 1))
    responses = Responses(
        token_rows([np.array([index[word] for word in own], int) for own in first["tokens"].to_pylist()], len(tokens)),
        first["size"].to_numpy(),
        token_rows([np.array([index[word] for word in own], int) for own in said["lacking"]], len(tokens)),
        lines[:, :places],
        lines[:, places],
    )
    return responses, np.array([said["unusable"].get(token, 0) for token in tokens], np.int64)
