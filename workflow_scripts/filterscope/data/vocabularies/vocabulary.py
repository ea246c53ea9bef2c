"""Words with vectors: looked up, searched for the nearest, freed of what all of them have in common."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import torch

from filterscope import tables
from filterscope.data.vocabularies.vector_files import VocabularyError

CHUNK = 256  # queries that are compared with the words at once
WORD_BLOCK = 1 << 15  # words that they are compared with at once: with CHUNK, 32 MiB of cosines
GROUP = 64  # words that a block holds a multiple of
GROUPS = 6  # groups of scores, per score that is asked for, of which first only the maximum is looked at
NAMED = 10  # words that a message names


class Vocabulary:
    """Words and their unit vectors.

    words: n distinct words. vectors: [n, D] array or tensor, any length; they are normalised, float32.
    Raises VocabularyError for a repeated word, a vector without direction (zero) or that is not finite.
    """

    def __init__(self, words: Sequence[str], vectors: np.ndarray | torch.Tensor):
        vectors = torch.as_tensor(vectors, dtype=torch.float32)
        if vectors.ndim != 2 or len(vectors) != len(words) or not len(words):
            raise VocabularyError(f"{len(words)} words with vectors {list(vectors.shape)}, should be [{len(words)}, D]")
        self.words = list(words)
        self._rows = {word: row for row, word in enumerate(self.words)}
        if len(self._rows) != len(self.words):
            repeated = next(word for row, word in enumerate(self.words) if self._rows[word] != row)
            raise VocabularyError(f"the word {repeated!r} comes twice")
        lengths = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
        wrong = torch.nonzero(~(lengths[:, 0] > 0) | ~torch.isfinite(lengths[:, 0]))[:, 0].tolist()
        if wrong:
            raise VocabularyError(f"vectors of zero or infinite length: {_some([self.words[row] for row in wrong])}")
        self.vectors = vectors / lengths
        self._elsewhere: torch.Tensor = self.vectors  # the vectors on the device last asked for

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.vectors.shape[1]

    def row(self, word: str) -> int:
        """Row of a word. Raises VocabularyError when it has no vector."""
        return int(self.rows([word])[0])

    def rows(self, words: Iterable[str]) -> np.ndarray:
        """Rows of words, int64. Raises VocabularyError naming the words that have no vector."""
        words = list(words)
        missing = self.missing(words)
        if missing:
            raise VocabularyError(f"no vector for {_some(missing)} among the {len(self)} words of the vocabulary")
        return np.array([self._rows[word] for word in words], np.int64)

    def missing(self, words: Iterable[str]) -> list[str]:
        """The words, each once, that have no vector."""
        return [word for word in dict.fromkeys(words) if word not in self._rows]

    def including(self, tokens: Iterable[str]) -> Vocabulary:
        """This vocabulary and the tokens that are compounds of its words, as traffic_light and hot dog, at its end.

        A compound's vector is the mean of its words' unit vectors. Tokens that are words already add nothing.
        Raises VocabularyError naming the tokens of which a part has no vector.
        """
        new = self.missing(tokens)
        unknown = [token for token in new if not spelt(token, self._rows)]
        if unknown:
            raise VocabularyError(f"no vector for {_some(unknown)} among the {len(self)} words of the vocabulary")
        if not new:
            return self
        means = [self.vectors[self.rows(spelt(token, self._rows))].mean(0) for token in new]
        return Vocabulary([*self.words, *new], torch.cat([self.vectors, torch.stack(means)]))

    def restricted(self, words: Iterable[str]) -> Vocabulary:
        """A vocabulary of these words only, in their order. Raises VocabularyError like `rows`."""
        words = list(words)
        return Vocabulary(words, self.vectors[torch.from_numpy(self.rows(words))])

    def nearest(self, queries: torch.Tensor, k: int, chunk: int = CHUNK) -> tuple[torch.Tensor, torch.Tensor]:
        """The k words of largest cosine to each query, best first; of equal ones the lower row.

        queries: [n, D], any length. chunk: queries compared at once, which bounds the memory.
        Returns cosines [n, k] float32 and rows [n, k] int64, on the queries' device.
        Raises VocabularyError for another D and for k beyond the vocabulary.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise VocabularyError(f"queries are {list(queries.shape)}, should be [n, {self.dimension}]")
        if not 1 <= k <= len(self):
            raise VocabularyError(f"k is {k}, should be from 1 to the {len(self)} words of the vocabulary")
        if self._elsewhere.device != queries.device:
            self._elsewhere = self.vectors.to(queries.device)
        words = self._elsewhere
        cosines = torch.empty(len(queries), k, device=queries.device)
        rows = torch.empty(len(queries), k, dtype=torch.int64, device=queries.device)
        for start in range(0, len(queries), chunk):
            part = torch.nn.functional.normalize(queries[start : start + chunk].float(), dim=1)
            best, where = None, None
            for first, last in _blocks(len(words)):
                found, columns = largest(part @ words[first:last].T, k)
                columns = columns + first
                if best is not None:
                    found, order = largest(torch.cat([best, found], 1), k)
                    columns = torch.cat([where, columns], 1).gather(1, order)
                best, where = found, columns
            cosines[start : start + chunk], rows[start : start + chunk] = best, where
        return cosines, rows

    def to_table(self) -> pa.Table:
        """The `vocabulary` table."""
        rows = pa.array(np.arange(len(self), dtype=np.int32))
        return pa.table({"row": rows, "word": self.words, "vector": tables.vectors(self.vectors.numpy())})

    @classmethod
    def from_table(cls, table: pa.Table) -> Vocabulary:
        """From the `vocabulary` table."""
        return cls(table["word"].to_pylist(), tables.matrix(table["vector"]).copy())


