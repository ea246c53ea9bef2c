"""What leads across an atlas: from a photograph to its strongest filters, from a word to near words, from a layer's
filters to those of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from filterscope import tables
from filterscope.report.atlas.beside import Asked
from filterscope.report.atlas.maps import firing_together

STRONGEST = 10  # filters of a photograph
MOST_WORDS = 20_000  # of a vocabulary, its most frequent, whose neighbours are told
NEAR_WORDS, NEAR = 8, 0.35  # so many words that filters have, and the cosine that one must have at least
MOST_MATCHES = 40  # pairs of layers whose filters are matched
MATCHED = 0.2  # correlation below which no filter is another's match


def strongest(maxima: np.ndarray, largest: np.ndarray, filters: np.ndarray) -> dict:
    """Of every photograph, the STRONGEST filters and their shares: maximum over the filter's largest maximum.

    maxima: [photographs, filters of the layer], NaN for photographs that were not looked at; largest: of every filter;
    filters: those that are shown, ascending.
    """
    own, most = maxima[:, filters].astype(np.float64), largest[filters].astype(np.float64)
    shares = np.divide(own, most, out=np.zeros_like(own), where=most > 0)
    shares = np.where(np.isfinite(shares), shares, 0.0)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :STRONGEST]
    values = np.take_along_axis(shares, order, 1)
    rows = [
        [(int(filters[place]), round(float(share), 3)) for place, share in zip(*each, strict=True) if share > 0]
        for each in zip(order, values, strict=True)
    ]
    return {
        "filters": [[number for number, _ in row] for row in rows],
        "shares": [[share for _, share in row] for row in rows],
    }


def near_words(vocabulary: Path, known: Iterable[str]) -> dict:
    """Of every word of a vocabulary, those nearest to it that filters have: words, codes of near ones, cosines.

    vocabulary: path to the table of that name, the most frequent words first; known: words that filters have.
    """
    wanted = set(known)
    words, vectors = [], []
    for batch in tables.batches(vocabulary, "vocabulary", ["row", "word", "vector"], 20_000):
        texts = batch["word"].to_pylist()
        kept = [
            place for place, row in enumerate(batch["row"].to_pylist()) if row < MOST_WORDS or texts[place] in wanted
        ]
        if kept:
            words += [texts[place] for place in kept]
            vectors.append(tables.matrix(batch["vector"])[kept])
    if not words:
        return {"words": [], "near": [], "cosine": []}
    matrix = np.concatenate(vectors).astype(np.float32)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    codes = np.array([place for place, word in enumerate(words) if word in wanted], np.int64)
    near, cosine = [], []
    for start in range(0, len(words), 1024):
        products = matrix[start : start + 1024] @ matrix[codes].T
        same = start + np.arange(len(products))[:, None] == codes[None]
        products[same] = -1.0
        count = min(NEAR_WORDS, len(codes))
        some = (
            np.argpartition(-products, count - 1, axis=1)[:, :count]
            if count
            else np.zeros((len(products), 0), np.int64)
        )
        for place, row in enumerate(products):
            order = some[place][np.argsort(-row[some[place]], kind="stable")]
            order = order[row[order] >= NEAR]
            near.append(codes[order].tolist())
            cosine.append([round(float(each), 3) for each in row[order]])
    return {"words": words, "near": near, "cosine": cosine}


def pairs(
    layers: Sequence[Asked],
    albums: Mapping[tuple[int, str], tuple[int, str]],
    together: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Pairs of layers whose filters can be matched: seen on the same photographs. Those that belong together in two
    studies come first, then those of the same module in two networks, then neighbours in the study; of two studies only
    the first; MOST_MATCHES at most, in order.

    albums: which datasets are the same as another one; together: pairs of layers of two studies.
    """
    found = [
        (earlier.number, later.number)
        for place, later in enumerate(layers)
        for earlier in layers[:place]
        if earlier.given["firing"]
        and later.given["firing"]
        and albums.get(earlier.album, earlier.album) == albums.get(later.album, later.album)
        and (earlier.study, earlier.given["firing"]) != (later.study, later.given["firing"])
        and (earlier.study == later.study or (earlier.number, later.number) in together)
    ]
    modules = {each.number: each.given["layer"] for each in layers}

    def order(pair: tuple[int, int]) -> tuple:
        first, second = pair
        return pair not in together, modules[first] != modules[second], second - first, pair

    return sorted(sorted(found, key=order)[:MOST_MATCHES])


def matches(
    first: np.ndarray, second: np.ndarray, shown: np.ndarray, others: np.ndarray, numbered: bool = False
) -> dict:
    """Of every shown filter, the filter of the other layer whose maxima over the same images follow its own best.

    first, second: maxima [images, filters]; shown, others: filters of either layer that are shown; numbered: whether
    filters of the same number are the same ones, whose correlations are then told, too.
    """
    products = firing_together(first)[shown] @ firing_together(second)[others].T
    best = products.argmax(1) if len(others) else np.zeros(len(shown), np.int64)
    values = products[np.arange(len(shown)), best] if len(others) else np.zeros(len(shown))
    found = {
        "filter": [int(others[place]) if value >= MATCHED else None for place, value in zip(best, values, strict=True)],
        "correlation": [round(float(value), 3) if value >= MATCHED else None for value in values],
    }
    if numbered:
        places = {int(number): place for place, number in enumerate(others)}
        own = [(row, places.get(int(number))) for row, number in enumerate(shown)]
        found["same"] = [None if place is None else round(float(products[row, place]), 3) for row, place in own]
    return found
