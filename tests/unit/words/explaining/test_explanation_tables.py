"""What is known of words is read once for all explainers, and what may be said follows from the lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.faithful import Faithful
from filterscope.words.explaining.explanation_tables import ExplanationPaths, KnownPaths, VoteSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.targets import Tokens

CPU = torch.device("cpu")
WORDS = ["red", "green", "odd", *(f"noise{number}" for number in range(7))]
TOKENS = Tokens(["red", "green", "odd"], np.array([False, False, True]))
EXPLAINERS = ["words", "shuffled_labels"]


@pytest.fixture
def files(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(len(WORDS), 5))
    words = {"row": np.arange(len(WORDS), dtype=np.int32), "word": WORDS, "vector": tables.vectors(vectors)}
    tables.write(words, "vocabulary", tmp_path / "vocabulary.parquet")
    evidence = pd.DataFrame({"filter": np.repeat([0, 1], 3), "token": TOKENS.every * 2})
    evidence["correlation"] = evidence["distinct"] = [0.5, 0.1, 0.9, -0.2, 0.3, 0.0]
    evidence["chance"], evidence["images"] = [0.9, 0.1, 0.0, 0.2, 0.7, 0.1], [4, 4, 2] * 2
    tables.write(evidence, "evidence", tmp_path / "evidence.parquet")
    own = {name: tmp_path / f"{name}.parquet" for name in ("vocabulary", "evidence")}
    return own | {name: tmp_path / f"{name}.pt" for name in EXPLAINERS}


def read(files, settings=ProposalSettings(0.1, 0.02)):
    return KnownPaths.of(files, EXPLAINERS).read(TOKENS, settings, CPU)


def test_the_null_knows_how_common_tokens_are_but_nothing_of_a_filter(files):
    known = read(files)
    assert set(known.proposers) == set(EXPLAINERS)
    own, null = (known.proposers[name]["vocabulary"].surprise for name in EXPLAINERS)
    assert own[0, 0] > own[1, 0]
    assert torch.equal(null[0], null[1])
    assert torch.allclose(null[0], own.mean(0))
    assert own.shape == (2, 2)  # the token that was held out is known to nobody
    assert known.claimable.tolist() == [True, True, False]
    assert known.evidence.claims(known.claimable).tolist() == [0, 1]


def test_allowed_words_alone_are_said_and_all_are_weighed(files, tmp_path):
    (tmp_path / "allowed.txt").write_text("red\nnoise1\nnoise2\n")
    known = read(files | {"allowed": tmp_path / "allowed.txt"})
    assert known.proposers["words"]["vocabulary"].vocabulary.words == ["red", "noise1", "noise2"]
    assert known.everything.vocabulary.words == WORDS
    assert known.claimable.tolist() == [True, False, False]
    directions, filters, words = np.eye(2, 5), np.array([0, 1]), np.array([1, 9])
    expected = read(files)
    for name in EXPLAINERS:
        weighed = known.weighed(name, directions)(filters, words)
        for part, values in expected.weighed(name, directions)(filters, words).items():
            np.testing.assert_array_equal(weighed[part], values)
    assert not np.array_equal(
        known.weighed("words", directions)(filters, words)["evidence"],
        known.weighed("shuffled_labels", directions)(filters, words)["evidence"],
    )


def test_where_nothing_may_be_claimed_it_is_said_what_would_do(files, tmp_path):
    (tmp_path / "allowed.txt").write_text("noise1\nnoise2\n")
    known = read(files | {"allowed": tmp_path / "allowed.txt"})
    assert not known.claimable.any()
    assert known.nameless().startswith("words.allowed lists 2 words, none of which is a category's, as red is: ")


def test_votes_are_counted_as_the_config_says():
    words = {"voting": 4, "weighting": "int", "printed": 7, "novelty": 1}
    assert VoteSettings.of(words, Faithful()) == VoteSettings(4, "int", 7, False)
    assert VoteSettings.of(words, Faithful.only("published_words")).voted


def test_paths_go_by_explainer():
    names = ["words_by_image", "words_by_filter", "shuffled_labels_by_image", "shuffled_labels_by_filter"]
    files = {name: name for name in [*names, "apart", "heatmaps", "feeds", "field"]}
    found = ExplanationPaths.of(files, EXPLAINERS)
    assert found.paths_to_words == {"words": "words_by_image", "shuffled_labels": "shuffled_labels_by_image"}
    assert found.paths_to_votes["words"] == "words_by_filter"
