"""Whether resampling helps: the draw, the scores, gains in pairs, verdicts, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, balanced_accuracy_score

from filterscope.diagnosis.complexity.expected_capacity import expected_capacity
from filterscope.diagnosis.resampling import comparison
from filterscope.diagnosis.resampling.comparison import compared, sentences
from filterscope.diagnosis.resampling.evaluation import CLASSIFIERS, score, variants
from filterscope.diagnosis.resampling.methods import ResamplingSettings
from filterscope.diagnosis.resampling.rarity import Rarity, drawn, rare_label

SETTINGS = ResamplingSettings(iterations=6, patience=6)


def clouds(count, rare, seed):
    """Two overlapping clouds in a plane, the second rare."""
    chance = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [count - rare, rare])
    values = chance.standard_normal((count, 2)) + 1.5 * labels[:, None]
    return values.astype(np.float32), labels


@pytest.fixture(scope="module")
def scores():
    """Of five seeds, each with its own draw."""
    values, labels = clouds(400, 60, 0)
    rows = []
    for seed in range(5):
        chosen = drawn(labels, Rarity(1, 0.5), 0.8, np.random.default_rng(seed))
        train = values[chosen], labels[chosen]
        rows.append(
            score(train, clouds(400, 200, 1), 1, ["smote", "tomek"], ["logistic"], SETTINGS, expected_capacity, seed)
        )
    return pd.concat(rows)


def test_the_draw_keeps_shares_and_makes_a_class_rare():
    labels = np.repeat([0, 1, 2], [100, 50, 50])
    chosen = drawn(labels, Rarity(2, 0.1), 0.8, np.random.default_rng(0))
    assert np.bincount(labels[chosen]).tolist() == [80, 40, 4]
    assert (np.diff(chosen) > 0).all()
    assert (chosen == drawn(labels, Rarity(2, 0.1), 0.8, np.random.default_rng(0))).all()
    assert (chosen != drawn(labels, Rarity(2, 0.1), 0.8, np.random.default_rng(1))).any()
    assert np.bincount(labels[drawn(labels, Rarity(2, 0.001), 0.8, np.random.default_rng(0))])[2] == 1


def test_the_rare_class_is_named_or_the_smallest():
    labels = np.repeat([0, 1, 2], [9, 3, 5])
    assert rare_label(labels, Rarity()) == 1
    assert rare_label(labels, Rarity(2)) == 2
    with pytest.raises(ValueError, match="the rare class is 7, of which there is no sample"):
        rare_label(labels, Rarity(7))


def test_guided_variants_are_of_methods_with_chance():
    assert variants(["both", "tomek", "smote"]) == ["none", "smote", "tomek", "both", "guided_smote", "guided_both"]
    assert variants([]) == ["none"]


def test_smote_helps_a_linear_classifier_find_the_rare_class(scores):
    """Without it the rare class is hardly ever said; the known gain is large."""
    table = compared(scores).set_index(["variant", "metric"])
    row = table.loc[("smote", "balanced_accuracy")]
    assert row["gain"] > 0.1
    assert row["verdict"] == "helps"
    assert pd.isna(table.loc[("none", "balanced_accuracy"), "verdict"])
    assert table.loc[("guided_smote", "rare_auprc"), "guided_verdict"] in comparison.VERDICTS
    assert pd.isna(table.loc[("tomek", "rare_auprc"), "guided_verdict"])
    assert table.loc[("guided_smote", "rare_auprc"), "unrounded"] <= table.loc[("smote", "rare_auprc"), "unrounded"]
    assert any("smote" in each and "helps" in each for each in sentences(compared(scores)))


def test_scores_are_scikit_learns_of_a_classifier_that_saw_no_test_sample(scores):
    values, labels = clouds(400, 60, 0)
    chosen = drawn(labels, Rarity(1, 0.5), 0.8, np.random.default_rng(3))
    model = CLASSIFIERS["logistic"](3).fit(values[chosen], labels[chosen])
    held_out, truth = clouds(400, 200, 1)
    row = scores[(scores["seed"] == 3) & (scores["variant"] == "none")].iloc[0]
    assert row["balanced_accuracy"] == balanced_accuracy_score(truth, model.predict(held_out))
    assert row["rare_auprc"] == average_precision_score(truth, model.predict_proba(held_out)[:, 1])
    assert (row["train_samples"], row["rare_samples"]) == (len(chosen), 24)


def test_gains_are_paired():
    """Large differences between seeds, a small constant gain: clear in pairs."""
    level = np.array([0.2, 0.4, 0.6, 0.8, 0.9])
    rows = [
        {
            "variant": variant,
            "classifier": "logistic",
            "seed": seed,
            "train_samples": 9,
            "rare_samples": 3,
            "unrounded": 2.0,
        }
        | {"balanced_accuracy": level[seed] + gain + 0.001 * seed, "rare_auprc": level[seed]}
        for variant, gain in (("none", 0), ("smote", 0.02), ("tomek", -0.02))
        for seed in range(5)
    ]
    for row in rows:
        if row["variant"] == "none":
            row["balanced_accuracy"] = level[row["seed"]]
    table = compared(pd.DataFrame(rows), 0.9).set_index(["variant", "metric"])
    row = table.loc[("smote", "balanced_accuracy")]
    wanted = stats.t.interval(0.9, 4, loc=0.022, scale=stats.sem(0.02 + 0.001 * np.arange(5)))
    assert (row["gain"], row["gain_low"], row["gain_high"]) == pytest.approx((0.022, *wanted))
    verdicts = [None if pd.isna(each) else each for each in table["verdict"]]
    assert verdicts == [None, "helps", "harms", None, "no clear difference", "no clear difference"]


def test_intervals_of_scores_end_where_scores_do():
    facts = {"variant": "none", "classifier": "logistic", "train_samples": 9, "rare_samples": 3, "unrounded": 2.0}
    scores = {"balanced_accuracy": [0.98, 1, 1, 1, 1], "rare_auprc": [0, 0, 0, 0, 0.05]}
    table = compared(pd.DataFrame(scores).assign(seed=range(5), **facts)).set_index("metric")
    assert table.loc["balanced_accuracy", "high"] == 1
    assert table.loc["rare_auprc", "low"] == 0
    assert 0.98 < table.loc["balanced_accuracy", "low"] < 1


def test_other_classifiers_and_same_seed_same_scores():
    train, test = clouds(200, 30, 2), clouds(200, 60, 3)
    arguments = (train, test, 1, ["smote"], list(CLASSIFIERS), ResamplingSettings(iterations=2), expected_capacity, 4)
    first = score(*arguments)
    assert first["classifier"].unique().tolist() == list(CLASSIFIERS)
    assert first[list(comparison.METRICS)].to_numpy().min() > 0.2
    pd.testing.assert_frame_equal(first, score(*arguments))


def test_bad_input(scores):
    train = clouds(50, 20, 0)
    with pytest.raises(ValueError, match="classifier is 'svm', should be one of logistic, neighbours, forest"):
        score(train, train, 1, [], ["svm"], SETTINGS, expected_capacity, 0)
    with pytest.raises(ValueError, match="the test samples need class 1"):
        score(train, (train[0][:9], train[1][:9]), 1, [], ["logistic"], SETTINGS, expected_capacity, 0)
    with pytest.raises(ValueError, match="4 seeds were scored, at least 5"):
        compared(scores[scores["seed"] > 0])
    with pytest.raises(ValueError, match="not every variant was scored"):
        compared(scores.iloc[1:])
    with pytest.raises(ValueError, match="share of the rare class that is kept is 0,"):
        Rarity(1, 0)
    with pytest.raises(ValueError, match=r"drawn is 1\.5"):
        drawn(train[1], Rarity(), 1.5, np.random.default_rng(0))
