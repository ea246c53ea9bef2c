"""Support needs more than luck: claims are held against null, lent claims and decoys."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.words.scoring.coloured import (
    CELLS,
    CPU,
    INPUTS,
    SIDE,
    THRESHOLDS,
    TOKENS,
    Eyes,
    measured,
    pictures,
    rows,
)

from filterscope import tables
from filterscope.activations.streaming import Batch
from filterscope.data.networks.building import normalise
from filterscope.words.bootstrap import resample_weights
from filterscope.words.results import shuffled_row
from filterscope.words.scoring.claims import ClaimScores
from filterscope.words.scoring.lending import lent_further
from filterscope.words.scoring.scored_images import Strangers, measure
from filterscope.words.scoring.scores import ClaimEvidence, Measured, Row, ScoreSettings, least_evidence, support


def evidence(auprc, claims, null, share=0.1):
    """Of claims whose AUPRC is [1+resamples, d]; null: by token."""
    auprc = np.asarray(auprc, float)
    shares = np.full(auprc.shape, share)
    metrics = {"auprc": auprc, "iou": auprc / 2, "f1": auprc / 2, "correlation": auprc / 2, "share": shares}
    return ClaimEvidence(np.array(claims), metrics, np.array(null, float))


def support_of(own, lent, decoys, rivals, dead, rate=1.0, further=()):
    """`support` on evidence made by hand; rivals: Network Dissection's labels; further: claims lent in other orders."""
    found = Measured(
        pd.DataFrame(),
        {"dissection": Row({}, np.array(rivals))},
        {"words": own, "shuffled_filters": lent, "dissection": evidence(own.metrics["auprc"] / 2, rivals, own.null)},
        decoys,
        list(further),
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


def lending(seed=5):
    """The rows, and claims that are lent."""
    said = rows()
    return said | {"shuffled_filters": shuffled_row(said["words"], np.ones(3, int), seed)}


def test_few_lent_claims_that_pass_do_not_take_every_name_of_a_small_layer():
    """Of 24 filters three would pass with another's word; lent in further orders, hardly any does."""
    auprc, null = np.tile(np.linspace(0.6, 0.9, 24), (11, 1)), [0.1] * 3
    claims = np.arange(24) % 3
    lucky = evidence(np.where(np.arange(24) < 3, 0.95, 0.1) + 0 * auprc, (claims + 1) % 3, null)
    weak = evidence(auprc * 0 + 0.1, (claims + 2) % 3, null)
    strangers = [evidence(auprc * 0, claims, null)] * 12
    asked = (evidence(auprc, claims, null), lucky, strangers, [0] * 24, [False] * 24, 0.1)
    found = support_of(*asked, further=[weak] * 9)
    assert found["supported"].all()
    assert found["lent_supported"].sum() == 3
    for alike in ([], [lucky] * 9):
        assert not support_of(*asked, further=alike)["supported"].any()


def lent(own, fires, wanted, seed=0):
    """What filters are lent in the first order, as the row of the shuffled filters has it, and in further ones."""
    first = shuffled_row(Row({}, own), fires, seed).claims
    return first, lent_further(own, first, fires, wanted, seed)


def test_claims_are_lent_in_further_orders_until_there_are_enough():
    own, fires = np.array([0, 1, 2, -1, 0, 1]), np.array([3, 3, 3, 0, 3, 3])
    first, orders = lent(own, fires, 12)
    there = [int(((own >= 0) & (each != own)).sum()) for each in (first, *orders)]
    assert sum(there) >= 12 > sum(there[:-1])
    assert all(order[3] == -1 and sorted(order) == sorted(own) for order in orders)
    assert lent(own, fires, there[0])[1] == []
    assert len(lent(own, fires, 1000)[1]) == 3  # each of five to every other once, the first order among them
    assert lent(np.zeros(9, int), np.ones(9, int), 10)[1] == []  # one word for all


@given(st.integers(2, 17), st.integers(0, 9), st.lists(st.integers(0, 16), max_size=5))
def test_no_filter_lends_another_its_claim_twice(filters, seed, silent):
    """Seen where every filter claims a word of its own; those that never fire lend and are lent nothing."""
    own, fires = np.arange(filters), np.ones(filters, int)
    fires[[each for each in silent if each < filters]] = 0
    own[fires == 0] = -1
    first, orders = lent(own, fires, 10_000, seed)
    for borrower in np.flatnonzero(fires):
        lenders = [order[borrower] for order in (first, *orders)]
        assert sorted(lenders) == sorted(set(own[own >= 0]) - {borrower}) or fires.sum() == 1
    assert all((order[fires == 0] == -1).all() for order in orders)


def test_a_small_layer_has_as_many_lent_claims_as_other_decoys():
    looks, truth = pictures()
    found, _, _ = measured(looks, truth, lending(), decoys=True)
    own, first = (found.evidence[name].claims for name in ("words", "shuffled_filters"))
    (further,) = found.lent  # 256 were wanted of three filters; there are no more
    assert sorted(further.claims) == sorted(own)
    assert ((further.claims != own) & (further.claims != first)).all()
    np.testing.assert_allclose(further.null, found.evidence["words"].null)
    assert measured(looks, truth, rows())[0].lent == []


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
    result, _, _ = measured(looks, truth, lending(), decoys=True)
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
        {},
        said,
        np.array([look.image_id for look in looks]),
        *silent,
        np.full(filters, 2.0),
        np.zeros(filters, bool),
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
