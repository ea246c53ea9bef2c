"""Causes: planted ones are found, noise and lent claims are not, and what cannot be told is not told."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from filterscope import tables
from filterscope.words.proofs.causes import (
    CAUSED,
    NOT_CAUSED,
    UNTOLD,
    Effects,
    RankTest,
    causes,
    compare,
    lent_claims,
    p_values,
    spread_of,
)
from filterscope.words.proofs.responses import ProofSettings, Responses

NAMES = [f"word{number}" for number in range(10)]
PLACES, FILTERS, PER_TOKEN = 3, 40, 12


def noise(filters=FILTERS, seed=0):
    """Ten tokens, twelve objects each, two sizes; answers that know nothing of the tokens."""
    chance = np.random.default_rng(seed)
    tokens = np.repeat(np.eye(len(NAMES), dtype=bool), PER_TOKEN, axis=0)
    count = len(tokens)
    laid, lost = chance.normal(size=(count, PLACES, filters)), chance.normal(size=(count, filters))
    return Responses(tokens, chance.integers(0, 2, count), np.ones((PLACES, len(NAMES)), bool), laid, lost)


def planted(size, filters=FILTERS):
    """Filter f answers to the objects of its own token more than to others, by `size`."""
    responses, claims = noise(filters), np.arange(filters) % len(NAMES)
    own = responses.tokens[:, claims]
    return replace(responses, laid=responses.laid + size * own[:, None], lost=responses.lost + size * own), claims


def measured(responses, claims, live=None, spread=None, unusable=0):
    filters = responses.lost.shape[1]
    live = np.ones(filters, bool) if live is None else live
    spread = np.ones(filters) if spread is None else spread
    effects = Effects(responses, live, spread, ProofSettings(), 100, 0.95, 0, permutations=499)
    lent = lent_claims(claims, np.random.default_rng(5))
    return causes(effects, claims, lent, NAMES, np.zeros(len(NAMES), np.int64) + unusable, 0.1)


def ranked(own, strata, *values, permutations):
    """p value of each of several sets of values, and that of all together."""
    test, comparison = RankTest(strata, permutations, np.random.default_rng(0)), compare(own, strata)
    sums = [test.sums(each, comparison, test.drawn(comparison)) for each in values]
    return [p_values(each) for each in sums], p_values(sum(sums))


def p_of(values, own, strata, permutations=999):
    return ranked(own, strata, values, permutations=permutations)[1]


class TestRankTest:
    def test_agrees_with_the_exact_test(self):
        own = np.arange(30) < 6
        values = np.random.default_rng(1).normal(size=(30, 6)) + np.linspace(0, 1, 6) * own[:, None]
        p = p_of(values, own, np.zeros(30, int), 9999)
        exact = stats.mannwhitneyu(values[own], values[~own], alternative="greater", method="exact").pvalue
        assert p == pytest.approx(exact, abs=0.02)
        assert exact.min() < 0.1 < exact.max()

    def test_a_single_answer_is_no_proof(self):
        """Nearly all answers are equal: one of the claim's four objects excites the filter, nothing else does."""
        values = np.zeros((100, 1))
        values[0] = 1
        assert p_of(values, np.arange(100) < 4, np.zeros(100, int)) == pytest.approx(0.04, abs=0.02)

    def test_no_answer_at_all_is_no_evidence(self):
        assert p_of(np.zeros((20, 2)), np.arange(20) < 5, np.zeros(20, int)) == pytest.approx(1)

    def test_sizes_are_not_compared_with_each_other(self):
        """Large objects excite more, and most of the claim's are large: within a size there is nothing."""
        strata = np.repeat([0, 1], 60)
        own = np.r_[np.arange(60) < 4, np.arange(60) < 40]
        values = 5.0 * strata[:, None] + np.random.default_rng(2).normal(size=(120, 50))
        assert (p_of(values, own, strata) < 0.05).mean() < 0.15
        assert (p_of(values, own, np.zeros(120, int)) < 0.05).mean() == 1


class TestBothDirections:
    """Answers to 12 objects of the claim and 100 others, in two directions that share half of their variance."""

    own, strata = np.arange(112) < 12, np.arange(112) % 2

    def answers(self, *shifts, filters=400, seed=4):
        shared, *each = np.random.default_rng(seed).normal(size=(3, len(self.own), filters))
        answers = [(shared + one) / np.sqrt(2) for one in each]
        return [one + shift * self.own[:, None] for one, shift in zip(answers, shifts, strict=True)]

    def ranked(self, *values):
        return ranked(self.own, self.strata, *values, permutations=999)

    def test_p_holds_though_they_depend_on_each_other(self):
        p = self.ranked(*self.answers(0, 0))[1]
        for level in (0.01, 0.05, 0.2):
            assert (p <= level).mean() <= level + 3 * np.sqrt(level / len(p))

    def test_p_holds_where_both_are_the_same(self):
        """Then it is that of one of them: no evidence is counted twice."""
        (values, _) = self.answers(0.3, 0)
        (single, _), both = self.ranked(values, values)
        assert both == pytest.approx(single)

    def test_together_they_tell_more_than_twice_their_mean(self):
        (laid, lost), both = self.ranked(*self.answers(0.6, 0.6))
        assert (both <= 0.05).mean() > (laid + lost <= 0.05).mean() + 0.2


