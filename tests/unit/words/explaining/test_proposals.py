"""Words by cosine, evidence and novelty: equal to a slow loop; zeros are the nearest words; no word comes twice."""

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import candidates
from filterscope.words.explaining.proposals import ProposalSettings, Proposer, apart, informed, nearest_words, proposers

CPU, DIMENSION, FILTERS = torch.device("cpu"), 6, 4
NAMES = [f"word{number}" for number in range(40)]
TOKENS = ["word7", "word3", "word11", "word30"]
CHANCE = torch.Generator().manual_seed(0)
VOCABULARY = Vocabulary(NAMES, torch.randn(len(NAMES), DIMENSION, generator=CHANCE))
POINTS = 3 * torch.randn(25, DIMENSION, generator=CHANCE)
OWNERS = torch.arange(25) % FILTERS
SURPRISE = np.abs(np.random.default_rng(0).normal(3, 2, (FILTERS, len(TOKENS))))


def unit(vectors):
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def proposer(settings, allowed=None, where="vocabulary"):
    vocabulary, rows = candidates(VOCABULARY, TOKENS, allowed)[where]
    return Proposer(vocabulary, rows, VOCABULARY.restricted(TOKENS), SURPRISE, settings, CPU)


def slowly(point, u, settings, names=NAMES):
    """Words best first, with their cosines: one word at a time."""
    of_tokens, found = unit(VOCABULARY.restricted(TOKENS).vectors), []
    for name in names:
        vector = unit(VOCABULARY.vectors[NAMES.index(name)])
        if name in TOKENS:
            evidence = SURPRISE[u, TOKENS.index(name)]
        else:
            likeness = of_tokens @ vector
            evidence = SURPRISE[u, likeness.argmax()] * max(likeness.max(), 0)
        cosine = unit(point) @ vector
        found.append((cosine + settings.evidence * evidence, name, cosine))
    found.sort(reverse=True)
    rank, scored = 0, []
    for score, name, cosine in found:
        new = name not in TOKENS
        rank += new
        scored.append((score - (settings.novelty * rank if new else 0), name, cosine))
    scored.sort(key=lambda each: -each[0])
    return [name for _, name, _ in scored], [cosine for _, _, cosine in scored]


