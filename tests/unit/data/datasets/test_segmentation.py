"""Outlines of either kind become the same masks, and impossible ones are refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from filterscope.data.datasets.segmentation import MaskError, encode

SQUARE = [10, 10, 20, 10, 20, 20, 10, 20]


def decoded(counts: bytes, height: int, width: int) -> np.ndarray:
    return mask_utils.decode({"size": [height, width], "counts": counts})


def box(height: int, width: int, y: slice, x: slice) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[y, x] = 1
    return mask


def runs(mask: np.ndarray) -> list[int]:
    """Uncompressed run lengths: columns below each other, zeros first."""
    pixels = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], pixels]))) if pixels.size else []
    return np.diff([0, *edges, pixels.size]).tolist()


def test_known_polygons():
    """A square of 10 px a side; one that the image's edge cuts; an object of two parts."""
    assert (decoded(encode([SQUARE], 30, 40), 30, 40) == box(30, 40, np.s_[10:20], np.s_[10:20])).all()
    cut = [30, -10, 60, -10, 60, 5, 30, 5]
    assert (decoded(encode([cut], 30, 40), 30, 40) == box(30, 40, np.s_[0:5], np.s_[30:40])).all()
    both = box(30, 40, np.s_[10:20], np.s_[10:20]) | box(30, 40, np.s_[0:5], np.s_[30:40])
    assert (decoded(encode([SQUARE, cut], 30, 40), 30, 40) == both).all()


def test_parts_without_area_add_nothing():
    """Two points are a line. pycocotools would take [10, 10, 5, 5] for a box."""
    assert encode([SQUARE, [10, 10, 25, 25]], 30, 40) == encode([SQUARE], 30, 40)


@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
        lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
            lambda pixels: np.array(pixels, np.uint8).reshape(size)
        )
    )
)
def test_all_run_lengths_give_the_mask_back(mask):
    """Compressed as bytes or text and uncompressed: the same bytes, which decode to the mask."""
    height, width = mask.shape
    compressed = mask_utils.encode(np.asfortranarray(mask))["counts"]
    forms = [{"size": [height, width], "counts": counts} for counts in (compressed, compressed.decode(), runs(mask))]
    if not mask.any():
        for form in forms:
            with pytest.raises(MaskError, match="no pixel"):
                encode(form, height, width)
        return
    assert {encode(form, height, width) for form in forms} == {compressed}
    assert (decoded(compressed, height, width) == mask).all()


@given(
    counts=st.one_of(st.binary(max_size=12), st.binary(max_size=12).map(lambda each: bytes(48 + b % 64 for b in each)))
)
@settings(max_examples=300)
def test_damaged_run_lengths_never_reach_pycocotools(counts):
    """It trusts them and reads beyond their end; whatever passes must be a mask of the right size."""
    try:
        found = encode({"size": [5, 7], "counts": counts}, 5, 7)
    except MaskError:
        return
    assert decoded(found, 5, 7).shape == (5, 7)


FAULTS = {
    "nothing": (None, "no segmentation"),
    "no polygon": ([], "no segmentation"),
    "two points": ([[1, 1, 5, 5]], "fewer than 3 points"),
    "an empty polygon": ([[]], "fewer than 3 points"),
    "half a point": ([[1, 1, 5, 5, 9, 9, 3]], "list of polygons"),
    "a polygon without its list": ([1, 1, 5, 5, 9, 9], "list of polygons"),
    "text": ([["1", "1", "5", "5", "9", "9"]], "numbers only"),
    "missing numbers": ([[1, 1, 5, None, 9, 9]], "numbers only"),
    "not a number": ([[1, 1, 5, math.nan, 9, 9]], "not finite"),
    "infinite": ([[1, 1, 5, math.inf, 9, -math.inf]], "not finite"),
    "far away": ([[1, 1, 1e9, 1, 1e9, 1e9]], "beyond 100000 px"),
    "outside the image": ([[50, 50, 60, 50, 60, 60]], "no pixel"),
    "without height": ([[5, 5, 9, 5, 9, 5, 5, 5]], "no pixel"),
    "size of another image": ({"size": [40, 30], "counts": [1200]}, r"size \[40, 30\]"),
    "without counts": ({"size": [30, 40]}, "missing"),
    "too few runs": ({"size": [30, 40], "counts": [10, 20]}, "add up to 30"),
    "too many runs": ({"size": [30, 40], "counts": [1190, 20]}, "add up to 1210"),
    "negative runs": ({"size": [30, 40], "counts": [1210, -10]}, "whole numbers"),
    "fractions": ({"size": [30, 40], "counts": [1199.5, 0.5]}, "whole numbers"),
    "impossible bytes": ({"size": [30, 40], "counts": "0 0"}, "impossible byte 32"),
    "cut runs": ({"size": [30, 40], "counts": "PPYo1"[:-1]}, "cut short|add up"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuses(fault):
    segmentation, cause = FAULTS[fault]
    with pytest.raises(MaskError, match=cause):
        encode(segmentation, 30, 40)
