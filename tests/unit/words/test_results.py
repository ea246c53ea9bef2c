"""Arrays to tables and back, and the rows that stand beside the words."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope import tables
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.explanation import Words
from filterscope.words.explaining.targets import Tokens
from filterscope.words.results import (
    Claimed,
    claimed,
    clip_row,
    compared_rows,
    constant_row,
    dissected_row,
    image_words,
    scored_row,
    shuffled_row,
    top_images,
    votes_table,
)
from filterscope.words.scoring.scores import Row

NAMES = ["the", "red", "blue", "disc", "of"]
TOKENS = ["disc", "blue", "red"]
IMAGES = np.array([[7, 8], [8, 9], [7, 9]])
MAXIMA = np.array([[2.0, 1.0], [3.0, 0.0], [0.0, 0.0]])  # filter 1 has one image, filter 2 is dead
ROWS = np.array([[[1, 0, 3], [1, 2, 4]], [[2, 0, 1], [-1, -1, -1]], [[-1] * 3] * 2], np.int32)


def said():
    cosines = np.where(ROWS >= 0, 0.9 - 0.1 * np.arange(3), 0).astype(np.float32)
    tokens = np.where(np.isin(ROWS, [1, 2, 3]), ROWS, np.where(ROWS < 0, -1, 2))
    return {"vocabulary": Words(ROWS, cosines), "categories": Words(tokens, cosines)}


def weighed(filters, rows):
    """Parts that tell which filter and word they belong to."""
    return {"evidence": filters + rows / 10, "lift": rows - filters / 10}


def voted(words, maxima=MAXIMA, voting=2, printed=10, claims=None):
    return votes_table(words, maxima, NAMES, voting, "none", printed, claims, weighed)


def test_words_survive_the_tables():
    words = pa.concat_tables([tables.checked(part, "image_words") for part in image_words(said(), IMAGES, NAMES)])
    first = words.filter(pa.compute.equal(words["candidates"], "vocabulary")).to_pandas()
    mine = first[(first["filter"] == 0) & (first["image_rank"] == 1)]
    assert mine["word"].tolist() == ["red", "blue", "of"]
    assert mine["image_id"].tolist() == [8, 8, 8]
    np.testing.assert_allclose(mine["cosine"], [0.9, 0.8, 0.7], rtol=1e-6)
    assert set(first["filter"]) == {0, 1}
    assert len(first) == 9
    votes = tables.checked(voted(said()), "filter_votes")
    row = scored_row(words.to_batches(), votes, TOKENS, IMAGES.shape, 3)
    assert row.words["vocabulary"][0].tolist() == [[2, -1, 0], [2, 1, -1]]
    assert row.words["vocabulary"][1].tolist() == [[1, -1, 2], [-1, -1, -1]]
    assert (row.words["vocabulary"][2] == -1).all()
    assert row.claims.tolist() == [2, 1, -1]


def test_no_words_at_all_survive_the_tables():
    nothing = {name: Words(np.full((2, 2, 3), -1, np.int32), np.zeros((2, 2, 3), np.float32)) for name in said()}
    words = pa.concat_tables([tables.checked(part, "image_words") for part in image_words(nothing, IMAGES[:2], NAMES)])
    votes = tables.checked(voted(nothing, np.zeros((2, 2))), "filter_votes")
    row = scored_row(words.to_batches(), votes, TOKENS, (2, 2), 3)
    assert row.claims.tolist() == [-1, -1]
    assert all((each == -1).all() for each in row.words.values())


def test_only_the_first_words_of_an_image_count():
    words = pa.concat_tables([tables.checked(part, "image_words") for part in image_words(said(), IMAGES, NAMES)])
    votes = tables.checked(voted(said()), "filter_votes")
    batches = words.to_batches(max_chunksize=2)
    assert len(batches) > 2
    whole, first = (scored_row(batches, votes, TOKENS, IMAGES.shape, depth) for depth in (3, 1))
    for name, each in whole.words.items():
        assert np.array_equal(first.words[name], each[..., :1])


def test_many_filters_are_written_in_parts():
    chance = np.random.default_rng(0)
    rows = chance.integers(-1, len(NAMES), (600, 2, 3)).astype(np.int32)
    parts = [
        pa.table(part)
        for part in image_words(
            {"vocabulary": Words(rows, rows.astype(np.float32))}, np.arange(1200).reshape(600, 2), NAMES
        )
    ]
    assert len(parts) == 3
    table = pa.concat_tables(parts).to_pandas()
    assert len(table) == (rows >= 0).sum()
    for row in table.sample(50, random_state=0).itertuples():
        assert row.word == NAMES[rows[row.filter, row.image_rank, row.rank]]
        assert row.image_id == 2 * row.filter + row.image_rank


def test_only_the_voting_words_vote():
    votes = votes_table(said(), MAXIMA, NAMES, 1, "none", 10)
    own = votes[votes["candidates"] == "vocabulary"]
    assert list(zip(own["filter"], own["word"], own["votes"], strict=True)) == [(0, "red", 2), (1, "blue", 1)]


def test_every_word_has_its_own_parts():
    for row in voted(said()).itertuples():
        place = NAMES.index(row.word)
        assert (row.evidence, row.lift) == pytest.approx((row.filter + place / 10, place - row.filter / 10))


def test_without_claims_the_category_with_most_votes_is_the_claim():
    votes = voted(said())
    assert votes[votes["claim"]][["candidates", "filter", "rank"]].values.tolist() == [
        ["categories", 0, 0],
        ["categories", 1, 0],
    ]


def claim_of(rows, cosines=0.25):
    """Claims by vocabulary row, where red, blue and disc are categories."""
    return Claimed(np.array(rows), np.full(len(rows), cosines), np.array([1, 2, 3]))


def test_the_claim_leads_the_categories_and_what_is_no_category_keeps_its_place():
    """Filter 0 was told red twice, blue and the once: as disc, which nobody voted for, or blue, it is told before."""
    for claim, vocabulary, categories in (
        (1, ["red", "the", "blue"], ["red", "blue"]),
        (2, ["blue", "red", "the"], ["blue", "red"]),
        (3, ["disc", "red", "the", "blue"], ["disc", "red", "blue"]),
    ):
        votes = voted(said(), claims=claim_of([claim, 2, 1]))
        own = votes[votes["filter"] == 0]
        assert set(own.loc[own["candidates"] == "vocabulary", "word"]) == set(vocabulary)
        assert own.loc[own["candidates"] == "vocabulary", "word"].iloc[0] == vocabulary[0]
        assert own.loc[own["candidates"] == "categories", "word"].iloc[0] == categories[0]
        assert own.loc[own["claim"], ["candidates", "word"]].values.tolist() == [["categories", categories[0]]]
        if claim == 3:
            assert own.loc[own["word"] == "disc", "votes"].tolist() == [0, 0]
            assert own.loc[own["word"] == "disc", "cosine"].tolist() == [0.25] * 2
    assert 2 not in set(votes["filter"])  # it fires nowhere, and claims nothing
    assert (
        voted(said(), claims=claim_of([-1, -1, -1])).drop(columns="claim").equals(voted(said()).drop(columns="claim"))
    )


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    filters=st.integers(1, 4),
    printed=st.integers(1, 6),
    tokens=st.sets(st.integers(0, 11), min_size=1, max_size=6),
)
def test_the_claim_is_printed_and_the_first_category_among_the_printed(seed, filters, printed, tokens):
    """Whatever the votes are: also where no image was given the claim, or any category at all."""
    chance = np.random.default_rng(seed)
    names, tokens = [f"word{number}" for number in range(12)], np.array(sorted(tokens))
    shape = (filters, 3, 4)
    rows = chance.permuted(np.tile(np.arange(12), (filters, 3, 1)), axis=2)[..., :4]
    rows = np.where(chance.random(shape) < 0.3, -1, rows).astype(np.int32)
    among = np.where(rows >= 0, tokens[rows % len(tokens)], -1).astype(np.int32)
    cosines = chance.random(shape).astype(np.float32)
    maxima = np.where(chance.random((filters, 3)) < 0.3, 0.0, 1.0)
    claims = np.where(chance.random(filters) < 0.2, -1, chance.choice(tokens, filters))
    words = {"vocabulary": Words(rows, cosines), "categories": Words(among, cosines)}
    made = votes_table(words, maxima, names, 4, "none", printed, Claimed(claims, np.zeros(filters), tokens), weighed)
    plain = votes_table(words, maxima, names, 4, "none", 12, None, weighed)
    categories = {names[token] for token in tokens}
    keys = ["candidates", "filter"]
    assert set(map(tuple, made[keys].values)) == set(map(tuple, plain[keys].values))
    for (where, number), own in made.groupby(keys):
        voted_for = plain[(plain["candidates"] == where) & (plain["filter"] == number)]["word"].tolist()
        said = own["word"].tolist()
        assert own["rank"].tolist() == list(range(len(own)))
        assert len(said) == len(set(said)) <= printed
        if claims[number] < 0:
            assert not own["claim"].any()
            assert said == voted_for[:printed]
            continue
        claim = names[claims[number]]
        assert next(word for word in said if word in categories) == claim
        assert own.loc[own["claim"], "word"].tolist() == ([claim] if where == "categories" else [])
        others = [word for word in said if word != claim]
        assert others == [word for word in voted_for if word != claim][: len(others)]
        assert len(said) == min(printed, len({*voted_for, claim}))


def test_claims_become_words_of_the_vocabulary():
    """With the cosine of the filter's direction, whose length is part of it."""
    vocabulary = Vocabulary(NAMES, 3 * torch.eye(5))
    directions = np.array([[0.0, 0.1, 0.2, 0.3, 0.4]] * 3)
    found = claimed(np.array([2, 0, -1]), directions, vocabulary, TOKENS)  # red, disc, nothing
    assert found.rows.tolist() == [1, 3, -1]
    assert found.cosines[:2].tolist() == pytest.approx([0.1, 0.3])
    assert found.tokens.tolist() == [3, 2, 1]