def spelt(token: str, words: Container[str]) -> list[str]:
    """The words that a token's vector is made of: itself or its parts (traffic_light, hot dog); none if one lacks."""
    parts = [token] if token in words else re.split("[_ ]", token)
    return parts if all(part in words for part in parts) else []


def _some(words: list[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(map(repr, words[:NAMED])) + more


def _blocks(count: int) -> list[tuple[int, int]]:
    """Ranges that cover `count` words, all but the last a multiple of GROUP long."""
    whole = count - count % GROUP
    ends = [*range(0, whole, WORD_BLOCK), whole, count]
    return [(first, last) for first, last in pairwise(ends) if first < last]


def largest(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k largest of each row, in descending order; of equal ones the lower column, which topk leaves open.

    scores: [n, m], finite. Returns values and columns [n, min(k, m)].
    """
    k, width = min(k, scores.shape[1]), scores.shape[1]
    size = width // (GROUPS * k)  # of a group
    if size < 2:
        return largest_of_few(scores, k)
    # The k groups of largest maximum have k scores that are as large: few others are, and several times faster sorted
    # than a search through all of them.
    groups = scores[:, : width - width % size].unflatten(1, (size, -1)).amax(1)
    least = groups.topk(k, dim=1, sorted=False).values.amin(1, keepdim=True)
    found = _places(scores >= least)
    rows, columns = found // width, found % width
    counts = torch.bincount(rows, minlength=len(scores))
    places = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    few = scores.new_full((len(scores), int(counts.max())), -torch.inf)
    few[rows, places] = scores[rows, columns]
    where = torch.zeros_like(few, dtype=torch.int64)
    where[rows, places] = columns
    values, order = few.sort(dim=1, descending=True, stable=True)
    return values[:, :k], where.gather(1, order[:, :k])


def _places(mask: torch.Tensor) -> torch.Tensor:
    """Where a mask is true, of its values one after the other; numpy finds them three times as fast as torch."""
    flat = mask.flatten()
    return flat.nonzero()[:, 0] if flat.is_cuda else torch.from_numpy(np.flatnonzero(flat.numpy()))


def largest_of_few(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """As `largest`, where there are few scores in a row; they may be infinite."""
    if k >= scores.shape[1]:
        return scores.sort(dim=1, descending=True, stable=True)
    values, columns = scores.topk(k + 1, dim=1)
    # Where the last value kept equals the first one left out, topk may have kept the wrong one of them.
    tied = torch.nonzero(values[:, k - 1 : k] == values[:, k:])[:, 0]
    values, columns = values[:, :k], columns[:, :k]
    if len(tied):
        columns = columns.clone()
        columns[tied] = _lowest_of_tied(scores[tied], values[tied, -1:], k)
    columns, _ = columns.sort(dim=1)
    values, order = scores.gather(1, columns).sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, order)


def _lowest_of_tied(scores: torch.Tensor, last: torch.Tensor, k: int) -> torch.Tensor:
    """Columns [n, k] above the value `last` [n, 1], and the lowest of those equal to it."""
    above, equal = scores > last, scores == last
    room = k - above.sum(1, keepdim=True)
    kept = above | (equal & (equal.cumsum(1, dtype=torch.int32) <= room))
    return torch.nonzero(kept)[:, 1].view(-1, k)


def without_common_component(vectors: np.ndarray, n: int) -> np.ndarray:
    """Vectors without what all of them have in common ("all-but-the-top", Mu & Viswanath 2018).

    vectors: [words, D]. n: -1 keeps them, 0 subtracts their mean, more also removes their first n principal
    components. Returns float32 [words, D]; the input is not changed.
    Raises VocabularyError unless -1 <= n < D.
    """
    if not -1 <= n < vectors.shape[1]:
        raise VocabularyError(f"remove_components is {n}, should be from -1 to {vectors.shape[1] - 1}, one less than D")
    if n == -1:
        return np.asarray(vectors, np.float32)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    if n:
        _, components = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        common = components[:, -n:].astype(np.float32)
        centred -= (centred @ common) @ common.T
    return centred
