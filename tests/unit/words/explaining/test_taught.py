"""An explainer is taught the tokens of supervised categories; all tokens are words that may be said."""

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope.data.vocabularies.vector_files import VocabularyError
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.taught import TaughtWords

CATEGORIES = pd.DataFrame(
    {
        "category": ["kite", "hot dog", "traffic light"],
        "tokens": [["kite"], ["hot", "dog"], ["traffic_light"]],
        "supervised": [True, True, False],
    }
)


def vocabulary(*words):
    return Vocabulary(words, np.random.default_rng(0).normal(size=(len(words), 8)))


def test_tokens_of_supervised_categories_are_taught_among_all_words():
    known = vocabulary("dog", "light", "hot", "traffic", "kite", "tree")
    taught = TaughtWords.of(CATEGORIES, known)
    assert taught.tokens == ["kite", "hot", "dog"]
    assert taught.rows.tolist() == [4, 2, 0]
    torch.testing.assert_close(taught.vectors, known.vectors[[4, 2, 0]])
    assert len(taught.every) == 7, "the compound of a category that is not supervised is a word, too"
    torch.testing.assert_close(taught.every[:6], known.vectors)


def test_a_training_depends_on_all_words_only_where_others_are_pushed_away():
    taught = TaughtWords.of(CATEGORIES, vocabulary("dog", "light", "hot", "traffic", "kite", "tree"))
    assert np.array_equal(taught.decisive(negatives=False), taught.vectors.numpy())
    assert np.array_equal(taught.decisive(negatives=True), taught.every.numpy())


def test_a_token_without_a_vector_is_named():
    with pytest.raises(VocabularyError, match="no vector for 'traffic_light'"):
        TaughtWords.of(CATEGORIES, vocabulary("dog", "hot", "kite"))