class TestComparison:
    def test_strata_without_controls_are_left_out(self):
        comparison = compare(np.array([1, 1, 0, 0, 1, 1], bool), np.array([0, 0, 0, 1, 2, 2]))
        assert comparison.kept.tolist() == [0, 1, 2]
        assert comparison.own.tolist() == [True, True, False]

    def test_the_effect_is_the_difference_of_means_within_sizes(self):
        own, strata = np.array([1, 0, 0, 1, 1, 0], bool), np.array([0, 0, 0, 1, 1, 1])
        values = np.array([[4.0], [1], [2], [30], [50], [10]])
        contrast = compare(own, strata).contrasts(0, np.random.default_rng(0))
        assert contrast @ values == pytest.approx(((4 - 1.5) + (40 - 10)) / 2)  # both sizes tell as much

    def test_resamples_keep_the_sizes_and_the_sides(self):
        own, strata = np.arange(40) % 4 == 0, np.arange(40) // 20
        contrasts = compare(own, strata).contrasts(50, np.random.default_rng(0))
        for stratum in (0, 1):
            here = strata == stratum
            assert contrasts[:, own & here].sum(1) == pytest.approx(0.5)
            assert contrasts[:, ~own & here].sum(1) == pytest.approx(-0.5)
        assert contrasts[1:].std(0).min() > 0


class TestCauses:
    def test_planted_causes_are_found_with_their_size(self):
        table = measured(*planted(2.0))
        assert table["status"].eq(CAUSED).all()
        assert table["reason"].eq("").all()
        assert ((table["low"] < 2) & (table["high"] > 2)).mean() > 0.8
        assert table["null"].astype(float).abs().max() < 0.5  # a tenth of the filters answers to a word
        assert not table["lent_caused"].astype(bool).any()
        assert (table["lent"] != table["claim"]).all()

    def test_noise_causes_nothing(self):
        """The control: over many filters and draws no more than the rate, though every filter has a claim."""
        found, any_at_all = [], []
        for seed in range(20):
            claims = np.random.default_rng(seed).integers(0, 10, 100)
            table = measured(noise(100, seed), claims)
            found.append(table["status"].eq(CAUSED).sum())
            any_at_all.append(found[-1] > 0)
            assert table["lent_caused"].astype(bool).sum() <= 3
        # Where nothing is true, every discovery is false: their share is 1 in the draws that have any.
        assert np.mean(any_at_all) <= 0.1 + 2 * np.sqrt(0.1 * 0.9 / 20)
        assert sum(found) <= 10

    def test_false_discoveries_keep_to_their_share_among_true_ones(self):
        """Half of the filters have a cause, half have claims of which they know nothing: over seeds, the mean share."""
        shares, found = [], []
        for seed in range(20):
            (responses, claims), quiet = planted(1.2, 80), noise(80, 100 + seed)
            responses.laid[..., 40:], responses.lost[:, 40:] = quiet.laid[..., 40:], quiet.lost[:, 40:]
            caused = measured(responses, claims)["status"].eq(CAUSED).to_numpy()
            shares.append(caused[40:].sum() / max(1, caused.sum()))
            found.append(caused[:40].mean())
        assert np.mean(shares) <= 0.1
        assert np.mean(found) >= 0.8

    def test_the_few_that_are_caused_are_found_among_noise(self):
        """What the control counts can be there: an effect in one filter of ten is not lost among the others."""
        (responses, claims), quiet = planted(2.0, 100), noise(100, 3)
        responses.laid[..., 10:], responses.lost[:, 10:] = quiet.laid[..., 10:], quiet.lost[:, 10:]
        caused = measured(responses, claims)["status"].eq(CAUSED).to_numpy()
        assert caused[:10].all()
        assert caused[10:].sum() <= 2

    def test_shuffled_claims_are_not_caused(self):
        responses, claims = planted(2.0)
        shuffled = lent_claims(claims, np.random.default_rng(3))
        assert (shuffled != claims).all()
        assert measured(responses, shuffled)["status"].eq(NOT_CAUSED).mean() >= 0.9

    def test_objects_that_excite_every_filter_are_nobodys_cause(self):
        responses = noise()
        responses.laid[responses.tokens[:, 0]] += 3
        responses.lost[responses.tokens[:, 0]] += 3
        table = measured(responses, np.zeros(FILTERS, int))
        assert table["null"].astype(float).min() > 2.5
        assert table["status"].eq(CAUSED).mean() <= 0.1
        assert table["reason"].eq("no more than the layer's mean filter").mean() >= 0.9

    def test_one_direction_alone_is_no_cause(self):
        """What is excited by the object when it is laid in, but does not miss it, answers to the laying."""
        responses, claims = planted(2.0)
        table = measured(replace(responses, lost=noise(seed=8).lost), claims)
        assert table["laid_p"].astype(float).max() < 0.01
        assert table["p"].astype(float).median() < 0.01, "both together do not notice"
        assert table["status"].eq(CAUSED).mean() <= 0.1
        assert table["reason"].eq("no more than other objects where they are taken out").mean() >= 0.9

    def test_one_direction_alone_is_no_cause_either_way(self):
        responses, claims = planted(2.0)
        table = measured(replace(responses, laid=noise(seed=8).laid), claims)
        assert table["status"].eq(CAUSED).mean() <= 0.1
        assert table["reason"].eq("no more than other objects where they are laid").mean() >= 0.9

    def test_units_are_the_filters_own(self):
        responses, claims = planted(2.0)
        loud = replace(responses, laid=50 * responses.laid, lost=50 * responses.lost)
        effects = [
            measured(each, claims, spread=np.full(FILTERS, unit))["effect"].to_numpy(float)
            for each, unit in ((responses, 1.0), (loud, 50.0))
        ]
        assert effects[1] == pytest.approx(effects[0], rel=1e-4)


