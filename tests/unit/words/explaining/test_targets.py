"""Tokens as arrays, against naive loops."""

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from filterscope.words.explaining.targets import Tokens, most_frequent, multi_hot, token_indices, token_list

WORDS = ["red", "blue", "square", "disc", "stop", "sign"]
rows = st.lists(st.lists(st.sampled_from([*WORDS, "unknown", "Red"]), max_size=4), max_size=12)


def column(lists, chunks=1):
    parts = np.array_split(np.arange(len(lists)), chunks)
    return pa.chunked_array(
        [pa.array([lists[i] for i in part], pa.list_(pa.string())) for part in parts], pa.list_(pa.string())
    )


@settings(max_examples=100)
@given(rows, st.permutations(WORDS), st.integers(1, 6), st.integers(1, 3))
def test_multi_hot_equals_a_loop(lists, order, count, chunks):
    known = order[:count]
    found = multi_hot(column(lists, chunks), known)
    assert found.dtype == bool
    assert found.tolist() == [[token in own for token in known] for own in lists]


@settings(max_examples=100)
@given(st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=15), st.permutations(WORDS), st.booleans())
def test_token_indices_equal_a_loop(words, known, chunked):
    known = known[:4]
    array = pa.array(words, pa.string())
    array = pa.chunked_array([array[:5], array[5:]]) if chunked else array
    found = token_indices(array, known)
    assert found.dtype == np.int64
    assert found.tolist() == [known.index(word) if word in known else -1 for word in words]


def test_a_missing_claim_is_no_token():
    assert token_indices(pa.array(["red", None], pa.string()), ["red"]).tolist() == [0, -1]


def test_tokens_that_a_supervised_category_has_were_supervised():
    categories = pd.DataFrame(
        {
            "tokens": [["traffic", "light"], ["light", "bulb"], ["tree"], ["bulb", "lamp"]],
            "supervised": [True, False, True, False],
        }
    )
    tokens = Tokens.of(categories)
    assert tokens.every == ["traffic", "light", "bulb", "tree", "lamp"]
    assert tokens.supervised == ["traffic", "light", "tree"]
    assert tokens.held_out == ["bulb", "lamp"]
    for candidates in ("unsupervised", "vocabulary_unsupervised"):
        assert tokens.asked[candidates].tolist() == [False, False, True, False, True]
    assert Tokens.of(categories.assign(supervised=True)).asked == {}


def test_token_list_keeps_order_and_supervision():
    categories = pd.DataFrame(
        {
            "tokens": [["stop", "sign"], ["red"], ["traffic", "sign"]],
            "supervised": [True, False, True],
        }
    )
    assert token_list(categories) == ["stop", "sign", "traffic"]
    assert token_list(categories, supervised_only=False) == ["stop", "sign", "red", "traffic"]


def test_the_80_names_of_coco_give_92_tokens():
    names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    names = [name for name in names if name not in ("__background__", "N/A")]
    assert len(names) == 80
    categories = pd.DataFrame({"tokens": [name.split(" ") for name in names], "supervised": True})
    assert len(token_list(categories)) == 92


def test_most_frequent_counts_objects_ties_to_the_smaller_index():
    lists = [["red", "disc"], ["red"], ["blue"], ["disc"], ["unknown"]]
    assert most_frequent(column(lists), ["blue", "disc", "red", "square"]).tolist() == [1, 2, 0, 3]
