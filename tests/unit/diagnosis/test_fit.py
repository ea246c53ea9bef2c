"""Whether a network fits what it is to learn: the verdict and its caveats."""

import pandas as pd
import pytest

from filterscope.diagnosis.complexity.expected_capacity import ExpectedCapacity
from filterscope.diagnosis.fit import fit, fit_row, in_words, need_of
from filterscope.diagnosis.labelled import DiagnosisError


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
