"""Where words are looked for: the whole vocabulary, or the categories' own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from filterscope import tables
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.targets import Tokens

# A vocabulary, and the row of each of its words in the whole one.
Candidates = dict[str, tuple[Vocabulary, np.ndarray]]


def candidates(
    vocabulary: Vocabulary, tokens: list[str], allowed: list[str] | None = None, held_out: Sequence[str] = ()
) -> Candidates:
    """Candidates "vocabulary" (all of it, or the allowed words), "categories" (the tokens) and, where there are any,
    "unsupervised" (the tokens that were held out).

    Raises VocabularyError naming the tokens without a vector. Allowed words without one are passed over; none
    left is an error.
    """
    rows = np.arange(len(vocabulary))
    whole = vocabulary
    if allowed is not None:
        known = [word for word in dict.fromkeys(allowed) if word in vocabulary]
        if not known:
            raise ValueError(f"words.allowed lists {len(allowed)} words, none of which has a vector")
        whole, rows = vocabulary.restricted(known), vocabulary.rows(known)
    found = {
        "vocabulary": (whole, rows),
        "categories": (vocabulary.restricted(tokens), vocabulary.rows(tokens)),
    }
    if len(held_out):
        found["unsupervised"] = (vocabulary.restricted(held_out), vocabulary.rows(held_out))
    return found


def read_allowed(path: str | Path | None) -> list[str] | None:
    """The words of a list, one a line; None for no path."""
    if not path:
        return None
    return [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]


def read_candidates(
    path_to_categories: str | Path, path_to_vocabulary: str | Path, path_to_allowed: str | Path | None
) -> tuple[Vocabulary, Candidates]:
    """The `vocabulary` with a row for each token of the `categories`, and its `candidates`."""
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    vocabulary = Vocabulary.from_table(tables.read(path_to_vocabulary, "vocabulary")).including(tokens.every)
    return vocabulary, candidates(vocabulary, tokens.every, read_allowed(path_to_allowed))
