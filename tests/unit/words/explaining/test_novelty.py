"""New words are those of another lemma than every category (LaViSE, 5.1)."""

import pyarrow as pa
import pytest

from filterscope.words.explaining.novelty import fold, novel, share_of_new

TOKENS = ["zebra", "person", "skis", "glass", "teddy", "mouse"]


@pytest.mark.parametrize("word", ["zebra", "zebras", "Zebra", "ZEBRAS", "persons", "glasses", "mice", "ski", "skis"])
def test_forms_of_a_category_are_not_new(word):
    assert novel([word], TOKENS) == [False]


@pytest.mark.parametrize("word", ["giraffe", "stripes", "savanna", "hotel", "personal"])
def test_other_words_are_new(word):
    assert novel([word], TOKENS) == [True]


def test_goes_word_by_word_in_order():
    assert novel(["zebras", "giraffe", "Person"], TOKENS) == [False, True, False]
    assert novel([], TOKENS) == []
    assert fold("Zebras") == fold("zebra") == "zebra"


def test_the_share_of_new_words_is_that_of_the_first_ones_of_every_image():
    """Two images in two batches: of their four first words giraffe is new, twice; later words and categories are not
    counted."""
    images = [["giraffe", "zebras", "hotel"], ["Person", "giraffe", "hotel"]]
    batches = [
        pa.RecordBatch.from_pydict(
            {
                "candidates": ["vocabulary"] * 3 + ["categories"],
                "rank": [0, 1, 2, 0],
                "word": [*words, "zebra"],
            }
        )
        for words in images
    ]
    assert share_of_new(batches, TOKENS, 2) == 0.5
    assert share_of_new(batches, TOKENS, 3) == 4 / 6
    assert share_of_new([], TOKENS, 2) is None
