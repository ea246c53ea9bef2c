"""New words are those of another lemma than every category (issue section 4)."""

import pytest

from filterscope.words.novelty import fold, novel

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
