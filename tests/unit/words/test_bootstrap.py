"""Intervals over images."""

import numpy as np
import pytest

from filterscope.words.bootstrap import percentile_interval, resample_weights


def test_weights_are_resamples_of_all_images():
    weights = resample_weights(50, 2000, seed=0)
    assert weights.shape == (2001, 50)
    assert (weights[0] == 1).all()
    assert (weights.sum(1) == 50).all()
    assert np.array_equal(weights, weights.round())
    # Every image is missing from a share (1 - 1/n)^n of the resamples.
    assert (weights[1:] == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)
    assert np.array_equal(weights, resample_weights(50, 2000, seed=0))
    assert not np.array_equal(weights, resample_weights(50, 2000, seed=1))


def test_interval_of_a_mean_is_what_theory_says():
    """Mean of 400 draws of standard deviation 3: 95 % within 1.96 x 3 / 20."""
    values = np.random.default_rng(1).normal(5, 3, 400)
    values = (values - values.mean()) / values.std() * 3 + 5
    weights = resample_weights(400, 4000, seed=2).astype(float)
    low, high = percentile_interval(weights @ values / 400, 0.95)
    assert low == pytest.approx(5 - 1.96 * 0.15, abs=0.02)
    assert high == pytest.approx(5 + 1.96 * 0.15, abs=0.02)


def test_the_sample_itself_is_no_resample():
    low, high = percentile_interval(np.array([1000.0, *np.linspace(0, 1, 101)]), 0.9)
    assert low == pytest.approx(0.05)
    assert high == pytest.approx(0.95)


def test_goes_column_by_column():
    low, high = percentile_interval(np.stack([np.zeros(3), np.arange(3), np.arange(3)]), 0.5)
    assert low.tolist() == high.tolist() == [0, 1, 2]
