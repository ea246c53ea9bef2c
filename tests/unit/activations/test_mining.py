"""Top images by streaming equal a sort of everything (spec A6.1)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.activations.mining import TopImages


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_equals_a_full_sort_with_ties_by_image_number(data):
    n = data.draw(st.integers(1, 40))
    filters = data.draw(st.integers(1, 4))
    p = data.draw(st.integers(1, n))
    levels = st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0])  # few levels, so that ties are the rule
    maxima = np.array(
        data.draw(st.lists(st.lists(levels, min_size=filters, max_size=filters), min_size=n, max_size=n)),
        np.float32,
    )
    ids = np.array(data.draw(st.permutations(range(100, 100 + n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=5)))
    top = TopImages(p)
    for part in np.split(np.arange(n), cuts):
        top.add(ids[part], maxima[part])
    table = top.table()
    for number in range(filters):
        expected = sorted(range(n), key=lambda i: (-maxima[i, number], ids[i]))[:p]
        mine = table["filter"] == number
        assert table["rank"][mine].tolist() == list(range(p))
        assert table["image_id"][mine].tolist() == ids[expected].tolist()
        assert table["maximum"][mine].tolist() == maxima[expected, number].tolist()


def test_holds_only_the_top_images():
    top = TopImages(3)
    for first in range(0, 1000, 10):
        top.add(np.arange(first, first + 10), np.random.default_rng(first).random((10, 5), np.float32))
        assert top.maxima.shape == (5, 3)


def test_more_top_images_than_images_is_refused():
    top = TopImages(5)
    top.add(np.arange(3), np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"top_images is 5, but only 3 images.*words\.top_images"):
        top.table()


def test_no_images_at_all_is_refused():
    with pytest.raises(ValueError, match="only 0 images"):
        TopImages(1).table()


def test_less_than_one_is_refused():
    with pytest.raises(ValueError, match="top_images is 0"):
        TopImages(0)
