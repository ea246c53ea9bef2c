"""Which words are new: not a category of the reference dataset, nor a form of one.

The reproduction left open how many of its "novel" words are plurals of categories (seed 000, 5.1).
"""

from __future__ import annotations

from collections.abc import Iterable

import simplemma


def fold(word: str) -> str:
    """The lemma of an English word, in lower case: "Zebras" and "zebra" fold alike."""
    return simplemma.lemmatize(word.lower(), lang="en").lower()


def novel(words: Iterable[str], tokens: Iterable[str]) -> list[bool]:
    """For each word, whether its lemma differs from that of every token."""
    known = {form for token in tokens for form in (token.lower(), fold(token))}
    return [word.lower() not in known and fold(word) not in known for word in words]
