"""What may be left out, and when the job stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope import tables
from filterscope.data.rejection import RejectionError, Rejections


def test_without_rejections_everything_is_fine():
    rejections = Rejections(0)
    rejections.check(image=10, annotation=0)
    assert len(rejections) == 0
    assert tables.checked(rejections.table(), "rejected").num_rows == 0


def test_the_default_stops_at_the_first_and_names_it():
    rejections = Rejections(0)
    rejections.add("image", "12 (train2017/a.jpg)", "the file is missing")
    with pytest.raises(RejectionError, match="1 of 482 images") as caught:
        rejections.check(image=482)
    assert "image 12 (train2017/a.jpg): the file is missing" in str(caught.value)
    assert "max_bad_fraction" in str(caught.value)


def test_kinds_are_held_against_their_own_totals():
    """Two bad images of ten are too many, however many annotations there are besides."""
    rejections = Rejections(0.1)
    for number in range(2):
        rejections.add("image", number, "broken")
    with pytest.raises(RejectionError, match="2 of 10 images"):
        rejections.check(image=10, annotation=10_000)


@given(rejected=st.integers(0, 30), further=st.integers(0, 100), fraction=st.floats(0, 1))
def test_stops_exactly_above_the_fraction(rejected, further, fraction):
    rejections = Rejections(fraction)
    for number in range(rejected):
        rejections.add("image", number, "broken")
    total = rejected + further
    if total and rejected / total > fraction:
        with pytest.raises(RejectionError):
            rejections.check(image=total)
    else:
        rejections.check(image=total)
    table = tables.checked(rejections.table(), "rejected")
    assert table["item"].to_pylist() == [f"image {number}" for number in range(rejected)]


def test_long_lists_are_cut_in_the_message_and_whole_in_the_table():
    rejections = Rejections(0)
    for number in range(40):
        rejections.add("annotation", number, "no mask")
    with pytest.raises(RejectionError, match="and 35 more"):
        rejections.check(annotation=40)
    assert len(rejections.table()["item"]) == 40


def test_names_that_are_no_unicode_can_be_written(tmp_path):
    rejections = Rejections(1)
    rejections.add("image", "0 (bad\udcff.jpg)", "the name is not in Unicode")
    tables.write(rejections.table(), "rejected", tmp_path / "rejected.parquet")
    assert tables.read(tmp_path / "rejected.parquet", "rejected")["item"].to_pylist() == [r"image 0 (bad\udcff.jpg)"]


def test_mistakes_of_the_caller():
    with pytest.raises(ValueError, match="from 0 to 1"):
        Rejections(1.5)
    rejections = Rejections(1)
    rejections.add("image", 1, "broken")
    with pytest.raises(ValueError, match="'image'"):
        rejections.check(annotation=3)
