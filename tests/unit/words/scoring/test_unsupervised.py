"""Scores of tokens that were never supervised count what shows them, and change no other score."""

import numpy as np
import pytest
import torch
from tests.unit.words.scoring.coloured import (
    CPU,
    INPUTS,
    SIDE,
    THRESHOLDS,
    TOKENS,
    Eyes,
    measured,
    metric,
    pictures,
    rows,
)

from filterscope.data.networks.building import normalise
from filterscope.words.scoring.score_table import scores
from filterscope.words.scoring.scores import (
    Row,
)
from filterscope.words.truth import region_tokens

BLUE = TOKENS.index("blue")
NEVER_SUPERVISED = np.array([False, False, True])  # blue


def with_blue_held_out():
    """Every filter says its own colour; asked for blue alone, constant words say blue and the words say so as well."""
    blue = np.full((3, 4, 2), BLUE)
    said = {name: row.with_unsupervised(blue, np.full(3, BLUE)) for name, row in rows().items()}
    said["constant_words"] = rows()["constant_words"].with_unsupervised(blue, np.full(3, BLUE), blue)
    asked = dict.fromkeys(("unsupervised", "vocabulary_unsupervised"), NEVER_SUPERVISED)
    return said, asked


def test_recall_of_what_was_never_supervised_counts_only_pairs_that_show_it():
    looks, truth = pictures()
    said, asked = with_blue_held_out()
    result, order, top = measured(looks, truth, said, asked=asked)
    table = result.table.set_index(["row", "metric", "candidates", "k"])
    blue, blue_by_its_own_filter = 0, 0
    for u in range(3):
        for rank in range(4):
            if top[u, rank] > 0:
                look = looks[order[u, rank]]
                maps = Eyes()(normalise(look.picture[None], INPUTS))[0][u : u + 1]
                there = region_tokens(maps, torch.tensor(THRESHOLDS[u : u + 1]).float(), truth.of(look, SIDE, CPU))[0]
                blue += bool(there[BLUE])
                blue_by_its_own_filter += bool(there[BLUE]) and u == BLUE
    assert 0 < blue_by_its_own_filter < blue
    words = table.loc["words"].loc["recall"]
    assert (words.loc[["unsupervised", "vocabulary_unsupervised"], "n"] == blue).all()
    # Over all words only the blue filter says blue, first; among blue alone everybody does; constant words always do.
    assert words.loc[("vocabulary_unsupervised", 1), "resamples"][0] == pytest.approx(blue_by_its_own_filter / blue)
    assert words.loc[("unsupervised", 1), "resamples"][0] == pytest.approx(1)
    assert table.loc[("constant_words", "recall", "vocabulary_unsupervised", 1), "resamples"][0] == pytest.approx(1)
    margins = scores(result.table, 0.95).set_index(["row", "candidates", "metric", "k"])["margin"]
    own = blue_by_its_own_filter / blue - 1
    assert margins["constant_words", "vocabulary_unsupervised", "recall", 1] == pytest.approx(own)


def test_claims_about_what_was_never_supervised_are_scored_like_others():
    """IoU, F1, AUPRC and correlation of blue for every filter: the same as where blue is an ordinary claim."""
    looks, truth = pictures()
    said, asked = with_blue_held_out()
    result, _, _ = measured(looks, truth, said, asked=asked)
    plain, _, _ = measured(looks, truth, {"words": Row(rows()["words"].words, np.full(3, BLUE))})
    found, expected = (each.table.set_index(["row", "metric", "candidates", "k"]) for each in (result, plain))
    for name in ("iou", "f1", "auprc", "correlation"):
        line = found.loc[("words", name, "unsupervised", 1)]
        np.testing.assert_allclose(
            line["resamples"], expected.loc[("words", name, "categories", 1), "resamples"], atol=1e-6
        )
        assert line["n"] == 3
    own = metric(measured(looks, truth, rows())[0], "words", "auprc")[0]
    assert metric(result, "words", "auprc")[0] == pytest.approx(own)


def test_other_scores_do_not_change_where_some_tokens_were_never_supervised():
    looks, truth = pictures()
    said, asked = with_blue_held_out()
    keys = ["row", "metric", "candidates", "k"]
    more, fewer = (
        each[0].table.set_index(keys)
        for each in (measured(looks, truth, said, asked=asked), measured(looks, truth, rows()))
    )
    assert set(fewer.index) < set(more.index)
    for index, line in fewer.iterrows():
        assert more.loc[index, "n"] == line["n"]
        np.testing.assert_allclose(more.loc[index, "resamples"], line["resamples"], atol=1e-6)
