"""Spoilt labels are spoilt as told, and the sanity tests tell scores that notice from scores that do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from filterscope.words.scoring.claims import METRICS, ClaimScores
from filterscope.words.scoring.sanity import SPOILERS, SpoiltScores, extra_labels, remembered, verdicts
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


def spoilt(name, scene, image_id):
    """A scene as somebody labels it who forgets tokens, or marks too much."""
    if name == "extra_labels":
        return extra_labels(scene)
    kept = remembered(len(scene.tokens), image_id, 0)
    return replace(scene, tokens=scene.tokens[kept], token_masks=scene.token_masks[torch.from_numpy(kept)])


def test_half_of_the_tokens_are_forgotten_the_same_every_time():
    kept = [remembered(3, image_id, seed=0) for image_id in range(300)]
    assert np.sum(kept) == pytest.approx(450, abs=45)
    assert all(np.array_equal(remembered(3, image_id, seed=0), each) for image_id, each in enumerate(kept))
    assert any(not np.array_equal(remembered(3, image_id, seed=1), each) for image_id, each in enumerate(kept))


def test_extra_labels_adds_a_mask_of_the_same_size_elsewhere():
    for _, scene in scenes(5):
        more = extra_labels(scene)
        assert (more.token_masks & scene.token_masks).sum() == scene.token_masks.sum()
        assert more.token_masks.sum() == 2 * scene.token_masks.sum()


@pytest.mark.parametrize("filters", [7, 600])
def test_what_is_collected_beside_the_true_labels_is_what_spoilt_scenes_say(filters):
    """But for the rounding of products of maps with masks; of few pairs and of many; some filters claim nothing."""
    chance, device = np.random.default_rng(0), torch.device("cpu")
    claimed, once = chance.integers(-1, 5, filters), np.ones((1, 12), np.float32)
    arguments = (np.full(filters, 0.6), 5, once, SIDE, device)
    true = ClaimScores({"words": claimed}, *arguments, every=True)
    alone = {name: ClaimScores({"words": claimed}, *arguments) for name in SPOILERS}
    beside = SpoiltScores(claimed, true, seed=0)
    for position in range(12):
        maps = torch.from_numpy(chance.random((filters, CELLS, CELLS))).float()
        tokens = np.sort(chance.permutation(5)[: chance.integers(0, 5)])
        masks = torch.from_numpy(chance.random((len(tokens), SIDE, SIDE)) < 0.2)
        scene = ImageTruth(masks, torch.zeros(len(tokens), 5, dtype=torch.bool), tokens, masks)
        binned = true.binned(maps)
        beside.add(position, 100 + position, binned, scene, true.add(position, binned, scene))
        for name, each in alone.items():
            each.add(position, maps, spoilt(name, scene, 100 + position))
    true.metrics()
    for name, metrics_of in beside.metrics().items():
        for metric, values in alone[name].metrics().items():
            np.testing.assert_allclose(metrics_of[metric], values, rtol=0, atol=1e-6, err_msg=f"{name}, {metric}")
            assert metric == "share" or not np.array_equal(values, true.metrics()[metric])


def test_scores_that_notice_pass_and_those_that_cannot_do_not():
    collected = {}
    for name in ("true", *SPOILERS):
        claims = ClaimScores(
            {"words": np.array([0])}, np.array([0.3]), 1, np.ones((1, 60), np.float32), SIDE, torch.device("cpu")
        )
        for position, (maps, scene) in enumerate(scenes()):
            claims.add(position, maps, scene if name == "true" else spoilt(name, scene, position))
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
