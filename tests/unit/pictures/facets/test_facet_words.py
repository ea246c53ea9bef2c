"""Words that tell facets apart: where units fire, contrasts against a plain loop, and chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.pictures.facets.figures import facet_names
from filterscope.pictures.facets.words import PROPOSED, Located, located, words_apart
from filterscope.pictures.files import CHANCE

DIMENSION, WORDS = 64, 40


@pytest.fixture
def vocabulary():
    vectors = np.random.default_rng(1).standard_normal((WORDS, DIMENSION)).astype(np.float32)
    return Vocabulary([f"word{number}" for number in range(WORDS)], vectors)


def found(points, facets, unit=3):
    rows = pd.DataFrame({"unit": unit, "class": "things", "facet": facets})
    return Located(rows, functional.normalize(torch.as_tensor(points, dtype=torch.float32), dim=1))


def test_maps_are_pooled_where_the_unit_fires():
    maps = torch.arange(24.0).reshape(2, 3, 4)
    fired = torch.zeros(2, 3, 4)
    fired[0, 1, 2], fired[1] = 5.0, 2.0
    fired[0, 0, 0] = -7.0
    shown = located(maps, fired, "mean")
    assert torch.allclose(shown[0], maps[:, 1, 2] / 12), "one cell alone, as under a mask of one cell"
    assert torch.allclose(shown[1], maps.flatten(1).mean(1)), "the whole map"
    assert torch.allclose(located(maps, fired, "native")[1], maps.flatten())
    assert located(maps, torch.ones(1, 6, 8), "mean").shape == (1, 2), "the unit's map may be of another size"


def test_contrasts_are_those_of_a_plain_loop(vocabulary):
    points = np.random.default_rng(0).standard_normal((20, DIMENSION))
    facets = np.array([0] * 8 + [1] * 7 + [2] * 5)
    given = found(points, facets)
    table = words_apart(given, vocabulary, 6, seed=0)
    cosines = given.points.numpy() @ vocabulary.vectors.numpy().T
    first = np.argsort(-cosines, axis=1)[:, :PROPOSED]
    for facet in range(3):
        inside = facets == facet
        contrast = cosines[inside].mean(0) - cosines[~inside].mean(0)
        asked = np.unique(first[inside])
        wanted = asked[np.argsort(-contrast[asked])][:6]
        rows = table[table["facet"] == facet]
        assert rows["word"].tolist() == [f"word{word}" for word in wanted]
        assert rows["contrast"].to_numpy() == pytest.approx(contrast[wanted], abs=1e-6)
        assert rows["cosine"].to_numpy() == pytest.approx(cosines[inside].mean(0)[wanted], abs=1e-6)
        assert rows["votes"].tolist() == [(first[inside] == word).sum() for word in wanted]
        assert rows["p"].is_monotonic_increasing
        assert rows["rank"].tolist() == list(range(6))


def test_a_planted_difference_is_found_and_chance_is_not(vocabulary):
    """Facets of one kind of image have a word apart in one of twenty cases, as the p says; two kinds have theirs."""
    generator, by_chance = np.random.default_rng(0), []
    facets = np.array([0] * 15 + [1] * 15)
    for number in range(60):
        same = generator.standard_normal((30, DIMENSION))
        by_chance.append(words_apart(found(same, facets), vocabulary, 1, seed=number)["p"].min() <= CHANCE)
        apart = same + 10 * vocabulary.vectors.numpy()[np.where(facets == 0, 7, 8)]
        first = words_apart(found(apart, facets), vocabulary, 1, seed=number)
        assert first["word"].tolist() == ["word7", "word8"]
        assert (first["p"] == 0.001).all()
    assert np.mean(by_chance) <= 0.2, "two facets, one in twenty each"


def test_a_word_of_the_categories_is_the_name_where_it_tells_the_facet_apart(vocabulary):
    """Words that keep its company come nearer to the difference of two facets than the word that was taught."""
    generator, facets = np.random.default_rng(0), np.array([0] * 15 + [1] * 15)
    vectors = vocabulary.vectors.numpy().copy()
    vectors[9] = vectors[7] + 0.6 * vectors[20]  # the taught word has something that no image shows
    near = Vocabulary(vocabulary.words, vectors)
    apart = generator.standard_normal((30, DIMENSION)) + 10 * vectors[np.where(facets == 0, 7, 8)]
    given = found(apart, facets)
    by_contrast = words_apart(given, near, 4, seed=0)
    assert by_contrast["word"].iloc[0] == "word7"
    table = words_apart(given, near, 4, seed=0, taught={"word9", "word30"})
    own = table[table["facet"] == 0]
    assert own["word"].iloc[:2].tolist() == ["word9", "word7"]
    assert own["contrast"].iloc[0] < own["contrast"].iloc[1]
    assert own["rank"].tolist() == [0, 1, 2, 3]
    assert table[table["facet"] == 1]["word"].tolist() == by_contrast[by_contrast["facet"] == 1]["word"].tolist()
    same = found(generator.standard_normal((30, DIMENSION)), facets)
    by_chance = words_apart(same, near, 4, seed=0, taught=set(near.words[20:])), words_apart(same, near, 4, seed=0)
    assert by_chance[0].equals(by_chance[1]), "a word that tells nothing apart is no name"


def test_a_facet_without_others_has_its_nearest_words(vocabulary):
    points = vocabulary.vectors.numpy()[[4] * 5]
    table = words_apart(found(points, np.zeros(5, int)), vocabulary, 3, seed=0)
    assert table["word"].iloc[0] == "word4"
    assert table[["contrast", "p"]].isna().all(axis=None)
    assert facet_names(table)[3, 0].startswith("word4, ")
    assert words_apart(found(np.zeros((0, DIMENSION)), []), vocabulary, 3, seed=0).empty


def test_a_facet_that_no_word_tells_apart_says_so():
    rows = {"unit": 0, "facet": [0, 0, 1, 1], "rank": [0, 1, 0, 1], "word": ["red", "hot", "the", "of"]}
    table = pd.DataFrame({**rows, "p": [0.01, 0.2, 0.31, 0.5]})
    assert facet_names(table) == {(0, 0): "red", (0, 1): "no word tells it apart (the: p 0.31)"}
