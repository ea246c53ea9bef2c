"""Which way up annotated pictures are read: told by their size, else decided for all alike, counted and named."""

import logging

import pytest
from PIL import Image

from filterscope.data.datasets.orientation import sighted, turns
from filterscope.data.images import Inspection, read_image


def seen(tag, width=40, height=30, size=(40, 30)):
    return sighted(f"{tag}.jpg", Inspection(width, height, tag, "digest"), size)


def test_the_annotated_size_tells_for_pictures_on_their_side():
    turned, findings = turns([seen(1), seen(6), seen(8, size=(30, 40))], "auto")
    assert turned == [False, False, True]
    assert findings == {
        "pictures with EXIF tag 6 read as stored (only so the annotated size fits)": 1,
        "pictures with EXIF tag 8 read turned (only so the annotated size fits)": 1,
    }
    for choice in ("stored", "turned"):  # what the size tells, no choice overrules
        assert turns([seen(6), seen(8, size=(30, 40))], choice)[0] == [False, True]


@pytest.mark.parametrize(("tag", "width"), [(2, 40), (3, 40), (4, 40), (5, 30), (6, 30), (7, 30), (8, 30)])
def test_where_both_fit_it_is_decided_counted_and_named(tag, width, caplog):
    picture = seen(tag, width, size=(width, 30))
    for choice, expected in (("auto", False), ("stored", False), ("turned", True)):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "filterscope"):
            turned, findings = turns([picture, seen(1)], choice)
        way, other = ("turned", "as stored") if expected else ("as stored", "turned")
        assert turned == [expected, False]
        assert findings == {f"pictures with EXIF tag {tag} read {way} ({other} would fit as well)": 1}
        assert f"1 pictures have an EXIF tag that turns them (1 x {tag})" in caplog.text
        assert f"set exif: {'stored' if expected else 'turned'}. The first are {tag}.jpg" in caplog.text


def test_the_pictures_whose_size_tells_decide_for_the_others():
    ambiguous, stored, turned = seen(3), seen(6), seen(6, size=(30, 40))
    assert turns([ambiguous, turned], "auto")[0] == [True, True]
    assert turns([ambiguous, turned, stored], "auto")[0] == [False, True, False]  # they do not agree
    assert turns([ambiguous, turned], "stored")[0] == [False, True]
    with pytest.raises(ValueError, match="exif is 'left', should be one of auto, stored, turned"):
        turns([], "left")


def test_pictures_without_a_tag_and_with_a_strange_one_stay_as_they_are(caplog):
    assert turns([seen(1), seen(0), seen(9), seen(77)], "turned") == ([False] * 4, {})
    assert not caplog.records


@pytest.mark.parametrize("tag", range(1, 9))
def test_the_table_says_the_size_that_is_read(tmp_path, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.new("RGB", (8, 5)).save(tmp_path / "a.jpg", exif=exif)
    found = Inspection(8, 5, tag, "digest")
    for turned in (False, True):
        row = found.row(turned)
        assert read_image(tmp_path / "a.jpg", row["turned"]).shape == (3, row["height"], row["width"])
