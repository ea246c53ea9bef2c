"""A list is read entry by entry, the same whatever the window, and what is wrong in it is named by its byte."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope.data.datasets.json_stream import JsonError, entries

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
WINDOWS = (1, 2, 3, 7, 64, 1 << 20)


def read(content: bytes, window: int = 1 << 20) -> list:
    return list(entries(io.BytesIO(content), window))


@given(
    values=st.lists(VALUES, max_size=4),
    window=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    escaped=st.booleans(),
)
def test_reads_what_was_written_and_knows_where_it_begins(values, window, indent, escaped):
    content = json.dumps(values, indent=indent, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        return  # lone surrogates are no UTF-8
    found = read(content, window)
    assert [value for _, value in found] == values
    for place, value in found:
        text = content[place:].decode()
        assert json.JSONDecoder().raw_decode(text)[0] == value


@given(values=st.lists(VALUES, min_size=1, max_size=3), window=st.integers(1, 40), data=st.data())
def test_a_list_that_is_cut_anywhere_says_where_it_ends(values, window, data):
    content = json.dumps(values).encode()
    cut = data.draw(st.integers(1, len(content) - 1))
    with pytest.raises(JsonError, match=f"cut short after byte {cut}"):
        read(content[:cut], window)


def test_cut_inside_a_character():
    with pytest.raises(JsonError, match=r"cut short after byte 3 \(in the middle of a character\)"):
        read('["é"]'.encode()[:3])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b'{"a": 1}', r"byte 0: '\{.*should begin with \[, a list"),
        (b"<!DOCTYPE html>", "byte 0: '<.*should begin with"),
        (b'[{"a": 1} x', "byte 10: 'x': should be , or ]"),
        (b"[1 2]", "byte 3: '2.*should be , or ]"),
        (b"[1,]", "byte 3: Expecting value"),
        (b"[,1]", "byte 1: Expecting value"),
        (b'[{"a": nan}]', "byte 7: Expecting value, in the entry that begins at byte 1"),
        ('[{"ä": "ö"}, {"b" 1}, 2]'.encode(), "byte 20: Expecting ':' delimiter, in the entry that begins at byte 15"),
        (b'[{"a": "\xff"}]', "byte 8: not UTF-8"),
        (b'[{"a": 1}] more', "byte 11: 'm.*the list has ended before"),
    ],
)
@pytest.mark.parametrize("window", WINDOWS)
def test_mistakes_are_named_by_their_byte(content, said, window):
    with pytest.raises(JsonError, match=said):
        read(content, window)


def test_nesting_without_end_is_refused():
    with pytest.raises(JsonError, match="byte 1: the entry is nested too deeply"):
        read(b"[" * 100_000)


def test_what_comes_before_a_mistake_is_handed_on():
    stream = entries(io.BytesIO(b"[1, 2, x]"))
    assert [next(stream), next(stream)] == [(1, 1), (4, 2)]
    with pytest.raises(JsonError):
        next(stream)


def test_memory_does_not_grow_with_the_file():
    """A stream without end is read as long as one likes."""

    class Endless:
        def __init__(self):
            self.given = 0

        def read(self, amount):
            self.given += 1
            return b"[" if self.given == 1 else b'{"image_id": 1, "objects": []},' * 100

    stream = entries(Endless())
    for _ in range(50_000):
        _, value = next(stream)
    assert value == {"image_id": 1, "objects": []}