def test_top_images_from_any_order():
    table = pd.DataFrame(
        {
            "filter": np.repeat(np.arange(3), 2),
            "rank": np.tile(np.arange(2), 3),
            "image_id": IMAGES.ravel(),
            "maximum": MAXIMA.ravel(),
            "tied": 1,
            "asked": 2,
            "mined": 9,
        }
    ).sample(frac=1, random_state=0)
    ids, maxima = top_images(tables.checked(table, "top_images"))
    assert np.array_equal(ids, IMAGES)
    assert np.array_equal(maxima, MAXIMA)


def test_constant_words_are_the_most_frequent_ones():
    row = constant_row(np.array([2, 0, 1]), (2, 3), 5)
    for words in row.words.values():
        assert words.shape == (2, 3, 5)
        assert (words == [2, 0, 1, -1, -1]).all()
    assert row.claims.tolist() == [2, 2]


def test_constant_words_for_what_was_never_supervised_are_the_most_frequent_of_that():
    row = constant_row(np.array([2, 0, 1]), (2, 3), 3, np.array([True, True, False]))
    assert (row.words["vocabulary"] == [2, 0, 1]).all()
    for name in ("unsupervised", "vocabulary_unsupervised"):
        assert (row.words[name] == [0, 1, -1]).all()
    assert row.claims.tolist() == [2, 2]
    assert row.others["unsupervised"].tolist() == [0, 0]
    assert constant_row(np.array([2, 0, 1]), (2, 3), 3, np.zeros(3, bool)).others == {}


