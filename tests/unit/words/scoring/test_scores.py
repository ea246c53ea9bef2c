"""Scores equal counting by hand; what could not be measured is missing."""

import numpy as np
import pandas as pd
import pytest
import torch
from tests.unit.words.scoring.coloured import CPU, INPUTS, SIDE, THRESHOLDS, Eyes, measured, metric, pictures, rows

from filterscope import tables
from filterscope.data.networks.building import normalise
from filterscope.faithful import Faithful
from filterscope.words.bootstrap import resample_weights
from filterscope.words.scoring.score_table import scores
from filterscope.words.scoring.scores import (
    ClaimEvidence,
    Row,
    ScoreSettings,
)
from filterscope.words.truth import region_tokens


def test_recall_equals_counting_pair_by_pair():
    looks, truth = pictures()
    result, order, top = measured(looks, truth, rows())
    weights = resample_weights(len(looks), 30, 5)
    table = result.table.set_index(["row", "metric", "candidates", "k"])
    for name, row in rows().items():
        for k in (1, 2):
            hits, pairs = np.zeros(len(looks)), np.zeros(len(looks))
            for u in range(3):
                for rank in range(4):
                    index = order[u, rank]
                    if top[u, rank] <= 0:
                        continue
                    maps = Eyes()(normalise(looks[index].picture[None], INPUTS))[0]
                    scene = truth.of(looks[index], SIDE, CPU)
                    there = region_tokens(maps[u : u + 1], torch.tensor(THRESHOLDS[u : u + 1]).float(), scene)[0]
                    wanted = set(there.nonzero()[:, 0].tolist())
                    if wanted:
                        pairs[index] += 1
                        hits[index] += len(wanted & set(row.words["vocabulary"][u, rank, :k].tolist())) / len(wanted)
            line = table.loc[(name, "recall", "vocabulary", k)]
            assert line["n"] == pairs.sum() > 5
            expected = np.where(
                weights @ pairs > 0, (weights @ hits) / np.maximum(weights @ pairs, 1), hits.sum() / pairs.sum()
            )
            np.testing.assert_allclose(line["resamples"], expected, atol=1e-6)
    assert table.loc[("words", "recall", "vocabulary", 1)]["resamples"][0] > 0.7
    tables.checked(tables.measurements(result.table), "measurements")


def test_the_order_of_images_does_not_matter():
    """Images in any order stand behind the same numbers; only which resample is which changes."""
    looks, truth = pictures()
    first, _, _ = measured(looks, truth, rows())
    again, _, _ = measured(looks[::-1], truth, rows())
    for one, other in zip(first.table["resamples"], again.table["resamples"], strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-6)


def test_claims_are_averaged_over_the_same_filters_in_every_row():
    """Constant words name even a filter that the words cannot name; then it counts for none of the rows."""
    looks, truth = pictures()
    named = rows()
    named["words"].claims[2] = -1
    named["constant_words"].claims[0] = -1  # a row that names nothing scores nothing
    result, _, _ = measured(looks, truth, named)
    table = result.table[(result.table["metric"] != "recall") & (result.table["row"] != "ceiling")]
    assert set(table["n"]) == {2}
    for name in named:
        line = table[(table["row"] == name) & (table["metric"] == "auprc")].iloc[0]
        np.testing.assert_allclose(line["resamples"], metric(result, name, "auprc")[:, :2].mean(1), atol=1e-6)
    assert not metric(result, "constant_words", "auprc")[:, 0].any()


def test_only_chosen_filters_are_scored():
    looks, truth = pictures()
    whole, _, _ = measured(looks, truth, rows())
    some, _, _ = measured(
        looks, truth, rows(), ScoreSettings(recall_at=(1, 2), resolution=SIDE, bootstrap=30, filters=(1,))
    )
    alone, _, _ = measured(looks, truth, rows(), silent=(0, 2))
    own, expected = (each.table.set_index(["row", "metric", "candidates", "k"]) for each in (some, alone))
    assert own.loc[("words", "recall", "vocabulary", 1)]["n"] == expected.loc[("words", "recall", "vocabulary", 1)]["n"]
    line = own.loc[("words", "iou", "categories", 1)]
    assert line["n"] == 1
    np.testing.assert_allclose(line["resamples"], metric(whole, "words", "iou")[:, 1], atol=1e-6)


def test_no_valid_pair_is_missing_not_zero():
    looks, truth = pictures()
    result, _, _ = measured(looks, truth, rows(), silent=(0, 1, 2))
    recall = result.table[result.table["metric"] == "recall"]
    assert set(recall["n"]) == {0}
    assert np.isfinite(np.stack(recall["resamples"])).all()
    found = scores(result.table, 0.95)
    missing = found[found["metric"] == "recall"]
    assert len(missing) == 8
    assert missing[["value", "low", "high", "margin", "margin_low", "margin_high"]].isna().all(axis=None)
    named = {name: Row(row.words, np.full(3, -1)) for name, row in rows().items()}
    result, _, _ = measured(looks, truth, named)
    found = scores(result.table, 0.95)
    claimed = found[(found["metric"] != "recall") & (found["row"] != "ceiling")]
    assert claimed["value"].isna().all()
    assert set(claimed["n"]) == {0}


