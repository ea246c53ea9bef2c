"""Arrays of the words room to and from its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from filterscope.words.explanation import Words
from filterscope.words.scoring import Row
from filterscope.words.targets import token_indices
from filterscope.words.voting import vote

# Filters whose words are written at a time.
FILTERS = 256


def top_images(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Image numbers and maxima of the `top_images` table, [filters, p] each."""
    table = table.sort_by([("filter", "ascending"), ("rank", "ascending")])
    filters = int(pc.max(table["filter"]).as_py()) + 1
    return (
        table["image_id"].to_numpy().reshape(filters, -1),
        table["maximum"].to_numpy().reshape(filters, -1),
    )


def image_words(words: dict[str, Words], image_ids: np.ndarray, names: np.ndarray) -> Iterator[dict]:
    """Columns of the `image_words` table, some filters at a time; image_ids [d, p], names: words of the vocabulary."""
    dictionary = pa.array(names, pa.string())
    for candidates, each in words.items():
        for start in range(0, len(each.rows), FILTERS):
            part = each.rows[start : start + FILTERS]
            filters, ranks, places = np.nonzero(part >= 0)
            rows = pa.DictionaryArray.from_arrays(pa.array(part[filters, ranks, places]), dictionary)
            filters = filters + start
            yield {
                "candidates": pa.array([candidates]).take(pa.array(np.zeros(len(filters), np.int32))),
                "filter": filters,
                "image_rank": ranks,
                "image_id": image_ids[filters, ranks],
                "rank": places,
                "word": rows.cast(pa.string()),
                "cosine": each.cosines[filters, ranks, places].astype(np.float64),
            }


def votes_table(
    words: dict[str, Words], maxima: np.ndarray, names: np.ndarray, voting: int, weighting: str, printed: int
) -> pd.DataFrame:
    """The `filter_votes` table by candidates; maxima [d, p]."""
    parts = []
    for candidates, each in words.items():
        votes = vote(each.rows[..., :voting], each.cosines[..., :voting], maxima, weighting, printed)
        parts.append(
            votes.assign(candidates=candidates, word=np.asarray(names, object)[votes["row"]]).drop(columns="row")
        )
    return pd.concat(parts, ignore_index=True)


def scored_row(
    words: Iterable[pa.RecordBatch], votes: pa.Table, tokens: list[str], shape: tuple[int, int], depth: int
) -> Row:
    """A row to be scored from its `image_words`, part by part, and its `filter_votes`.

    shape: filters and top images. depth: words of a top image that count.
    """
    indices = {name: np.full((*shape, depth), -1, np.int64) for name in ("vocabulary", "categories")}
    for part in words:
        part = part.filter(pc.less(part["rank"], depth))
        for candidates, row in indices.items():
            own = part.filter(pc.equal(part["candidates"], candidates))
            places = tuple(own[name].to_numpy() for name in ("filter", "image_rank", "rank"))
            row[places] = token_indices(own["word"], tokens)
    first = votes.filter(pc.and_(pc.equal(votes["candidates"], "categories"), pc.equal(votes["rank"], 0)))
    claims = np.full(shape[0], -1, np.int64)
    claims[first["filter"].to_numpy()] = token_indices(first["word"], tokens)
    return Row(indices, claims)


def constant_row(order: np.ndarray, shape: tuple[int, int], depth: int) -> Row:
    """Everything is said to be the most frequent tokens; order: token indices by falling frequency."""
    said = np.full(depth, -1, np.int64)
    said[: min(depth, len(order))] = order[:depth]
    words = np.broadcast_to(said, (*shape, depth))
    return Row({"vocabulary": words, "categories": words}, np.full(shape[0], order[0], np.int64))


def shuffled_row(row: Row, fires: np.ndarray, seed: int) -> Row:
    """Every filter that has words gets those of another; fires: in how many of its top images each one does, [d].

    One that is silent in some of its images lends the words of the others: otherwise the null would say nothing
    where its lender is silent, and look worse than it is.
    """
    order = np.arange(len(row.claims))
    # One cycle through a random order: nobody keeps its own words.
    cycle = np.random.default_rng(seed).permutation(np.flatnonzero(fires))
    order[cycle] = np.roll(cycle, 1)
    lent = np.maximum(fires, 1)[order][:, None]  # top images come first, silent ones last
    words = {name: each[order[:, None], np.arange(each.shape[1])[None] % lent] for name, each in row.words.items()}
    return Row(words, row.claims[order])


def dissected_row(overlaps: pa.Table, tokens: list[str], shape: tuple[int, int], depth: int) -> Row:
    """Network Dissection's tokens, the same for all top images of a filter; none that overlap nowhere."""
    said = np.full((shape[0], depth), -1, np.int64)
    part = overlaps.filter(pc.and_(pc.less(overlaps["rank"], depth), pc.greater(overlaps["iou"], 0)))
    said[part["filter"].to_numpy(), part["rank"].to_numpy()] = token_indices(part["token"], tokens)
    words = np.broadcast_to(said[:, None], (*shape, depth))
    return Row({"vocabulary": words, "categories": words}, said[:, 0].copy())
