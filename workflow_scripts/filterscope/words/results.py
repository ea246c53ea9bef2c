"""Arrays of the words room to and from its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from filterscope import tables
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.explanation import Words
from filterscope.words.explaining.targets import Tokens, most_frequent, token_indices
from filterscope.words.explaining.voting import vote
from filterscope.words.scoring.lending import lending_cycle
from filterscope.words.scoring.score_table import WORDS
from filterscope.words.scoring.scores import Row

# Filters whose words are written at a time.
FILTERS = 256
# Columns of `image_words` that a row is scored by.
WORD_COLUMNS = ["candidates", "filter", "image_rank", "rank", "word"]


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
    words: dict[str, Words],
    maxima: np.ndarray,
    names: np.ndarray,
    voting: int,
    weighting: str,
    printed: int,
    claims: Claimed | None = None,
    weigh: Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]] | None = None,
) -> pd.DataFrame:
    """The `filter_votes` table by candidates; maxima [d, p].

    weigh: called with filters [n] and vocabulary rows [n], gives the parts of each word's score, as `Proposer.parts`.

    A filter's claim is the word of the categories that masks will test: the one given, which leads the categories in
    every list, or the one with most votes where none are given.
    """
    parts = []
    for candidates, each in words.items():
        given = claims is not None and candidates != "unsupervised"
        votes = vote(each.rows[..., :voting], each.cosines[..., :voting], maxima, weighting, None if given else printed)
        votes = claims.leading(votes, printed) if given else votes.assign(claim=votes["rank"] == 0)
        votes["claim"] &= candidates != "vocabulary"
        if weigh is not None:
            weighed = weigh(votes["filter"].to_numpy(), votes["row"].to_numpy())
            votes = votes.assign(evidence=weighed["evidence"], lift=weighed["lift"])
        parts.append(
            votes.assign(candidates=candidates, word=np.asarray(names, object)[votes["row"]]).drop(columns="row")
        )
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Claimed:
    """What every filter claims, as vocabulary rows: rows [d], -1 for none; cosines with its direction, [d].

    tokens: vocabulary rows of all category tokens.
    """

    rows: np.ndarray
    cosines: np.ndarray
    tokens: np.ndarray

    def leading(self, votes: pd.DataFrame, printed: int) -> pd.DataFrame:
        """Votes of all words, from `vote`, with the claim as the first category, cut to the printed words.

        A claim that no top image voted for is added with 0 votes; filters without votes claim nothing.
        """
        claimed = votes["filter"].map(dict(enumerate(self.rows.tolist()))).to_numpy()
        votes = votes.assign(claim=votes["row"].to_numpy() == claimed, key=votes["rank"].astype(float))
        missing = np.setdiff1d(votes["filter"][self.rows[votes["filter"]] >= 0], votes["filter"][votes["claim"]])
        added = pd.DataFrame(
            {"filter": missing, "row": self.rows[missing], "votes": 0, "cosine": self.cosines[missing], "claim": True}
        )
        votes = pd.concat([votes, added.assign(key=np.inf)], ignore_index=True) if len(added) else votes
        categories = votes[votes["row"].isin(self.tokens)].groupby("filter")["key"].min()
        before = votes["filter"].map(categories).fillna(np.inf).clip(upper=printed - 1) - 0.5
        votes["key"] = np.where(votes["claim"], np.minimum(votes["key"], before), votes["key"])
        votes = votes.sort_values(["filter", "key"], kind="stable", ignore_index=True)
        votes["rank"] = votes.groupby("filter").cumcount()
        return votes[votes["rank"] < printed].drop(columns="key").reset_index(drop=True)


def claimed(claims: np.ndarray, directions: np.ndarray, vocabulary: Vocabulary, tokens: list[str]) -> Claimed:
    """Claims as vocabulary rows; claims: token index per filter, -1 for none, [d]. directions: [d, D]."""
    rows = vocabulary.rows(tokens)
    unit = torch.nn.functional.normalize(vocabulary.vectors[torch.from_numpy(rows)].float(), dim=1).numpy()
    cosines = (directions * unit[claims]).sum(1)
    return Claimed(np.where(claims >= 0, rows[claims], -1), cosines, rows)


def scored_row(
    words: Iterable[pa.RecordBatch],
    votes: pa.Table,
    tokens: list[str],
    shape: tuple[int, int],
    depth: int,
    held_out: bool = False,
) -> Row:
    """A row to be scored from its `image_words`, part by part, and its `filter_votes`.

    shape: filters and top images. depth: words of a top image that count. held_out: whether there are tokens that
    were never supervised.
    """
    names = ("vocabulary", "categories", "unsupervised") if held_out else ("vocabulary", "categories")
    indices = {name: np.full((*shape, depth), -1, np.int64) for name in names}
    for part in words:
        part = part.filter(pc.less(part["rank"], depth))
        for candidates, row in indices.items():
            own = part.filter(pc.equal(part["candidates"], candidates))
            places = tuple(own[name].to_numpy() for name in ("filter", "image_rank", "rank"))
            row[places] = token_indices(own["word"], tokens)
    claims = {name: _claims(votes, name, tokens, shape[0]) for name in names[1:]}
    row = Row(indices, claims["categories"])
    return row.with_unsupervised(indices["unsupervised"], claims["unsupervised"]) if held_out else row


def _claims(votes: pa.Table, candidates: str, tokens: list[str], filters: int) -> np.ndarray:
    """The token that every filter claims, -1 where it claims none."""
    first = votes.filter(pc.and_(pc.equal(votes["candidates"], candidates), votes["claim"]))
    claims = np.full(filters, -1, np.int64)
    claims[first["filter"].to_numpy()] = token_indices(first["word"], tokens)
    return claims


def constant_row(order: np.ndarray, shape: tuple[int, int], depth: int, unsupervised: np.ndarray | None = None) -> Row:
    """Everything is said to be the most frequent tokens.

    order: token indices by falling frequency. unsupervised: bool [T], tokens that were never supervised: where only
    they are asked for, the most frequent of them are said.
    """

    def said(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        words = np.full(depth, -1, np.int64)
        words[: min(depth, len(chosen))] = chosen[:depth]
        return np.broadcast_to(words, (*shape, depth)), np.full(shape[0], chosen[0], np.int64)

    words, claims = said(order)
    row = Row({"vocabulary": words, "categories": words}, claims)
    if unsupervised is None or not unsupervised.any():
        return row
    words, claims = said(order[unsupervised[order]])
    return row.with_unsupervised(words, claims, words)


def shuffled_row(row: Row, fires: np.ndarray, seed: int) -> Row:
    """Every filter that has words gets those of another; fires: in how many of its top images each one does, [d].

    One that is silent in some of its images lends the words of the others: otherwise the null would say nothing
    where its lender is silent, and look worse than it is.
    """
    order = np.arange(len(row.claims))
    cycle = lending_cycle(fires, seed)
    order[cycle] = np.roll(cycle, 1)
    lent = np.maximum(fires, 1)[order][:, None]  # top images come first, silent ones last
    words = {name: each[order[:, None], np.arange(each.shape[1])[None] % lent] for name, each in row.words.items()}
    return Row(words, row.claims[order], {name: claims[order] for name, claims in row.others.items()})


def dissected_row(
    overlaps: pa.Table,
    tokens: list[str],
    shape: tuple[int, int],
    depth: int,
    unsupervised: np.ndarray | None = None,
) -> Row:
    """Network Dissection's tokens, the same for all top images of a filter; none that overlap nowhere.

    unsupervised: bool [T], tokens that were never supervised: where only they are asked for, the best of them are
    said.
    """
    found = overlaps.select(["filter", "rank", "iou"]).to_pandas()
    found["token"] = token_indices(overlaps["token"], tokens)
    found = found[found["iou"] > 0].sort_values(["filter", "rank"])

    def said(part: pd.DataFrame) -> np.ndarray:
        ranks = part.groupby("filter").cumcount()
        part, ranks = part[ranks < depth], ranks[ranks < depth]
        words = np.full((shape[0], depth), -1, np.int64)
        words[part["filter"], ranks] = part["token"]
        return np.broadcast_to(words[:, None], (*shape, depth))

    words = said(found)
    row = Row({"vocabulary": words, "categories": words}, words[:, 0, 0].copy())
    if unsupervised is None or not unsupervised.any():
        return row
    words = said(found[unsupervised[found["token"]]])
    return row.with_unsupervised(words, words[:, 0, 0].copy(), words)


def clip_row(words: pa.Table, tokens: Tokens, shape: tuple[int, int], depth: int) -> Row:
    """CLIP-Dissect's words, the same for all top images of a filter; words: the `clip_words` table."""
    found = words.select(["candidates", "filter", "rank"]).to_pandas()
    found["token"] = token_indices(words["word"], tokens.every)
    found = found[found["rank"] < depth]

    def said(candidates: str) -> np.ndarray:
        part = found[found["candidates"] == candidates]
        said = np.full((shape[0], depth), -1, np.int64)
        said[part["filter"], part["rank"]] = part["token"]
        return np.broadcast_to(said[:, None], (*shape, depth))

    own = {name: said(name) for name in ("vocabulary", "categories")}
    row = Row(own, own["categories"][:, 0, 0].copy())
    if not tokens.unsupervised.any():
        return row
    unsupervised = said("unsupervised")
    return row.with_unsupervised(unsupervised, unsupervised[:, 0, 0].copy())


