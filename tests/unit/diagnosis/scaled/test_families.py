"""Scaled networks, and the width that meets a capacity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.diagnosis.labelled import DiagnosisError
from filterscope.diagnosis.scaled import families
from filterscope.diagnosis.scaled.families import FAMILIES, build_scaled, match_capacity, scaled_capacity


@pytest.mark.parametrize(("family", "bits"), [("alexnet", 184_704), ("resnet", 999_616)])
def test_width_one_of_imagenets_size_is_torchvisions(family, bits):
    assert scaled_capacity(family, 1, (3, 224, 224), 1000) == bits


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 1, 1), (2, 5, 9), (3, 97, 130)]
)
def test_pictures_of_any_size_are_classified(family, shape):
    with torch.random.fork_rng(devices=[]):
        network = build_scaled(family, 0.05, shape, 7).eval()
        assert network(torch.rand(2, *shape)).shape == (2, 7)


@settings(max_examples=12)
@given(st.sampled_from(sorted(FAMILIES)), st.floats(0.01, 1), st.floats(1.05, 3))
def test_wider_networks_hold_more(family, width, factor):
    shape = (3, 32, 32)
    assert scaled_capacity(family, width * factor, shape, 10) >= scaled_capacity(family, width, shape, 10)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("target", [30_720, 12_544])
def test_targets_are_met_within_two_percent(family, target):
    found = match_capacity(family, target, (3, 32, 32), 10)
    assert abs(found.error) <= 0.02
    assert found.capacity == scaled_capacity(family, found.width, (3, 32, 32), 10)


def test_every_width_has_the_capacity_that_it_is_found_by():
    """Going through all widths of a small network finds none nearer to the target than the bisection does."""
    widths = np.linspace(0.05, 1, 120)
    held = [scaled_capacity("plain", width, (1, 8, 8), 4) for width in widths]
    target = 700
    assert abs(match_capacity("plain", target, (1, 8, 8), 4).capacity - target) <= min(
        abs(each - target) for each in held
    )


def test_target_below_the_smallest_network_is_refused():
    with pytest.raises(DiagnosisError, match=r"the target capacity is 10 bits; the smallest plain .* holds \d+ bits"):
        match_capacity("plain", 10, (3, 32, 32), 10)


def test_target_above_the_widest_network_is_refused(monkeypatch):
    monkeypatch.setattr(families, "WIDEST", 2.0)
    with pytest.raises(DiagnosisError, match="plain of width 2 holds fewer"):
        match_capacity("plain", 1e9, (3, 32, 32), 10)


def test_target_between_two_networks_is_refused_with_both():
    with pytest.raises(DiagnosisError, match="meets 704 bits within 2%: the nearest hold 631 and 722 bits"):
        match_capacity("resnet", 704, (1, 8, 8), 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg", 1, (3, 8, 8), 2), "family is 'vgg', should be one of alexnet, resnet, plain"),
        (("plain", 0, (3, 8, 8), 2), "width is 0"),
        (("plain", np.nan, (3, 8, 8), 2), "width is nan"),
        (("plain", 1, (64,), 2), r"shape of a sample is \[64\]"),
        (("plain", 1, (3, 8, 8), 1), "there are 1 classes"),
    ],
)
def test_networks_that_cannot_be_built_are_named(arguments, message):
    with pytest.raises(DiagnosisError, match=message):
        build_scaled(*arguments)


@pytest.mark.parametrize("target", [0, -1, np.nan, np.inf])
def test_targets_must_be_positive(target):
    with pytest.raises(DiagnosisError, match="should be positive"):
        match_capacity("plain", target, (3, 8, 8), 2)
