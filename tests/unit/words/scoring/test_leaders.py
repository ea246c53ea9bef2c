"""One line says which row wins which score, and what of it may be chance."""

import numpy as np
import pandas as pd

from filterscope.words.scoring.leaders import leaders
from filterscope.words.scoring.score_table import WORDS, scores


def table(*lines):
    """Lines of metric, candidates, k, row, value, and the interval of the words' margin over the row."""
    columns = ["metric", "candidates", "k", "row", "value", "margin_low", "margin_high"]
    return pd.DataFrame(lines, columns=columns)


def test_each_score_goes_to_its_row_by_name():
    line = leaders(
        table(
            ("recall", "vocabulary", 5, WORDS, 0.6, None, None),
            ("recall", "vocabulary", 5, "clip_dissect", 0.4, 0.1, 0.3),
            ("recall", "vocabulary", 10, WORDS, 0.7, None, None),
            ("recall", "vocabulary", 10, "clip_dissect", 0.5, 0.1, 0.3),
            ("recall", "categories", 5, WORDS, 0.6, None, None),
            ("recall", "categories", 5, "clip_dissect", 0.7, -0.2, -0.05),
            ("iou", "categories", 1, WORDS, 0.1, None, None),
            ("iou", "categories", 1, "dissection", 0.2, -0.2, -0.05),
            ("auprc", "categories", 1, WORDS, 0.3, None, None),
            ("auprc", "categories", 1, "dissection", 0.2, 0.05, 0.2),
        )
    )
    assert line == (
        "Which row wins which score: words (ours) wins recall@5, @10 over the vocabulary, AUPRC; "
        "Network Dissection wins IoU; CLIP-Dissect wins recall@5 over the categories."
    )


def test_margins_that_may_be_chance_are_told_whoever_wins():
    line = leaders(
        table(
            ("iou", "categories", 1, WORDS, 0.3, None, None),
            ("iou", "categories", 1, "dissection", 0.1, 0.1, 0.3),
            ("iou", "categories", 1, "constant_words", 0.29, -0.05, 0.1),  # the next best, not the rival, decides
            ("f1", "categories", 1, WORDS, 0.3, None, None),
            ("f1", "categories", 1, "constant_words", 0.31, -0.1, 0.05),
        )
    )
    assert "words (ours) wins IoU; constant words wins F1; by a margin that may be chance: IoU, F1." in line


def test_equal_rows_share_a_win_and_what_was_not_measured_is_told():
    line = leaders(
        table(
            ("iou", "unsupervised", 1, WORDS, 0.3, None, None),
            ("iou", "unsupervised", 1, "dissection", 0.3, 0.0, 0.0),
            ("f1", "categories", 1, WORDS, None, None, None),
            ("f1", "categories", 1, "dissection", None, None, None),
        )
    )
    assert "words (ours) and Network Dissection win IoU for categories never supervised, among them" in line
    assert "not measurable: F1" in line
    assert "nan" not in line


def test_the_best_possible_claims_win_nothing():
    """They are no way of naming: nothing is above them."""
    line = leaders(
        table(
            ("auprc_lift", "categories", 1, WORDS, 0.3, None, None),
            ("auprc_lift", "categories", 1, "dissection", 0.1, 0.1, 0.3),
            ("auprc_lift", "categories", 1, "ceiling", 0.4, None, None),
        )
    )
    assert line == "Which row wins which score: words (ours) wins AUPRC lift."


def test_reads_the_table_that_scores_makes():
    chance = np.random.default_rng(0)
    rows = [
        {
            "row": row,
            "metric": "iou",
            "candidates": "categories",
            "k": 1,
            "n": 5,
            "resamples": mean + chance.normal(0, 0.01, 50),
        }
        for row, mean in ((WORDS, 0.2), ("clip_dissect", 0.4), ("shuffled_filters", 0.1))
    ]
    line = leaders(scores(pd.DataFrame(rows), 0.95))
    assert line == "Which row wins which score: CLIP-Dissect wins IoU."
