"""Spoilt labels are spoilt as told, and the sanity tests tell scores that notice from scores that do not."""

import numpy as np
import pytest
import torch

from filterscope.words.scoring.claims import METRICS, ClaimScores
from filterscope.words.scoring.sanity import SPOILERS, extra_labels, missing_labels, verdicts
from filterscope.words.truth import ImageTruth

SIDE, CELLS = 32, 8


def scenes(n=60):
    """A square object of one token somewhere; the filter fires where it is."""
    chance = np.random.default_rng(0)
    for _ in range(n):
        mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
        row, column = chance.integers(0, CELLS - 2, 2) * 4
        mask[0, row : row + 8, column : column + 8] = True
        maps = torch.nn.functional.avg_pool2d(mask.float()[None], 4)[0]
        yield maps, ImageTruth(mask, torch.ones(1, 1, dtype=torch.bool), np.array([0]), mask)


def test_missing_labels_forgets_half_of_the_tokens_the_same_every_time():
    masks = torch.zeros(3, SIDE, SIDE, dtype=torch.bool)
    masks[0, 0], masks[1, 1], masks[2, 2] = True, True, True
    scene = ImageTruth(masks, torch.eye(3, dtype=torch.bool), np.array([4, 5, 6]), masks)
    kept = 0
    for image_id in range(300):
        spoilt = missing_labels(scene, image_id, seed=0)
        kept += len(spoilt.tokens)
        for token, mask in zip(spoilt.tokens, spoilt.token_masks, strict=True):
            assert torch.equal(mask, masks[token - 4])
        assert np.array_equal(missing_labels(scene, image_id, seed=0).tokens, spoilt.tokens)
    assert kept == pytest.approx(450, abs=45)
    assert np.array_equal(scene.tokens, [4, 5, 6])


def test_extra_labels_adds_a_mask_of_the_same_size_elsewhere():
    for _, scene in scenes(5):
        spoilt = extra_labels(scene, 0, 0)
        assert (spoilt.token_masks & scene.token_masks).sum() == scene.token_masks.sum()
        assert spoilt.token_masks.sum() == 2 * scene.token_masks.sum()


def test_scores_that_notice_pass_and_those_that_cannot_do_not():
    collected = {}
    for name in ("true", *SPOILERS):
        claims = ClaimScores(
            {"words": np.array([0])}, np.array([0.3]), 1, np.ones((1, 60), np.float32), SIDE, torch.device("cpu")
        )
        for position, (maps, scene) in enumerate(scenes()):
            claims.add(position, maps, scene if name == "true" else SPOILERS[name](scene, position, 0))
        collected[name] = claims.metrics()
    rows = {(row["test"], row["metric"]): row for row in verdicts(collected, np.array([True]))}
    assert set(rows) == {(test, metric) for test in SPOILERS for metric in METRICS}
    for test, blind in (("missing_labels", "pixel_recall"), ("extra_labels", "pixel_precision")):
        for metric in ("iou", "f1", "auprc", "correlation"):
            row = rows[test, metric]
            assert row["passed"], (test, metric)
            assert row["spoilt"] < 0.9 * row["value"]
        assert not rows[test, blind]["passed"] or rows[test, blind]["spoilt"] > 0.95 * rows[test, blind]["value"]


def metrics(values):
    return {metric: np.array(values)[None, None] for metric in METRICS}


def test_verdicts_count_only_claims_that_can_fall():
    """Of four filters one claims nothing and one scores zero; one of the two others falls: half, not passed."""
    collected = {
        "true": metrics([0.5, 0.4, 0.0, 0.9]),
        "missing_labels": metrics([0.4, 0.4, 0.0, 0.1]),
        "extra_labels": metrics([0.3, 0.3, 0.0, 0.1]),
    }
    rows = verdicts(collected, np.array([True, True, True, False]))
    for row in rows:
        assert row["n"] == 2
        assert row["value"] == pytest.approx(0.45)
        falls = row["test"] == "extra_labels"
        assert row["fallen"] == (1.0 if falls else 0.5)
        assert row["passed"] is falls


def test_without_a_claim_nothing_can_be_told():
    collected = {name: metrics([0.0]) for name in ("true", *SPOILERS)}
    rows = verdicts(collected, np.array([True]))
    assert {(row["n"], row["value"], row["spoilt"], row["fallen"], row["passed"]) for row in rows} == {
        (0, None, None, None, None)
    }
