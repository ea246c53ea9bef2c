"""Link, model, fit and target curve: known answers (docs/methods.md, Temperature)."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from filterscope.apt import model
from filterscope.apt.learning_rates import RATES
from filterscope.apt.model import Fit, ModelWarning, adapted_rate, to_probability, to_temperature

# Tabulated T0 (ActCooLR, tables 2 and 3) with the round numbers that they come from in nats.
TABULATED = {2.0: 2.8854, 2.1: 3.0297, 3.4: 4.9052}


def curve(sigma, mu, rates=RATES):
    return ndtr((np.log(rates) - mu) / sigma)


def test_link_of_base_two():
    assert to_probability(3.03) == pytest.approx(0.87757, abs=5e-6)
    assert to_probability(3.03, "e") == pytest.approx(0.95168, abs=5e-6)
    assert to_probability(0) == 0
    assert to_temperature(0.5) == pytest.approx(1)
    for nats, bits in TABULATED.items():
        assert to_temperature(to_probability(nats, "e")) == pytest.approx(bits, abs=5e-5)


@given(st.floats(0, 12), st.sampled_from(["2", "e"]))
def test_links_are_undone_and_quantiles_agree(temperature, link):
    probability = to_probability(temperature, link)
    assert 0 <= probability < 1
    assert to_temperature(probability, link) == pytest.approx(temperature, rel=1e-6, abs=1e-12)
    assert ndtr(model.quantile(temperature, link)) == pytest.approx(probability, rel=1e-9)


@pytest.mark.parametrize(
    ("rate", "sigma", "measured", "target", "expected"),
    [
        (0.1, 1, 1, 2, 0.196303),
        (0.1, 1, 1, 0.5, 0.0579870),
        (0.1, 1, 1, 3, 0.315930),
        (0.1, 1, 1, 1, 0.1),
        (0.1, 1, 1, 0, 0),
        (0.1, 2, 2, 1, 0.0259505),
    ],
)
def test_adapted_learning_rates(rate, sigma, measured, target, expected):
    assert adapted_rate(rate, sigma, measured, target) == pytest.approx(expected, rel=5e-6)


@given(st.floats(1e-4, 10), st.floats(0.1, 4), st.floats(0.05, 12), st.sampled_from(["2", "e"]))
def test_reaching_the_target_is_a_fixed_point(rate, sigma, temperature, link):
    assert adapted_rate(rate, sigma, temperature, temperature, link=link) == pytest.approx(rate, rel=1e-6)


def test_measured_probabilities_are_clipped():
    epsilon = 0.5 / 100
    cold, hot = adapted_rate(0.1, 1, 0, 2, epsilon), adapted_rate(0.1, 1, 60, 2, epsilon)
    assert cold == pytest.approx(0.1 * np.exp(0.6744898 + 2.5758293), rel=1e-6)
    assert hot == pytest.approx(0.1 * np.exp(0.6744898 - 2.5758293), rel=1e-6)


def test_target_curves():
    shares = (0, 0.25, 0.5, 0.75, 1)
    straight = [model.target_temperature(3.03, 1, share) for share in shares]
    bent = [model.target_temperature(3.03, 2, share) for share in shares]
    assert straight == pytest.approx([3.03, 2.2725, 1.515, 0.7575, 0])
    assert bent == pytest.approx([3.03, 1.7044, 0.7575, 0.1894, 0], abs=5e-5)


@pytest.mark.parametrize("link", ["2", "e"])
def test_the_parameters_of_exact_curves_come_back(link):
    found = model.fit(RATES, to_temperature(curve(1.5, np.log(0.05)), link), link)
    assert found.sigma == pytest.approx(1.5, abs=1e-6)
    assert found.mu == pytest.approx(np.log(0.05), abs=1e-6)
    assert found.residual < 1e-9
    assert found.points == 25
    assert found.notes == ()
    assert found.rate(3.03) == pytest.approx(np.exp(found.mu + 1.5 * model.quantile(3.03, link)))
    assert found.temperature(RATES) == pytest.approx(to_temperature(curve(1.5, np.log(0.05)), link), abs=1e-4)


def test_the_listings_mixed_links_are_told_apart():
    """Temperatures of base 2 read by e give another sigma and mu."""
    found = model.fit(RATES, to_temperature(curve(1.5, np.log(0.05))), "e")
    assert found.sigma == pytest.approx(1.348, abs=5e-4)
    assert found.mu == pytest.approx(-3.457, abs=5e-4)


def test_standard_errors_describe_the_spread():
    """Over many draws of 4,096 samples, the fits spread as their standard errors say."""
    chance = np.random.default_rng(0)
    expected = curve(1.5, np.log(0.05))
    fits = [
        model.fit(RATES, to_temperature(np.minimum(chance.binomial(4096, expected), 4095) / 4096)) for _ in range(40)
    ]
    assert fits[0].sigma == pytest.approx(1.5, abs=0.02)
    for index, name in enumerate(("sigma", "mu")):
        spread = np.std([getattr(each, name) for each in fits])
        assert 0.75 < np.mean([each.errors[index] for each in fits]) / spread < 1.35


def test_bad_fits_warn_and_say_why():
    steps = np.where(RATES < 0.05, 0.1, np.where(RATES < 5, 0.5, 0.95))
    with pytest.warns(ModelWarning, match="points are 0.1.. from the curve"):
        assert len(model.fit(RATES, to_temperature(steps)).notes) == 1
    dip = curve(1.0, 0.0)
    dip[-3:] -= 0.11
    with pytest.warns(ModelWarning, match=r"falls by 0\.1"):
        model.fit(RATES, to_temperature(dip))
    with pytest.warns(ModelWarning, match="outside of the learning rates"):
        model.fit(RATES[:14], to_temperature(curve(1.0, 0.0, RATES[:14])))
    with pytest.warns(ModelWarning) as told:
        model.fit([0.01, 0.02, 0.03, 0.05], to_temperature([0.3, 0.6, 0.55, 0.65]))
    assert ["points are" in str(told[0].message), "standard error of" in str(told[1].message)] == [True, True]


@pytest.mark.parametrize(
    ("rates", "temperatures", "told"),
    [
        (RATES[:2], [1, 2], "at least 3 learning rates"),
        ([0.1, 0.2, 0.0], [1, 2, 3], "rates has 0, should be learning rates above 0"),
        ([-0.1, 0.2, 0.3], [1, 2, 3], "rates has -0.1"),
        ([0.1, 0.2, np.nan], [1, 2, 3], "rates has nan"),
        ([0.1, 0.3, 0.2], [1, 2, 3], "0.3 before 0.2, should rise"),
        ([0.1, 0.2, 0.3], [1, 2], r"shape \[2\], should be one for each of 3 rates"),
        ([0.1, 0.2, 0.3], [1, 2, -1], "negative"),
        ([0.1, 0.2, 0.3], [1, 2, np.inf], "not finite"),
        (RATES, np.zeros(25), "flat: .* take higher learning rates"),
        (RATES, np.full(25, 9.0), "flat: .* take lower learning rates"),
        (RATES, to_temperature(curve(1.0, 0.0))[::-1], "not monotone: .* falls from"),
        (RATES, to_temperature(np.r_[curve(1.0, 0.0)[:18], np.full(7, 0.3)]), "not monotone: .* to 0.3 at"),
        (RATES, to_temperature(np.repeat([0.0, 0.999], [12, 13])), "jumps"),
    ],
)
def test_curves_without_a_fit_are_told(rates, temperatures, told):
    with pytest.raises(ValueError, match=told):
        model.fit(rates, temperatures)


@pytest.mark.parametrize(
    ("initial", "exponent", "told"),
    [
        (-1, 1, "initial_temperature is -1"),
        (float("nan"), 1, "initial_temperature is nan"),
        (float("inf"), 1, "initial_temperature is inf"),
        (60, 1, "target temperature too high, it asks for probability 1"),
        (3, 0, "exponent is 0"),
        (3, -2, "exponent is -2"),
    ],
)
def test_impossible_targets_are_told(initial, exponent, told):
    with pytest.raises(ValueError, match=told):
        model.check_target(initial, exponent)


def test_an_unknown_link_is_told():
    with pytest.raises(ValueError, match="link is '10', should be one of 2, e"):
        to_probability(1.0, "10")


def some_fit(sigma, error):
    return Fit(sigma, 0.0, np.diag([error**2, 0.0]), 0.01, 25)


def test_drift_of_sigma_warns():
    """FashionMNIST's goes from 3 to 0.3 (ActCooLR, C)."""
    with pytest.warns(ModelWarning, match="sigma was 3 and is 0.3 now"):
        model.warn_of_drift(some_fit(3.0, 0.1), some_fit(0.3, 0.02))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.warn_of_drift(some_fit(1.13, 0.03), some_fit(1.10, 0.03))
        model.warn_of_drift(some_fit(1.0, 0.4), some_fit(1.5, 0.4))  # too uncertain to be called drift
