"""What is written for the page is safe in a script, short, and says what was put in."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic_study import received

from filterscope.report.atlas.writing import KINDS, Texts, as_json, packed, rounded, write_data

ENDINGS = ("</script>", "<!--", "\u2028", "\u2029", "]]>", "&lt;")


def unpacked(column):
    """Values of a packed column, as the page reads them."""
    dtype = {"u8": "u1", "u16": "<u2", "u32": "<u4"}[column["type"]]
    codes = np.frombuffer(base64.b64decode(column["base64"]), dtype)
    values = column["from"] + codes * np.float64(column["step"])
    return [None if code == np.iinfo(dtype).max else value for code, value in zip(codes, values, strict=True)]


@given(st.lists(st.text() | st.sampled_from(ENDINGS)))
def test_any_text_survives_and_none_ends_the_script(texts):
    written = as_json({"texts": texts})
    assert json.loads(written) == {"texts": texts}
    assert not any(each in written for each in ("<", ">", "&", "\u2028", "\u2029"))


def test_texts_that_are_no_unicode_do_not_stop_it(tmp_path):
    write_data(tmp_path, "study", {"name": "broken \udcff name"})
    assert received(tmp_path / "data/study.js") == ("study", {"name": "broken ? name"})


def test_numbers_are_short_and_missing_ones_null():
    values = [0.123456, 1234567.0, -0.00012345, 3.0, float("nan"), float("inf"), np.float32(0.1), np.int64(7), True]
    assert json.loads(as_json(values)) == [0.1235, 1234567, -0.0001234, 3, None, None, 0.1, 7, True]
    assert json.loads(as_json(np.array([[1.5, np.nan]]))) == [[1.5, None]]
    assert rounded(12345.6) == 12350
    with pytest.raises(TypeError, match="object has no place"):
        as_json([object()])


@given(st.lists(st.none() | st.integers(0, 254), min_size=1))
def test_codes_survive(values):
    column = packed(values, "u8")
    if column is None:
        assert not any(each is not None for each in values)
    else:
        assert unpacked(column) == values


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1))
def test_real_numbers_are_near_enough(values):
    column = packed(values, "u16", linear=True)
    known = [each for each in values if each is not None]
    if not known:
        assert column is None
        return
    written = json.loads(as_json(column))
    step = (max(known) - min(known)) / 65534
    for value, found in zip(values, unpacked(written), strict=True):
        assert (value is None) == (found is None)
        assert value is None or abs(value - found) <= 0.51 * step + 1e-9 * abs(value)


def test_codes_beyond_a_column_are_refused():
    assert KINDS == {"u8": 256, "u16": 65536, "u32": 4294967296}
    with pytest.raises(ValueError, match="do not fit into u8"):
        packed([0, 255], "u8")
    with pytest.raises(ValueError, match="do not fit into u16"):
        packed([-1], "u16")


def test_texts_are_coded_once_in_order():
    texts = Texts()
    assert [texts.code(each) for each in ("b", None, "a", "b", float("nan"))] == [0, None, 1, 0, None]
    assert texts.all == ["b", "a"]
    assert len(texts) == 2