def compared_rows(
    words: Row,
    labels: pa.ChunkedArray,
    overlaps: pa.Table,
    tokens: Tokens,
    maxima: np.ndarray,
    depth: int,
    seed: int,
    clip_words: pa.Table | None = None,
) -> dict[str, Row]:
    """What the words are scored beside, by row: constant words, words of other filters, Network Dissection, and
    CLIP-Dissect where there is a CLIP model.

    labels: the tokens of every annotation that was trained on; overlaps: the `overlaps` table; maxima: of the top
    images [d, p]; clip_words: the table of that name.
    """
    frequent = most_frequent(labels, tokens.every)
    clip = {} if clip_words is None else {"clip_dissect": clip_row(clip_words, tokens, maxima.shape, depth)}
    return {
        "constant_words": constant_row(frequent, maxima.shape, depth, tokens.unsupervised),
        "shuffled_filters": shuffled_row(words, (maxima > 0).sum(1), seed),
        "dissection": dissected_row(overlaps, tokens.every, maxima.shape, depth, tokens.unsupervised),
        **clip,
    }


@dataclass(frozen=True)
class SaidPaths:
    """Tables of what is said of filters: by explainers, of which the words' own is one, and by the rivals.

    paths_to_words and paths_to_votes go by row: words, shuffled_labels. path_to_clip_words: of CLIP-Dissect, where it
    is a rival.
    """

    paths_to_words: Mapping[str, str | Path]
    paths_to_votes: Mapping[str, str | Path]
    path_to_overlaps: str | Path
    path_to_clip_words: str | Path | None = None

    @classmethod
    def of(cls, files: Mapping, explainers: list[str]) -> SaidPaths:
        """From a rule's files of these names, and of the explainers'."""
        words, votes = ({name: files[f"{name}_by_{what}"] for name in explainers} for what in ("image", "filter"))
        return cls(words, votes, files["overlaps"], files.get("clip_words") or None)

    def rows(
        self, labels: pa.ChunkedArray, tokens: Tokens, maxima: np.ndarray, depth: int, seed: int
    ) -> dict[str, Row]:
        """All rows to be scored; what is asked for is said of `scored_row` and `compared_rows`."""
        held_out = tokens.unsupervised.any()
        rows = {
            name: scored_row(
                tables.batches(path, "image_words", WORD_COLUMNS, rows=65536),
                tables.read(self.paths_to_votes[name], "filter_votes"),
                tokens.every,
                maxima.shape,
                depth,
                held_out=held_out,
            )
            for name, path in self.paths_to_words.items()
        }
        overlaps = tables.read(self.path_to_overlaps, "overlaps")
        clip = tables.read(self.path_to_clip_words, "clip_words") if self.path_to_clip_words else None
        return rows | compared_rows(rows[WORDS], labels, overlaps, tokens, maxima, depth, seed, clip)
