"""Scores equal counting by hand; what could not be measured is missing; support needs more than luck."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from filterscope import tables
from filterscope.activations.streaming import Batch, Look
from filterscope.data.networks.building import normalise
from filterscope.data.networks.settings import InputSettings
from filterscope.faithful import Faithful
from filterscope.words.bootstrap import resample_weights
from filterscope.words.scoring.claims import ClaimScores
from filterscope.words.scoring.score_table import scores
from filterscope.words.scoring.scores import (
    ClaimEvidence,
    Measured,
    Row,
    ScoreSettings,
    Strangers,
    least_evidence,
    measure,
    support,
)
from filterscope.words.truth import Truth, region_tokens

CPU, SIDE, CELLS = torch.device("cpu"), 16, 4
INPUTS = InputSettings(SIDE, SIDE)
TOKENS = ["red", "green", "blue"]
SETTINGS = ScoreSettings(recall_at=(1, 2), resolution=SIDE, bootstrap=30)


class Eyes:
    """A stand-in for a Reader: three filters, the colours' mean in every cell of 4 px, from 0 to 1."""

    layer = "eyes"

    def __call__(self, images):
        mean, std = torch.tensor(INPUTS.mean).view(3, 1, 1), torch.tensor(INPUTS.std).view(3, 1, 1)
        return torch.nn.functional.avg_pool2d(images * std + mean, SIDE // CELLS)


def pictures(n=8, seed=0):
    """Each has one to three objects of pure colour in rectangles; returns looks and their tokens."""
    chance = np.random.default_rng(seed)
    looks, tokens = [], []
    for number in range(n):
        pixels, masks = np.zeros((3, SIDE, SIDE), np.uint8), []
        for token in chance.permutation(3)[: chance.integers(1, 4)]:
            mask = np.zeros((SIDE, SIDE), bool)
            top, left = chance.integers(0, 12, 2)
            mask[top : top + 4 + chance.integers(0, 8), left : left + 6] = True
            pixels[:, mask] = 0
            pixels[token, mask] = 255
            masks.append(mask)
            tokens.append([TOKENS[token]])
        positions = np.arange(len(tokens) - len(masks), len(tokens))
        looks.append(
            Look(100 - number, torch.from_numpy(pixels), positions, {("sampled", (SIDE, SIDE)): np.array(masks)})
        )
    return looks, Truth(pa.table({"tokens": pa.array(tokens, pa.list_(pa.string()))}), TOKENS)


THRESHOLDS = np.array([0.4, 0.5, 0.6])


ALIVE = np.zeros(3, bool)


def measured(looks, truth, rows, settings=SETTINGS, p=4, silent=(), asked=None, decoys=False):
    maps = Eyes()(normalise(torch.stack([look.picture for look in looks]), INPUTS))
    maxima = maps.amax((2, 3)).numpy().T.astype(np.float64)
    maxima[list(silent)] = 0
    order = np.argsort(-maxima, axis=1, kind="stable")[:, :p]
    ids = np.array([look.image_id for look in looks])  # not ascending
    batches = [Batch(looks[:3]), Batch(looks[3:])]
    top = np.take_along_axis(maxima, order, 1)
    found = measure(
        batches, Eyes(), INPUTS, truth, ids, ids[order], top, THRESHOLDS, ALIVE, rows, settings, 5, CPU,
        asked or {}, decoys,
    )  # fmt: skip
    return found, order, top


def metric(result, row, name):
    """Of a row's claims, [1+resamples, d]."""
    return result.evidence[row].metrics[name]


def rows(p=4, d=3):
    right = np.broadcast_to(np.arange(3)[:, None, None], (d, p, 2)).copy()
    right[..., 1] = -1
    wrong = np.full((d, p, 2), 2)
    wrong[..., 0] = 1
    return {
        "words": Row({"vocabulary": right, "categories": right}, np.arange(3)),
        "constant_words": Row({"vocabulary": wrong, "categories": wrong}, np.full(3, 1)),
    }


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


def evidence(auprc, claims, null, share=0.1):
    """Of claims whose AUPRC is [1+resamples, d]; null: by token."""
    auprc = np.asarray(auprc, float)
    shares = np.full(auprc.shape, share)
    metrics = {"auprc": auprc, "iou": auprc / 2, "f1": auprc / 2, "correlation": auprc / 2, "share": shares}
    return ClaimEvidence(np.array(claims), metrics, np.array(null, float))


def support_of(own, lent, decoys, rivals, dead, rate=1.0):
    """`support` on evidence made by hand; rivals: Network Dissection's labels."""
    found = Measured(
        pd.DataFrame(),
        {"dissection": Row({}, np.array(rivals))},
        {"words": own, "shuffled_filters": lent, "dissection": evidence(own.metrics["auprc"] / 2, rivals, own.null)},
        decoys,
    )
    thresholds = pd.DataFrame({"filter": np.arange(len(dead)), "dead": dead})
    return support(found, thresholds, TOKENS, ScoreSettings(confidence=0.9, false_discoveries=rate))


def test_support_asks_that_the_whole_interval_beats_the_mean_filter():
    resamples = np.random.default_rng(0).normal(0, 0.05, (200, 4))
    auprc = np.concatenate([np.zeros((1, 4)), resamples]) + np.array([0.8, 0.55, 0.8, 0.8])
    null, dead = [0.5, 0.27, 0.47], [False, False, False, True]
    own, weak = evidence(auprc, [0, 0, -1, 2], null), evidence(auprc * 0 + 0.1, [0, 0, -1, 2], null)
    for lent, passes in ((0.2, False), (0.9, True)):
        borrowed = evidence(auprc * 0 + lent, [1, 2, 1, 1], null)
        found = support_of(own, borrowed, [weak, weak], [0] * 4, dead)
        tables.checked(found, "filter_claims")
        assert found["auprc"][1] > found["null"][1] > found["low"][1]
        assert found["lift"][0] == pytest.approx(0.3)
        # What is lent is false and has more evidence than any claim: then no claim is believed.
        assert found["supported"].tolist() == [not passes, False, False, False]
        assert found["lent"].tolist() == [True, True, False, False]
        assert not found["lent_supported"].any()
        assert found["told"].all()
        assert found["claim"].dropna().tolist() == ["red", "red"]  # a dead filter claims nothing
        assert found["rival"].dropna().tolist() == ["red", "red"]
        assert found["low"][0] == pytest.approx(np.quantile(auprc[1:, 0], 0.05))
        assert found["rival_auprc"][0] == pytest.approx(0.4)
        assert found["auprc"].isna().tolist() == [False, False, True, True]


def test_claims_that_pass_where_lent_ones_do_are_counted():
    """Ten claims pass at this rate although one that was lent does as well."""
    auprc = np.tile(np.linspace(0.6, 0.9, 10), (11, 1))
    own, null = evidence(auprc, [0] * 10, [0.1] * 3), [0.1] * 3
    lent = evidence(np.where(np.arange(10) == 3, 0.65, 0.1) + 0 * auprc, [1] * 10, null)
    found = support_of(own, lent, [evidence(auprc * 0, [0] * 10, null)], [0] * 10, [False] * 10, 0.2)
    assert found["supported"].all()
    assert found["lent_supported"].tolist() == [number == 3 for number in range(10)]


def test_lent_claims_count_though_most_filters_bear_one_word():
    """80 of 100 filters claim one word; where the 40 that can be lent another have as much evidence, nothing is."""
    claims = np.repeat([0, 1], [80, 20])
    lent = np.r_[np.ones(20, int), np.zeros(60, int), np.zeros(20, int)]
    auprc = np.tile(np.linspace(0.6, 0.9, 100), (11, 1))
    null = [0.1] * 3
    strangers = [evidence(auprc * 0, claims, null)] * 2
    for borrowed, supported in ((auprc, 0), (auprc * 0, 100)):
        found = support_of(
            evidence(auprc, claims, null), evidence(borrowed, lent, null), strangers, [0] * 100, [False] * 100, 0.1
        )
        assert found["lent"].sum() == 40
        assert found["supported"].sum() == supported


def test_claims_of_the_same_word_are_no_decoys():
    """Whoever is lent the word that it claims itself is right to pass."""
    auprc = np.tile(np.linspace(0.6, 0.9, 10), (11, 1))
    own = evidence(auprc, [0] * 10, [0.1] * 3)
    weak = [evidence(auprc * 0, [0] * 10, [0.1] * 3)] * 2
    found = support_of(own, own, weak, [0] * 10, [False] * 10, 0.1)
    assert found["supported"].all()
    assert not found["lent"].any()
    assert not found["lent_supported"].any()


def test_so_few_claims_that_decoys_cannot_hold_the_rate_cannot_be_told():
    auprc = np.full((11, 3), 0.9)
    own, weak = evidence(auprc, [0] * 3, [0.1] * 3), evidence(auprc * 0, [0] * 3, [0.1] * 3)
    for decoys, told in ((9, False), (10, True)):  # 3 / 30 of a claim is expected to be false, 0.3 are allowed
        found = support_of(own, own, [weak] * decoys, [0] * 3, [False] * 3, 0.1 / 3)
        assert found["told"].tolist() == [told] * 3
        assert found["supported"].tolist() == [told] * 3


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


@given(st.integers(1, 9), st.data())
def test_maps_are_paired_with_each_of_the_scenes_before_them_once(images, data):
    """Cyclically, whatever the number of images and the distance."""
    distance = data.draw(st.integers(0, images - 1))
    strangers, pairs = Strangers(distance), []
    for number in range(images):
        before = strangers.of(10 + number, f"maps {number}", f"scene {number}")
        pairs += [(number, away, scene) for away, scene in enumerate(before)]
    for position, maps, others in strangers.rest():
        assert maps == f"maps {position - 10}"
        pairs += [(position - 10, away, scene) for away, scene in others]
    expected = [
        (number, away, f"scene {(number - away - 1) % images}") for number in range(images) for away in range(distance)
    ]
    assert sorted(pairs) == sorted(expected)


def test_decoys_are_the_claims_on_the_masks_of_other_images():
    looks, truth = pictures()
    result, _, _ = measured(looks, truth, rows(), decoys=True)
    assert len(result.decoys) == len(looks) - 1  # 256 were wanted of three filters; there are no more
    weights = resample_weights(len(looks), 30, 5)
    maps = Eyes()(normalise(torch.stack([look.picture for look in looks]), INPUTS))
    scenes = [truth.of(look, SIDE, CPU) for look in looks]
    for away, found in enumerate(result.decoys):
        expected = ClaimScores({"own": np.arange(3)}, THRESHOLDS, 3, weights, SIDE, CPU)
        for position in range(len(looks)):
            expected.add(position, maps[position], scenes[(position - away - 1) % len(looks)])
        for name, values in expected.metrics().items():
            np.testing.assert_allclose(found.metrics[name], values[:, 0], atol=1e-5)
    assert measured(looks, truth, rows())[0].decoys == []


class Sighted:
    """A stand-in for a Reader: filters of noise, the first of which also see red."""

    layer = "sighted"

    def __init__(self, seeing, filters, seed):
        self.seeing, self.filters = seeing, filters
        self.chance = torch.Generator().manual_seed(seed)

    def __call__(self, images):
        mean, std = torch.tensor(INPUTS.mean).view(3, 1, 1), torch.tensor(INPUTS.std).view(3, 1, 1)
        red = torch.nn.functional.avg_pool2d(images * std + mean, SIDE // CELLS)[:, :1]
        maps = torch.empty(len(images), self.filters, CELLS, CELLS).exponential_(1.0, generator=self.chance)
        # Some images excite a filter more than others, all over.
        maps *= 0.2 + torch.rand(len(images), self.filters, 1, 1, generator=self.chance)
        maps[:, : self.seeing] += 2 * red
        return maps


def one_word_for_all(seeing, seed, filters=60, images=48):
    """Support where every filter claims red, which the first of them see."""
    looks, truth = pictures(images, seed)
    silent = np.zeros((filters, 1), np.int64), np.zeros((filters, 1))
    everybody = np.zeros(filters, np.int64)
    said = dict.fromkeys(("words", "shuffled_filters", "dissection"), Row({}, everybody))
    result = measure(
        [Batch(looks)],
        Sighted(seeing, filters, seed),
        INPUTS,
        truth,
        np.array([look.image_id for look in looks]),
        *silent,
        np.full(filters, 2.0),
        np.zeros(filters, bool),
        said,
        ScoreSettings(resolution=SIDE, bootstrap=100),
        seed,
        CPU,
        decoys=True,
    )
    return support(result, pd.DataFrame({"filter": range(filters), "dead": False}), TOKENS, ScoreSettings())


@pytest.mark.parametrize("seeing", [30, 10])
def test_of_one_word_for_all_filters_few_are_supported_by_chance(seeing):
    """Nobody can be lent another word, and yet at most a tenth of what is supported is noise."""
    found = [one_word_for_all(seeing, seed) for seed in range(6)]
    assert all(each["told"].all() and not each["lent"].any() for each in found)
    right = sum(each["supported"][:seeing].sum() for each in found)
    wrong = sum(each["supported"][seeing:].sum() for each in found)
    assert right > 0.8 * seeing * len(found)
    assert wrong <= 0.1 * (right + wrong)


@pytest.mark.parametrize("seed", range(6))
def test_of_one_word_for_filters_of_noise_nothing_is_supported(seed):
    assert not one_word_for_all(0, seed)["supported"].any()


def test_as_much_evidence_is_asked_for_as_keeps_false_claims_few():
    """Half of the claims are right and have evidence around 3; the others and the decoys have it around 0."""
    chance = np.random.default_rng(0)
    right, wrong = chance.normal(3, 1, 500), chance.normal(0, 1, 500)
    claims, decoys = np.concatenate([right, wrong]), chance.normal(0, 1, 250)
    least, told = least_evidence(claims, [decoys], 0.05)
    false = (wrong >= least).sum() / (claims >= least).sum()
    assert told
    assert false < 0.08
    assert (right >= least).mean() > 0.8
    assert least_evidence(claims, [decoys], 0.2)[0] < least
    # As many decoys pass as claims: nothing is believed. None passes: whatever is above its null is.
    assert least_evidence(wrong, [wrong], 0.05) == (np.inf, True)
    assert least_evidence(right, [np.full(250, -1.0)], 0.05) == (right[right > 0].min(), True)


def test_known_answers_of_the_least_evidence():
    """Ten claims; of 20 decoys each counts for half a claim, and one more is taken to pass than does."""
    claims = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, -0.1])
    none = np.full(20, -1.0)
    one = np.append(none[1:], 0.45)
    three = np.append(none[3:], [0.65] * 3)
    assert least_evidence(claims, [none], 0.1) == (0.1, True)  # 0.5 of 9 are false at most
    assert least_evidence(claims, [none], 0.05) == (np.inf, False)  # 0.45 would be allowed
    assert least_evidence(claims, [one], 0.1) == (0.5, True)  # below, 1 of at most 9; here 0.5 of 5
    assert least_evidence(claims, [three], 0.1) == (np.inf, True)
    # Every kind of decoys must agree.
    assert least_evidence(claims, [none, one], 0.1) == (0.5, True)
    assert least_evidence(claims, [one, none, three], 0.1) == (np.inf, True)
    # Five decoys could not hold the rate whatever they are; nor can none.
    assert least_evidence(claims, [none, none[:5]], 0.1) == (np.inf, False)
    assert least_evidence(claims, [none[:0]], 0.1) == (np.inf, False)
    assert least_evidence(claims, [], 0.1) == (np.inf, False)
    # No claim has any evidence: that is told.
    assert least_evidence(np.array([0.0, -1.0]), [none], 0.1) == (np.inf, True)
    assert least_evidence(np.zeros(0), [none], 0.1) == (np.inf, True)


def test_support_where_every_filter_is_dead():
    nothing = evidence(np.zeros((5, 2)), [-1, -1], [0.0] * 3)
    found = support_of(nothing, nothing, [nothing], [-1, -1], [True, True])
    for column in ("supported", "lent", "lent_supported", "told"):
        assert not found[column].any()
    assert found["claim"].isna().all()
    tables.checked(found, "filter_claims")


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