def test_dissected_words_for_what_was_never_supervised_overlap_best_of_that():
    overlaps = pa.table(
        {
            "filter": [0, 0, 0, 1, 1, 1],
            "rank": [0, 1, 2, 0, 1, 2],
            "token": ["red", "disc", "blue", "disc", "red", "blue"],
            "iou": [0.5, 0.4, 0.1, 0.6, 0.2, 0.0],
        }
    )
    row = dissected_row(overlaps, TOKENS, (2, 3), 2, np.isin(TOKENS, ["disc", "blue"]))
    disc, blue, red = range(3)
    assert row.words["categories"][:, 0].tolist() == [[red, disc], [disc, red]]
    assert row.words["unsupervised"][:, 2].tolist() == [[disc, blue], [disc, -1]]  # blue overlaps nowhere in filter 1
    assert row.others["unsupervised"].tolist() == [disc, disc]


def test_words_among_what_was_never_supervised_survive_the_tables():
    """Disc was never supervised: what is said among such words is read beside the rest, and shuffled with it."""
    discs = np.where(ROWS[..., :1] >= 0, 3, -1)
    more = said() | {"unsupervised": Words(discs, np.full(discs.shape, 0.5, np.float32))}
    words = pa.concat_tables([tables.checked(part, "image_words") for part in image_words(more, IMAGES, NAMES)])
    votes = tables.checked(voted(more), "filter_votes")
    row = scored_row(words.to_batches(), votes, TOKENS, IMAGES.shape, 3, held_out=True)
    assert row.words["unsupervised"][0].tolist() == [[0, -1, -1]] * 2
    assert row.others["unsupervised"].tolist() == [0, 0, -1]
    assert np.array_equal(row.words["vocabulary_unsupervised"], row.words["vocabulary"])
    shuffled = shuffled_row(row, (MAXIMA > 0).sum(1), 0)
    assert shuffled.others["unsupervised"].tolist() == [0, 0, -1]
    assert set(shuffled.words) == set(row.words)