class TestUntold:
    def test_every_reason_is_told(self):
        responses, claims = planted(2.0)
        live, spread = np.ones(FILTERS, bool), np.ones(FILTERS)
        live[0], spread[1], claims[2] = False, 0, -1
        responses.tokens[np.flatnonzero(responses.tokens[:, 3])[2:], 3] = False
        table = measured(responses, claims, live, spread, unusable=np.arange(10))
        assert table["status"][:4].eq(UNTOLD).all()
        assert table["reason"][:4].tolist() == [
            "the filter is dead",
            "the filter is silent in all images that score",
            "the filter claims nothing",
            "too few usable objects of its claim: 2 of 4",
        ]
        assert table.loc[:3, ["effect", "low", "high", "null", "p", "q"]].isna().all(axis=None)
        assert table["claim"][2] is None
        assert table["unusable"][:5].tolist() == [0, 1, 0, 3, 4]
        assert table["status"][4:10].eq(CAUSED).all()

    def test_a_dataset_with_one_token_has_no_controls(self):
        responses = noise()
        table = measured(replace(responses, tokens=np.ones_like(responses.tokens)), np.zeros(FILTERS, int))
        assert table["status"].eq(UNTOLD).all()
        assert table["reason"].str.startswith("no other objects").all()
        assert table["lent_caused"].isna().all()

    def test_without_any_object_nothing_is_told(self):
        responses = noise()
        nothing = Responses(*(each[:0] for each in (responses.tokens, responses.sizes)), responses.lacking,
                            responses.laid[:0], responses.lost[:0])  # fmt: skip
        assert measured(nothing, np.arange(FILTERS) % 10)["status"].eq(UNTOLD).all()

    def test_where_every_background_has_it_one_direction_is_no_proof(self):
        responses, claims = planted(2.0)
        responses.lacking[:, 4] = False
        own = measured(responses, claims).loc[4]
        assert own["status"] == UNTOLD
        assert own["reason"] == "every image to lay objects into shows its claim"
        assert own[["p", "q", "laid_p", "lost_p"]].isna().all()


@pytest.mark.parametrize("claims", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 1], [3, 3, 3], [-1, -1], [0, -1, 1]])
def test_claims_are_lent_to_filters_of_another_word(claims):
    claims = np.array(claims)
    lent = lent_claims(claims, np.random.default_rng(0))
    given = lent >= 0
    assert (lent[given] != claims[given]).all()
    assert not given[claims < 0].any()
    counts = np.bincount(claims[claims >= 0], minlength=1)
    assert given.sum() == min(counts.sum(), 2 * (counts.sum() - counts.max()))


def test_a_filters_spread_is_over_the_images_that_score():
    means = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    activity = pa.table({"image_id": [7, 3, 9, 4, 1, 8], "mean": tables.vectors(means)})
    np.testing.assert_allclose(spread_of(activity, np.array([1, 3, 4])), np.std(means[[1, 3, 4]], 0, np.float64))
