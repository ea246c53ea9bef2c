"""CLIP-Dissect over embeddings: which concepts there are, and what filters are called."""

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.words.explaining.targets import Tokens
from filterscope.words.rivals.clip_dissection import concepts, dissect, live
from filterscope.words.rivals.open_clip_models import ClipError
from filterscope.words.rivals.soft_wpmi import ClipDissectSettings

CATEGORIES = pd.DataFrame(
    {"tokens": [["red"], ["traffic_light"], ["blue"]], "supervised": [True, True, False], "category": ["r", "t", "b"]}
)
TOKENS = Tokens.of(CATEGORIES)
WORDS = ["red", "the", "blue", "red", "traffic_light"]  # of the vocabulary, then of the tokens
VECTORS = np.eye(5, 6, dtype=np.float32)


def test_concepts_are_the_vocabulary_with_the_tokens_and_the_tokens_alone():
    found, unread = concepts(WORDS, VECTORS, TOKENS, None)
    assert {name: each.words for name, each in found.items()} == {
        "vocabulary": ["red", "the", "blue", "traffic_light"],
        "categories": ["red", "traffic_light", "blue"],
        "unsupervised": ["blue"],
    }
    assert unread == []
    np.testing.assert_array_equal(found["categories"].vectors.numpy(), VECTORS[[0, 4, 2]])


def test_only_allowed_words_of_the_vocabulary_are_concepts():
    assert concepts(WORDS, VECTORS, TOKENS, ["the", "blue", "green"])[0]["vocabulary"].words == ["the", "blue"]


def test_tokens_that_the_model_cannot_read_are_told():
    found, unread = concepts(WORDS[:3], VECTORS[:3], TOKENS, None)
    assert unread == ["traffic_light"]
    assert found["categories"].words == ["red", "blue"]
    with pytest.raises(ClipError, match="can read none of the 3 tokens"):
        concepts(["the"], VECTORS[:1], TOKENS, None)


def test_filters_are_called_what_their_images_show():
    """Filter 0 answers to red images, 1 to all alike, 2 to blue ones."""
    sought, _ = concepts(WORDS, VECTORS, TOKENS, None)
    kinds = np.repeat([0, 2, 1], 10)
    images = VECTORS[kinds]
    summaries = np.stack([kinds == 0, np.zeros(30), kinds == 2], 1).astype(np.float32)
    assert live(summaries).tolist() == [True, False, True]
    settings = ClipDissectSettings(top_images=8, most=1.0)
    found = tables.checked(
        dissect(images, summaries, sought, live(summaries), settings, 2, torch.device("cpu")), "clip_words"
    ).to_pandas()
    first = found[found["rank"] == 0].set_index(["candidates", "filter"])["word"].to_dict()
    assert first == {
        ("vocabulary", 0): "red",
        ("vocabulary", 2): "blue",
        ("categories", 0): "red",
        ("categories", 2): "blue",
        ("unsupervised", 0): "blue",
        ("unsupervised", 2): "blue",
    }
    assert found.groupby("candidates", sort=False).size().to_dict() == {
        "vocabulary": 4,
        "categories": 4,
        "unsupervised": 2,
    }
    assert (found.groupby(["candidates", "filter"])["similarity"].diff().dropna() <= 0).all()