@pytest.mark.parametrize("live", [[0, 1], [0, 1, 2, 3, 4, 5], [1, 3, 4], []])
def test_shuffling_gives_no_filter_its_own_words(live):
    words = np.arange(6)[:, None, None] * np.ones((1, 2, 3), int)
    fires = np.where(np.isin(np.arange(6), live), 2, 0)
    for seed in range(20):
        shuffled = shuffled_row(Row({"vocabulary": words}, np.arange(6)), fires, seed)
        got = shuffled.words["vocabulary"][:, 0, 0]
        assert np.array_equal(shuffled.claims, got)
        assert all(got[number] != number for number in live)
        assert sorted(got[live]) == live  # among the living, everybody's words once
        assert all(got[number] == number for number in range(6) if number not in live)


def test_a_filter_that_is_silent_in_some_images_lends_the_words_of_the_others():
    """Also where the image in which it fires most was given no token at all: that is a word said, and wrong."""
    words = np.array([[[0], [1], [2]], [[-1], [5], [-1]]])
    shuffled = shuffled_row(Row({"vocabulary": words}, np.array([0, 5])), np.array([3, 2]), 0)
    assert shuffled.words["vocabulary"][..., 0].tolist() == [[-1, 5, -1], [0, 1, 2]]


def test_dissected_words_are_those_that_overlap_best():
    overlaps = pa.table(
        {
            "filter": [1, 0, 1, 0],
            "rank": [0, 1, 1, 0],
            "token": ["red", "disc", "blue", "blue"],
            "iou": [0.5, 0.1, 0.0, 0.3],
        }
    )
    row = dissected_row(overlaps, TOKENS, (2, 3), 4)
    assert row.claims.tolist() == [1, 2]
    for words in row.words.values():
        assert (words[0] == [1, 0, -1, -1]).all()
        assert (words[1] == [2, -1, -1, -1]).all()  # blue overlaps nowhere
    assert dissected_row(overlaps, TOKENS, (2, 3), 1).words["vocabulary"].shape == (2, 3, 1)


def clip_words(*candidates):
    """Filter 0 is a disc, then the, then red; filter 2 blue; filter 1 says nothing."""
    lines = [(0, 0, "disc"), (0, 1, "the"), (0, 2, "red"), (2, 0, "blue")]
    columns = ("candidates", "filter", "rank", "word", "similarity")
    rows = [(where, *line, 1.0 - line[1]) for where in candidates for line in lines]
    return tables.checked(pd.DataFrame(rows, columns=columns), "clip_words")


def test_clip_dissects_words_are_the_same_for_all_images_of_a_filter():
    row = clip_row(clip_words("vocabulary", "categories"), Tokens(TOKENS, np.zeros(3, bool)), (3, 2), 3)
    assert row.words["vocabulary"][0].tolist() == [[0, -1, 2]] * 2
    assert (row.words["vocabulary"][1] == -1).all()
    assert row.claims.tolist() == [0, -1, 1]
    assert row.others == {}
    assert (
        clip_row(clip_words("vocabulary"), Tokens(TOKENS, np.zeros(3, bool)), (3, 2), 1).words["vocabulary"].shape[2]
        == 1
    )


def test_clip_dissect_is_asked_for_categories_never_supervised_apart():
    table = clip_words("vocabulary", "categories", "unsupervised")
    row = clip_row(table, Tokens(TOKENS, np.array([False, True, True])), (3, 2), 2)
    assert row.others["unsupervised"].tolist() == [0, -1, 1]
    assert row.words["unsupervised"][0].tolist() == [[0, -1]] * 2
    assert row.words["vocabulary_unsupervised"][0].tolist() == [[0, -1]] * 2


@pytest.mark.parametrize("clip", [True, False])
def test_clip_dissect_is_compared_where_it_has_words(clip):
    votes = tables.checked(voted(said()), "filter_votes")
    words = pa.concat_tables([tables.checked(part, "image_words") for part in image_words(said(), IMAGES, NAMES)])
    own = scored_row(words.to_batches(), votes, TOKENS, IMAGES.shape, 3)
    overlaps = tables.checked({"filter": [0], "rank": [0], "token": ["red"], "iou": [0.5]}, "overlaps")
    labels = pa.chunked_array([pa.array([["red"], ["blue"], ["red"]])])
    found = compared_rows(
        own,
        labels,
        overlaps,
        Tokens(TOKENS, np.zeros(3, bool)),
        MAXIMA,
        3,
        0,
        clip_words("vocabulary", "categories") if clip else None,
    )
    rows = ["constant_words", "shuffled_filters", "dissection"]
    assert list(found) == [*rows, "clip_dissect"] if clip else list(found) == rows
