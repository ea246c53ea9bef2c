"""Scaled networks, the width that meets a capacity, and the verdict."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.diagnosis.complexity.expected_capacity import ExpectedCapacity
from filterscope.diagnosis.fit import fit, fit_row, in_words, need_of
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


# --- the verdict ----------------------------------------------------------------------------------------


def need(changes=900, samples=1000, dimensions=64, classes=2, ties=0, smallest=0.5):
    return ExpectedCapacity(samples, dimensions, classes, changes, ties, smallest)  # 640 bits as it is


@pytest.mark.parametrize(
    ("capacity", "verdict"),
    [(319, "too small"), (320, "matched"), (640, "matched"), (1280, "matched"), (1281, "oversized")],
)
def test_verdict_follows_the_factor(capacity, verdict):
    found = fit(need(), 2000.0, capacity, (1, 8, 8))
    assert (found.verdict, found.needed) == (verdict, 640)
    assert found.ratio == pytest.approx(capacity / 640)
    assert found.match.capacity == pytest.approx(640, rel=0.02)
    assert f"is {verdict} for" in in_words(found, "net", "data")


def test_nothing_to_learn():
    found = fit(need(changes=0, classes=1), 0.0, 100, (1, 8, 8))
    assert (found.verdict, found.ratio, found.match) == ("nothing to learn", None, None)
    assert "nothing to learn" in in_words(found, "net", "data")


@pytest.mark.parametrize(
    ("changed", "shuffled", "capacity", "said"),
    [
        ({"smallest": 0.05}, 2000, 100, "fails on unbalanced data"),
        ({"classes": 10}, 2000, 100, "made for two classes; these are 10"),
        ({}, 640, 100, "tell next to nothing about the classes"),
        ({"samples": 500}, 2000, 100, "above what memorising them would take"),
        ({}, 2000, 1000, "could hold any labelling"),
        ({"ties": 7}, 2000, 100, "7 samples share their sum"),
    ],
)
def test_caveats_are_told_where_they_hold_and_only_there(changed, shuffled, capacity, said):
    assert any(said in caveat for caveat in fit(need(**changed), shuffled, capacity, (64,)).caveats)
    assert fit(need(samples=5000), 2000, 100, (64,)).caveats == ()


@pytest.mark.parametrize(
    ("shape", "note"), [((64,), "samples are no pictures"), ((1, 28, 28), "below|smallest|nearest")]
)
def test_why_no_width_matches_is_told(shape, note):
    row = fit_row(need(changes=1, dimensions=2), 20.0, 300, shape, 2.0, "resnet", "net", "data")
    assert row["width"] is None
    assert pd.Series([row["width_note"]]).str.contains(note).all()


def test_need_is_that_of_all_samples():
    held = {"dimensions": 3, "classes": 2, "ties": 0, "smallest_class": 0.4}
    rows = [
        {"count": count, "row": row, "changes": changes, "unrounded": unrounded, **held}
        for count, row, changes, unrounded in ((10, "own", 5, 1.0), (50, "own", 9, 2.0), (50, "shuffled", 40, 16.0))
    ]
    found, shuffled = need_of(pd.DataFrame(rows))
    assert (found.samples, found.changes, shuffled) == (50, 9, 16.0)


def test_tolerance_is_a_factor():
    with pytest.raises(DiagnosisError, match="tolerance is 1"):
        fit(need(), 2000.0, 640, (1, 8, 8), tolerance=1)
