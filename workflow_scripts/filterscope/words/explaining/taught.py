"""The words that an explainer is taught, among all words of its vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.targets import token_list


@dataclass(frozen=True, eq=False)
class TaughtWords:
    """Tokens of the supervised categories, [C], and their rows, int64 [C], among all words, unit vectors [V, D]."""

    tokens: list[str]
    rows: np.ndarray
    every: torch.Tensor

    @classmethod
    def of(cls, categories: pd.DataFrame, vocabulary: Vocabulary) -> TaughtWords:
        """From the `categories` table; all of its tokens become words of the vocabulary.

        Raises VocabularyError naming the tokens that have no vector.
        """
        tokens = token_list(categories)
        vocabulary = vocabulary.including(token_list(categories, supervised_only=False))
        return cls(tokens, vocabulary.rows(tokens), vocabulary.vectors)

    @property
    def vectors(self) -> torch.Tensor:
        """Of the tokens, [C, D]."""
        return self.every[self.rows]

    def decisive(self, negatives: bool) -> np.ndarray:
        """Vectors that a training depends on: all words' where other words are pushed away, else the tokens'."""
        return (self.every if negatives else self.vectors).numpy()
