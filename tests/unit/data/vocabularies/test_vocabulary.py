"""Words are found by their vectors, exactly, in order, and also when there are ties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope import tables
from filterscope.data.vocabularies import vocabulary as module
from filterscope.data.vocabularies.vocabulary import (
    Vocabulary,
    VocabularyError,
    largest,
    largest_of_few,
    spelt,
    without_common_component,
)


@pytest.fixture
def animals():
    return Vocabulary(["dog", "cat", "cow"], np.array([[3, 4], [0, 2], [-1, 0]]))


def random_vocabulary(n, dimension, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, dimension))
    return Vocabulary([f"word{i}" for i in range(n)], vectors)


def test_vectors_are_normalised_and_found_by_word(animals):
    torch.testing.assert_close(animals.vectors, torch.tensor([[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]]))
    assert animals.vectors.dtype == torch.float32
    assert (len(animals), animals.dimension, "cat" in animals, "Cat" in animals) == (3, 2, True, False)
    assert animals.row("cow") == 2
    assert animals.rows(["cat", "dog", "cat"]).tolist() == [1, 0, 1]
    assert animals.missing(["hen", "cat", "pig", "hen"]) == ["hen", "pig"]
    for ask in (animals.rows, animals.restricted):
        with pytest.raises(VocabularyError, match="no vector for 'hen', 'pig' among the 3 words"):
            ask(["hen", "cat", "pig"])


def test_a_restricted_vocabulary_has_these_words_in_this_order(animals):
    few = animals.restricted(["cow", "dog"])
    assert few.words == ["cow", "dog"]
    torch.testing.assert_close(few.vectors, animals.vectors[[2, 0]])
    assert few.row("dog") == 1


def test_known_nearest_words(animals):
    cosines, rows = animals.nearest(torch.tensor([[0.0, 9.0], [-2.0, 0.0]]), k=2)
    assert rows.tolist() == [[1, 0], [2, 1]]
    torch.testing.assert_close(cosines, torch.tensor([[1.0, 0.8], [1.0, 0.0]]))


def test_nearest_is_a_full_sort_whatever_the_chunks(monkeypatch):
    words = random_vocabulary(1000, 6)
    queries = torch.randn(37, 6, generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.cosine_similarity(queries[:, None].double(), words.vectors.double(), dim=2)
    values, order = expected.sort(dim=1, descending=True, stable=True)
    for block, chunk in ((128, 5), (1 << 15, 64), (64, 1)):
        monkeypatch.setattr(module, "WORD_BLOCK", block)
        cosines, rows = words.nearest(queries, k=3, chunk=chunk)
        assert torch.equal(rows, order[:, :3])
        torch.testing.assert_close(cosines.double(), values[:, :3], atol=1e-6, rtol=0)


def test_of_equal_words_the_lower_row_comes_first_across_blocks(monkeypatch):
    monkeypatch.setattr(module, "WORD_BLOCK", 64)
    vectors = np.tile([[1.0, 0.0], [0.0, 1.0]], (300, 1))
    words = Vocabulary([f"word{i}" for i in range(600)], vectors)
    cosines, rows = words.nearest(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), k=5)
    assert rows.tolist() == [[0, 2, 4, 6, 8], [0, 1, 2, 3, 4]]
    assert cosines.tolist() == [[1.0] * 5, [0.0] * 5]


@settings(max_examples=60)
@given(
    width=st.sampled_from([1, 7, 64, 65, 640, 1024]),
    k=st.integers(1, 9),
    kinds=st.sampled_from([1, 2, 5, 1000]),
    seed=st.integers(0, 99),
)
def test_the_largest_are_those_of_a_stable_sort(width, k, kinds, seed):
    scores = torch.randint(kinds, (8, width), generator=torch.Generator().manual_seed(seed)).float()
    values, columns = scores.sort(dim=1, descending=True, stable=True)
    found, where = largest(scores, k)
    assert torch.equal(found, values[:, :k])
    assert torch.equal(where, columns[:, :k])


@pytest.mark.parametrize(("width", "k"), [(30, 7), (30, 30), (5, 9)])
def test_of_few_scores_equal_and_infinite_ones_come_in_their_order(width, k):
    scores = torch.randint(0, 6, (200, width), generator=torch.Generator().manual_seed(0)).float()
    scores[:, ::3] = -torch.inf
    values, columns = largest_of_few(scores, k)
    expected = scores.sort(dim=1, descending=True, stable=True)
    assert torch.equal(values, expected.values[:, :k])
    assert torch.equal(columns, expected.indices[:, :k])


def test_compounds_get_the_mean_of_their_words(animals):
    first, second = animals.words[:2]
    compound = f"{first}_{second}"
    more = animals.including([first, compound, compound])
    assert more.words == [*animals.words, compound]
    expected = (animals.vectors[0] + animals.vectors[1]) / 2
    torch.testing.assert_close(more.vectors[-1], expected / expected.norm())
    assert more.rows([compound, first]).tolist() == [len(animals), 0]
    assert more.nearest(expected[None], 1)[1].item() == len(animals)
    assert animals.including([first]) is animals
    with pytest.raises(VocabularyError, match=f"no vector for '{first}_unicorn', 'unicorn' among the 3 words"):
        animals.including([compound, f"{first}_unicorn", "unicorn"])


def test_a_token_is_spelt_by_its_words():
    words = {"traffic", "light", "t-shirt", "hot_dog"}
    assert spelt("traffic_light", words) == ["traffic", "light"]
    assert spelt("t-shirt", words) == ["t-shirt"]
    assert spelt("hot_dog", words) == ["hot_dog"]  # a word of its own where the vocabulary has one
    assert spelt("traffic light", words) == ["traffic", "light"]
    assert spelt("traffic_cone", words) == spelt("_light", words) == spelt("", words) == []


def test_what_cannot_be_asked_is_said(animals):
    for k in (0, 4):
        with pytest.raises(VocabularyError, match=f"k is {k}, should be from 1 to the 3 words"):
            animals.nearest(torch.ones(1, 2), k)
    with pytest.raises(VocabularyError, match=r"queries are \[1, 3\], should be \[n, 2\]"):
        animals.nearest(torch.ones(1, 3), 1)


def test_vectors_without_direction_and_repeated_words_are_refused():
    with pytest.raises(VocabularyError, match="zero or infinite length: 'b', 'c'"):
        Vocabulary(["a", "b", "c"], np.array([[1, 0], [0, 0], [np.inf, 0]]))
    with pytest.raises(VocabularyError, match="'a' comes twice"):
        Vocabulary(["a", "b", "a"], np.ones((3, 2)))
    with pytest.raises(VocabularyError, match=r"2 words with vectors \[3, 2\], should be \[2, D\]"):
        Vocabulary(["a", "b"], np.ones((3, 2)))


def test_a_table_keeps_words_and_vectors(tmp_path):
    words = random_vocabulary(20, 5)
    tables.write(words.to_table(), "vocabulary", tmp_path / "vocabulary.parquet")
    read = Vocabulary.from_table(tables.read(tmp_path / "vocabulary.parquet", "vocabulary"))
    assert read.words == words.words
    torch.testing.assert_close(read.vectors, words.vectors, atol=1e-7, rtol=0)


def test_the_common_component_is_removed():
    generator = np.random.default_rng(0)
    direction, mean = np.eye(6)[1], np.arange(6)
    own = generator.normal(size=(500, 6))
    vectors = (mean + own + 50 * generator.normal(size=(500, 1)) * direction).astype(np.float32)
    before = vectors.copy()
    assert np.array_equal(without_common_component(vectors, -1), vectors)
    centred = without_common_component(vectors, 0)
    np.testing.assert_allclose(centred, vectors - vectors.mean(0), atol=1e-3)
    without = without_common_component(vectors, 1)
    assert abs(without @ direction).max() < 0.2  # the strongest direction has gone ...
    other = [0, 2, 3, 4, 5]
    np.testing.assert_allclose(without[:, other], centred[:, other], atol=0.5)  # ... and no other
    assert np.linalg.matrix_rank(without_common_component(vectors, 4), tol=1e-2) == 2
    assert np.array_equal(vectors, before)
    for n in (-2, 6):
        with pytest.raises(VocabularyError, match=f"remove_components is {n}, should be from -1 to 5"):
            without_common_component(vectors, n)


def test_names_of_several_words_have_the_mean_of_their_vectors():
    words = Vocabulary(["dining", "table", "hot"], torch.eye(3))
    whole = words.including(["dining table", "table", "hot_table"])
    assert whole.words == ["dining", "table", "hot", "dining table", "hot_table"]
    torch.testing.assert_close(whole.vectors[3], torch.tensor([0.5, 0.5, 0.0]).sqrt())
    with pytest.raises(VocabularyError, match="no vector for 'dining room'"):
        words.including(["dining room"])
