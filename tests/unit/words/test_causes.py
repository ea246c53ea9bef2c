"""Causes: planted ones are found, noise and lent claims are not, and what cannot be told is not told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from filterscope.words.causes import (
    CAUSED,
    NOT_CAUSED,
    UNTOLD,
    Effects,
    RankTest,
    causes,
    combined,
    compare,
    lent_claims,
)
from filterscope.words.proofs import ProofSettings, Responses

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
    effects = Effects(responses, live, spread, ProofSettings(), 100, 0.95, 0, permutations=999)
    lent = lent_claims(claims, np.random.default_rng(5))
    return causes(effects, claims, lent, NAMES, np.zeros(len(NAMES), np.int64) + unusable, 0.1)


def p_values(values, own, strata, permutations=999):
    test, comparison = RankTest(strata, permutations, np.random.default_rng(0)), compare(own, strata)
    return test.p(values, comparison, test.drawn(comparison))


class TestRankTest:
    def test_agrees_with_the_exact_test(self):
        own = np.arange(30) < 6
        values = np.random.default_rng(1).normal(size=(30, 6)) + np.linspace(0, 1, 6) * own[:, None]
        p = p_values(values, own, np.zeros(30, int), 9999)
        exact = stats.mannwhitneyu(values[own], values[~own], alternative="greater", method="exact").pvalue
        assert p == pytest.approx(exact, abs=0.02)
        assert exact.min() < 0.1 < exact.max()

    def test_a_single_answer_is_no_proof(self):
        """Nearly all answers are equal: one of the claim's four objects excites the filter, nothing else does."""
        values = np.zeros((100, 1))
        values[0] = 1
        assert p_values(values, np.arange(100) < 4, np.zeros(100, int)) == pytest.approx(0.04, abs=0.02)

    def test_no_answer_at_all_is_no_evidence(self):
        assert p_values(np.zeros((20, 2)), np.arange(20) < 5, np.zeros(20, int)) == pytest.approx(1)

    def test_sizes_are_not_compared_with_each_other(self):
        """Large objects excite more, and most of the claim's are large: within a size there is nothing."""
        strata = np.repeat([0, 1], 60)
        own = np.r_[np.arange(60) < 4, np.arange(60) < 40]
        values = 5.0 * strata[:, None] + np.random.default_rng(2).normal(size=(120, 50))
        assert (p_values(values, own, strata) < 0.05).mean() < 0.15
        assert (p_values(values, own, np.zeros(120, int)) < 0.05).mean() == 1


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
        """The control: over many filters no more than the rate, though every filter has a claim."""
        tables = [
            measured(noise(200, seed), np.random.default_rng(seed).integers(0, 10, 200)).set_index("filter")
            for seed in range(3)
        ]
        assert sum(table["status"].eq(CAUSED).sum() for table in tables) <= 3
        assert sum(table["lent_caused"].astype(bool).sum() for table in tables) <= 3

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
        assert table["status"].eq(CAUSED).mean() < 0.3

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

    def test_where_every_background_has_it_only_the_loss_is_tested(self):
        responses, claims = planted(2.0)
        responses.lacking[:, 4] = False
        own = measured(responses, claims).loc[4]
        assert own[["laid_effect", "laid_p"]].isna().all()
        assert own["p"] == own["lost_p"]
        assert own["status"] == CAUSED


def test_combined_p_values_hold_for_tests_that_depend_on_each_other():
    p = np.linspace(0.001, 1, 1000)
    assert (combined([p, p]) <= 0.05).mean() <= 0.05
    assert (combined([p, 1 - p]) <= 0.05).mean() <= 0.05
    assert combined([np.array([0.01]), np.array([0.9])]) == pytest.approx(0.91)
    assert combined([p]) is p


@pytest.mark.parametrize("claims", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 1], [3, 3, 3], [-1, -1], [0, -1, 1]])
def test_claims_are_lent_to_filters_of_another_word(claims):
    claims = np.array(claims)
    lent = lent_claims(claims, np.random.default_rng(0))
    given = lent >= 0
    assert (lent[given] != claims[given]).all()
    assert not given[claims < 0].any()
    counts = np.bincount(claims[claims >= 0], minlength=1)
    assert given.sum() == min(counts.sum(), 2 * (counts.sum() - counts.max()))
