"""Boxes become the masks that drawing them would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from filterscope.data.datasets.boxes import rectangle, union, whole_pixels

SIDE = st.integers(1, 40)


@st.composite
def box_in_image(draw, size=None):
    """Height, width, and left, upper, right and lower edge of a box inside."""
    height, width = size or (draw(SIDE), draw(SIDE))
    left, upper = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return height, width, (left, upper, draw(st.integers(left + 1, width)), draw(st.integers(upper + 1, height)))


def drawn(height, width, edges):
    left, upper, right, lower = edges
    mask = np.zeros((height, width), np.uint8)
    mask[upper:lower, left:right] = 1
    return mask


@given(box_in_image())
def test_rectangle_is_what_pycocotools_writes_of_the_drawn_box(case):
    height, width, edges = case
    assert rectangle(*edges, height, width) == mask_utils.encode(np.asfortranarray(drawn(*case)))["counts"]


def test_rectangle_of_an_image_that_is_not_square():
    """Rows and columns keep their places: (W, H) masks indexed [y, x] are a mistake (switch `transposed_boxes`)."""
    runs = rectangle(40, 2, 60, 10, 20, 100)
    mask = mask_utils.decode({"size": [20, 100], "counts": runs})
    assert mask.shape == (20, 100)
    assert mask[2:10, 40:60].all()
    assert mask.sum() == 8 * 20


@pytest.mark.parametrize("edges", [(0, 0, 0, 1), (0, 0, 1, 0), (2, 0, 1, 1), (-1, 0, 1, 1), (0, 0, 1, 5), (0, 0, 7, 1)])
def test_rectangle_refuses_what_has_no_pixel_or_leaves_the_image(edges):
    with pytest.raises(ValueError, match="has no pixel in 4 x 6 or leaves it"):
        rectangle(*edges, 4, 6)


@given(size=st.tuples(SIDE, SIDE), data=st.data())
def test_union_is_the_logical_or(size, data):
    cases = data.draw(st.lists(box_in_image(size), min_size=1, max_size=4))
    expected = np.any([drawn(*case) for case in cases], axis=0)
    runs = union([rectangle(*edges, *size) for _, _, edges in cases], *size)
    assert np.array_equal(mask_utils.decode({"size": list(size), "counts": runs}), expected)


NUMBER = st.floats(-80, 80) | st.integers(-80, 80).map(float) | st.sampled_from([1e30, -1e30, 0.5, -0.5])


@given(width=SIDE, height=SIDE, box=st.tuples(NUMBER, NUMBER, NUMBER, NUMBER))
def test_clipping_keeps_the_pixels_whose_centre_is_in_the_box_and_in_the_image(width, height, box):
    x, y, w, h = box
    edges = whole_pixels(*(np.array([value]) for value in (*box, width, height)))[0]
    left, upper, right, lower = edges
    assert 0 <= left <= width
    assert 0 <= right <= width
    centres_x, centres_y = np.arange(width) + 0.5, np.arange(height) + 0.5
    # An edge through a centre counts for the pixel behind it.
    across = (centres_x > np.nextafter(x, -np.inf)) & (centres_x < x + w) if w > 0 else np.zeros(width, bool)
    down = (centres_y > np.nextafter(y, -np.inf)) & (centres_y < y + h) if h > 0 else np.zeros(height, bool)
    found_x = (np.arange(width) >= left) & (np.arange(width) < right)
    found_y = (np.arange(height) >= upper) & (np.arange(height) < lower)
    on_edge = {value % 1 for value in (x, y, x + w, y + h)} & {0.5}
    if not on_edge:
        assert np.array_equal(found_x, across)
        assert np.array_equal(found_y, down)


def test_whole_pixels_by_hand():
    """A box over the right edge, one between pixels, one outside, one of no width."""
    x, y = np.array([6.0, 1.4, 20.0, 3.0]), np.array([-2.0, 1.5, 0.0, 3.0])
    w, h = np.array([9.0, 2.2, 4.0, 0.0]), np.array([5.0, 1.0, 4.0, 2.0])
    widths, heights = np.full(4, 10), np.full(4, 8)
    assert whole_pixels(x, y, w, h, widths, heights).tolist() == [
        [6, 0, 10, 3],
        [1, 2, 4, 3],
        [10, 0, 10, 4],
        [3, 3, 3, 5],
    ]
