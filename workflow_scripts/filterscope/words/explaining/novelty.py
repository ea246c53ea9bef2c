"""Which words are new: not a category of the reference dataset, nor a form of one.

The reproduction left open how many of its "novel" words are plurals of categories (LaViSE, 5.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import simplemma


def fold(word: str) -> str:
    """The lemma of an English word, in lower case: "Zebras" and "zebra" fold alike."""
    return simplemma.lemmatize(word.lower(), lang="en").lower()


def novel(words: Iterable[str], tokens: Iterable[str]) -> list[bool]:
    """For each word, whether its lemma differs from that of every token."""
    known = {form for token in tokens for form in (token.lower(), fold(token))}
    return [word.lower() not in known and fold(word) not in known for word in words]


def share_of_new(batches: Iterable[pa.RecordBatch], tokens: Iterable[str], first: int) -> float | None:
    """Of the first words that every filter's every top image gets from the vocabulary, the share that is new.

    batches: of `image_words`, with candidates, rank and word. None where no image has words.
    """
    counts = Counter()
    for batch in batches:
        taken = pc.and_(pc.equal(batch["candidates"], "vocabulary"), pc.less(batch["rank"], first))
        for each in pc.value_counts(pc.filter(batch["word"], taken)).to_pylist():
            counts[each["values"]] += each["counts"]
    new = dict(zip(counts, novel(counts, tokens), strict=True))
    return sum(count for word, count in counts.items() if new[word]) / counts.total() if counts else None