@pytest.mark.parametrize("novelty", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("evidence", [0.0, 0.03, 1.0])
@pytest.mark.parametrize("k", [1, 9, 40])
def test_scores_equal_a_slow_loop(evidence, novelty, k):
    settings = ProposalSettings(evidence, novelty)
    rows, cosines = proposer(settings)(POINTS, OWNERS, k)
    assert rows.shape == cosines.shape == (25, k)
    for place, point in enumerate(POINTS):
        names, values = slowly(point, OWNERS[place], settings)
        assert [NAMES[row] for row in rows[place]] == names[:k]
        np.testing.assert_allclose(cosines[place], values[:k], atol=1e-5)


def test_words_come_once():
    rows, _ = proposer(ProposalSettings(0.03, 0.02))(POINTS, OWNERS, 40)
    assert all(len(set(own)) == 40 for own in rows.tolist())


def test_zeros_are_the_nearest_words():
    cosines, nearest = VOCABULARY.nearest(POINTS, 10)
    plain = nearest_words(candidates(VOCABULARY, TOKENS), FILTERS, CPU)["vocabulary"]
    for each in (proposer(ProposalSettings()), plain):
        rows, found = each(POINTS, OWNERS, 10)
        assert np.array_equal(rows, nearest.numpy())
        np.testing.assert_allclose(found, cosines, atol=1e-6)
    assert ProposalSettings(0.03, 0.02).faithful(Faithful.only("published_words")) == ProposalSettings()
    assert ProposalSettings(0.03, 0.02).faithful(Faithful()) == ProposalSettings(0.03, 0.02)


def test_novelty_is_paid_in_the_whole_vocabulary_only():
    """Among the categories there is nothing new; words that are allowed and no category pay nothing either."""
    settings = ProposalSettings(0.03, 0.5)
    sought = candidates(VOCABULARY, TOKENS, None, TOKENS[2:])
    asked = proposers(sought, VOCABULARY.restricted(TOKENS[:2]), SURPRISE[:, :2], settings, CPU)
    assert asked["vocabulary"].settings == settings
    assert asked["categories"].settings == asked["unsupervised"].settings == ProposalSettings(0.03)
    assert set(asked) == {"vocabulary", "categories", "unsupervised"}


def test_all_tokens_are_weighed_however_far_they_are():
    """A token with evidence enough comes first though hundreds of words are nearer to the point."""
    many = Vocabulary([*NAMES, *(f"far{n}" for n in range(600))], torch.cat([VOCABULARY.vectors, torch.ones(600, 6)]))
    point = torch.ones(1, DIMENSION)
    surprise = np.zeros((1, len(TOKENS)))
    surprise[0, 2] = 9.0
    asked = proposers(candidates(many, TOKENS), many.restricted(TOKENS), surprise, ProposalSettings(1.0), CPU)
    rows, _ = asked["vocabulary"](point, torch.zeros(1, dtype=torch.int64), 3)
    assert many.words[rows[0, 0]] == "word11"


ALLOWED = ["word3", "word9", "word21", "word22", "absent"]


@pytest.mark.parametrize("settings", [ProposalSettings(), ProposalSettings(0.05, 0.03)])
def test_only_allowed_words_are_said(settings):
    """Rows are those of the whole vocabulary; evidence of tokens that are not allowed still speaks for their kin."""
    known = ALLOWED[:-1]
    rows, cosines = proposer(settings, ALLOWED)(POINTS, OWNERS, 4)
    for place, point in enumerate(POINTS):
        names, values = slowly(point, OWNERS[place], settings, known)
        assert [NAMES[row] for row in rows[place]] == names
        np.testing.assert_allclose(cosines[place], values, atol=1e-5)
    with pytest.raises(ValueError, match=r"words\.allowed lists 1 words, none of which has a vector"):
        candidates(VOCABULARY, TOKENS, ["absent"])


DIRECTIONS = 0.7 * unit(np.random.default_rng(1).normal(size=(FILTERS, DIMENSION)))
DIRECTIONS[2] = 0.0  # a filter that fires nowhere


def test_parts_and_lift_equal_a_slow_loop():
    """The lift is what the score has beyond that of the layer's mean filter, of those that have a direction."""
    weight = 0.04
    filters, words = np.array([0, 3, 3]), np.array([[7, 5, 11], [0, 1, 2], [39, 3, 30]])
    parts = proposer(ProposalSettings(weight, 0.02)).parts(DIRECTIONS, filters, words)
    live = [0, 1, 3]
    mean, layer = DIRECTIONS[live].mean(0), SURPRISE[live].mean(0)
    of_tokens = unit(VOCABULARY.restricted(TOKENS).vectors)
    for line, u in enumerate(filters):
        for column, word in enumerate(words[line]):
            vector = unit(VOCABULARY.vectors[word])
            if NAMES[word] in TOKENS:
                family, likeness = TOKENS.index(NAMES[word]), 1.0
            else:
                family = (of_tokens @ vector).argmax()
                likeness = max((of_tokens @ vector).max(), 0)
            cosine, evidence = DIRECTIONS[u] @ vector, SURPRISE[u, family] * likeness
            lift = cosine + weight * evidence - (mean @ vector + weight * layer[family] * likeness)
            expected = {"cosine": cosine, "evidence": evidence, "lift": lift}
            for name, value in expected.items():
                assert parts[name][line, column] == pytest.approx(value, abs=1e-5), name
    one = proposer(ProposalSettings(weight)).of_words(DIRECTIONS, filters, words[:, 1])
    for name, each in one.items():
        np.testing.assert_allclose(each, parts[name][:, 1], atol=1e-6)


def test_filters_that_are_all_alike_have_no_lift():
    same = np.repeat(DIRECTIONS[:1], 3, 0)
    asked = Proposer(
        VOCABULARY, np.arange(40), VOCABULARY.restricted(TOKENS), np.repeat(SURPRISE[:1], 3, 0),
        ProposalSettings(0.1, 0.0), CPU,
    )  # fmt: skip
    parts = asked.parts(same, np.arange(3), np.tile(np.arange(40), (3, 1)))
    np.testing.assert_allclose(parts["lift"], 0, atol=1e-6)
    assert parts["evidence"].any()


@pytest.mark.parametrize("printed", [1, 5, 36, 40, 100])
def test_what_sets_filters_apart_never_lists_a_word_twice(printed):
    """Tokens are among the nearest words as well as looked for themselves."""
    found = proposer(ProposalSettings(0.05, 0.02)).apart(DIRECTIONS, printed)
    assert sorted(found["filter"].unique()) == [0, 1, 3]
    for _, own in found.groupby("filter"):
        assert own["word"].is_unique
        assert own["rank"].tolist() == list(range(len(own)))
        assert len(own) == min(printed, 40)
        assert own["lift"].is_monotonic_decreasing


def test_what_sets_filters_apart_are_the_words_of_largest_lift():
    asked = proposer(ProposalSettings(0.05, 0.02))
    found = asked.apart(DIRECTIONS, 4)
    every = asked.parts(DIRECTIONS, np.arange(FILTERS), np.tile(np.arange(40), (FILTERS, 1)))
    for number, own in found.groupby("filter"):
        best = np.argsort(-every["lift"][number], kind="stable")[:4]
        assert own["word"].tolist() == [NAMES[word] for word in best]
        for name in ("cosine", "evidence", "lift"):
            np.testing.assert_allclose(own[name], every[name][number, best], atol=1e-6)


def test_where_no_filter_has_a_direction_nothing_is_set_apart():
    asked = proposers(
        candidates(VOCABULARY, TOKENS), VOCABULARY.restricted(TOKENS), SURPRISE, ProposalSettings(0.03), CPU
    )
    assert len(apart(np.zeros((FILTERS, DIMENSION)), asked, 5)) == 0
    table = apart(DIRECTIONS, asked, 3)
    assert table.groupby("candidates").size().to_dict() == {"vocabulary": 9, "categories": 9}
    assert set(table.loc[table["candidates"] == "categories", "word"]) <= set(TOKENS)
    assert isinstance(table, pd.DataFrame)


def test_informed_proposers_are_those_that_knew_it_from_the_start():
    settings, sought = ProposalSettings(0.3, 0.02), candidates(VOCABULARY, TOKENS)
    of_tokens, nothing = VOCABULARY.restricted(TOKENS), np.zeros((1, len(TOKENS)))
    fresh = proposers(sought, of_tokens, SURPRISE, settings, CPU)
    ignorant = proposers(sought, of_tokens, nothing, ProposalSettings(), CPU)
    for name, asked in informed(ignorant, SURPRISE, settings).items():
        for own, expected in zip(asked(POINTS, OWNERS, 9), fresh[name](POINTS, OWNERS, 9), strict=True):
            np.testing.assert_array_equal(own, expected)
    assert not ignorant["vocabulary"].surprise.any()