def measurements(**resamples):
    lines = [
        {"row": name, "metric": "recall", "candidates": "vocabulary", "k": 5, "n": n, "resamples": np.array(values)}
        for name, (n, values) in resamples.items()
    ]
    return pd.DataFrame(lines)


def test_margins_are_paired_resample_by_resample():
    """The two go up and down together, so the margin is known far better than either."""
    drift = np.random.default_rng(0).normal(0, 0.2, 400)
    own = np.concatenate([[0.5], 0.5 + drift])
    null = np.concatenate([[0.4], 0.4 + drift])
    table = scores(measurements(words=(9, own), constant_words=(9, null), shuffled_filters=(0, null)), 0.95)
    table = table.set_index("row")
    assert table.loc["words", "value"] == 0.5
    assert table.loc["words", "low"] == pytest.approx(np.quantile(own[1:], 0.025))
    assert table.loc["words", "high"] == pytest.approx(np.quantile(own[1:], 0.975))
    assert pd.isna(table.loc["words", "margin"])
    constant = table.loc["constant_words"]
    assert (constant["margin"], constant["margin_low"], constant["margin_high"]) == pytest.approx((0.1, 0.1, 0.1))
    assert pd.isna(table.loc["shuffled_filters", "margin"])


def test_lift_over_the_mean_filter_moves_with_the_share_of_the_word():
    """Where a resample shows the word on twice as many pixels, chance gives twice as much."""
    auprc = np.array([[0.5, 0.4, 0.3], [0.6, 0.4, 0.3]])
    share = np.array([[0.1, 0.2, 0.0], [0.2, 0.1, 0.0]])
    found = ClaimEvidence(np.array([0, 1, -1]), {"auprc": auprc, "share": share}, np.array([0.2, 0.3])).lift()
    np.testing.assert_allclose(found, [[0.3, 0.1, 0], [0.2, 0.25, 0]])


def test_lift_is_the_mean_over_the_named_filters():
    looks, truth = pictures()
    result, _, _ = measured(looks, truth, rows())
    table = result.table.set_index(["row", "metric", "candidates", "k"])
    for name, row in rows().items():
        every = np.stack(  # each filter for each token, measured as claims of its own
            [
                metric(measured(looks, truth, {"words": Row({}, np.full(3, token))})[0], "words", "auprc")[0]
                for token in range(3)
            ],
            1,
        )
        expected = every[np.arange(3), row.claims] - every.mean(0)[row.claims]
        line = table.loc[(name, "auprc_lift", "categories", 1)]
        assert line["resamples"][0] == pytest.approx(expected.mean(), abs=1e-6)
        assert line["n"] == 3
    assert table.loc[("words", "auprc_lift", "categories", 1), "resamples"][0] > 0.2


def test_the_ceiling_is_what_the_best_claims_reach():
    """The mean over filters of the best of all tokens, and so no row is above it."""
    looks, truth = pictures()
    result, _, _ = measured(looks, truth, rows())
    table = result.table.set_index(["row", "metric", "candidates", "k"])
    for name in ("iou", "f1", "auprc", "correlation"):
        every = [
            metric(measured(looks, truth, {"words": Row({}, np.full(3, token))})[0], "words", name)[0]
            for token in range(3)
        ]
        best = table.loc[("ceiling", name, "categories", 1)]
        np.testing.assert_allclose(best["resamples"], np.max(every, 0).mean(), atol=1e-6)
        for row in rows():
            assert table.loc[(row, name, "categories", 1), "resamples"][0] <= best["resamples"][0] + 1e-6


def test_the_ceiling_is_that_of_the_filters_that_the_words_name():
    """A filter without words is in no row's mean, and so not in the ceiling's; a dead one is in no null."""
    looks, truth = pictures()
    named = {"words": Row({}, np.array([0, -1, 2])), "constant_words": Row({}, np.full(3, 1))}
    table = measured(looks, truth, named)[0].table.set_index(["row", "metric"])
    every = [measured(looks, truth, {"words": Row({}, np.full(3, token))})[0] for token in range(3)]
    best = np.max([metric(each, "words", "iou")[0] for each in every], 0)
    assert table.loc[("ceiling", "iou"), "resamples"][0] == pytest.approx(best[[0, 2]].mean(), abs=1e-6)
    assert table.loc[("ceiling", "iou"), "n"] == table.loc[("words", "iou"), "n"] == 2


def test_which_filters():
    assert ScoreSettings().chosen(3).tolist() == [0, 1, 2]
    assert ScoreSettings(filters=[2, 0, 2]).chosen(3).tolist() == [0, 2]
    with pytest.raises(ValueError, match=r"scores\.filters names filter 7, the layer has 3 \(0 to 2\)"):
        ScoreSettings(filters=[7]).chosen(3)
    few = ScoreSettings().faithful(Faithful.only("few_filters"), 512)
    assert few.chosen(512).tolist() == list(range(0, 253, 12))
    assert len(few.chosen(512)) == 22
    assert ScoreSettings().faithful(Faithful.only("few_filters"), 30).chosen(30).tolist() == [0, 12, 24]
    with pytest.raises(ValueError, match=r"scores\.mask_resolution is 'pixel'"):
        ScoreSettings(mask_resolution="pixel")
