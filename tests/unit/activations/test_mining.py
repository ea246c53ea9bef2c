"""Top images by streaming equal a sort of everything (docs/methods.md, Top images)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.activations.mining import TopImages


@settings(max_examples=150)
@given(st.data())
def test_equals_a_full_sort_with_ties_by_mean_and_image_number(data):
    n = data.draw(st.integers(1, 40))
    filters = data.draw(st.integers(1, 4))
    p = data.draw(st.integers(1, n))

    def drawn(*levels):  # few levels, so that ties are the rule
        rows = st.lists(st.sampled_from(levels), min_size=filters, max_size=filters)
        return np.array(data.draw(st.lists(rows, min_size=n, max_size=n)), np.float32)

    maxima, means = drawn(0.0, 0.5, 1.0, 2.0, -1.0), drawn(0.0, 0.25, -1.0)
    ids = np.array(data.draw(st.permutations(range(100, 100 + n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=5)))
    top = TopImages(p)
    for part in np.split(np.arange(n), cuts):
        top.add(ids[part], maxima[part], means[part])
    table = top.table()
    for number in range(filters):
        expected = sorted(range(n), key=lambda i: (-maxima[i, number], -means[i, number], ids[i]))[:p]
        mine = table["filter"] == number
        own = maxima[expected, number]
        assert table["rank"][mine].tolist() == list(range(p))
        assert table["image_id"][mine].tolist() == ids[expected].tolist()
        assert table["maximum"][mine].tolist() == own.tolist()
        assert table["tied"][mine].tolist() == [(own == each).sum() for each in own]


def test_clipped_filters_do_not_show_the_first_images_of_the_set():
    """Eight of ten images reach the bound; those where the map is larger as a whole come first."""
    maxima = np.full((10, 1), 6, np.float32)
    maxima[[0, 5]] = 5
    means = np.arange(10, dtype=np.float32)[:, None]
    top = TopImages(3)
    top.add(np.arange(10), maxima, means)
    assert top.table()["image_id"].tolist() == [9, 8, 7]
    assert top.table()["tied"].tolist() == [3, 3, 3]


def test_holds_only_the_top_images():
    top = TopImages(3)
    for first in range(0, 1000, 10):
        values = np.random.default_rng(first).random((10, 5), np.float32)
        top.add(np.arange(first, first + 10), values, values)
        assert all(each.shape == (5, 3) for each in top._held)


@pytest.mark.parametrize(
    ("images", "asked", "share", "kept"),
    [
        (1600, 25, 0.1, 25),
        (188, 25, 0.1, 18),
        (40, 25, 0.1, 5),  # 4, but five in any case
        (3, 25, 0.1, 3),  # there are no more
        (3, 2, 0.1, 2),
        (188, 25, 1.0, 25),
        (30, 25, 0.3, 9),  # 0.3 x 30 is 8.999... in floats
        (100, 40, 0.29, 29),  # 0.29 x 100 is 28.999... in floats
    ],
)
def test_top_images_are_at_most_a_share_of_the_images(images, asked, share, kept):
    top = TopImages(asked, share)
    values = np.random.default_rng(0).random((images, 2), np.float32)
    top.add(np.arange(images), values, values)
    table = top.table()
    assert len(table["filter"]) == 2 * kept
    assert set(table["asked"]) == {asked}
    assert set(table["mined"]) == {images}
    ids, maxima = top.best()
    assert ids.tolist() == np.argsort(-values, 0)[:kept].T.tolist()
    assert maxima.shape == (2, kept)


def test_no_images_at_all_is_refused():
    with pytest.raises(ValueError, match=r"no image to mine.*words\.split"):
        TopImages(1).table()


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_impossible_shares_are_refused(share):
    with pytest.raises(ValueError, match=rf"words\.top_share is {share}"):
        TopImages(1, share)


def test_less_than_one_is_refused():
    with pytest.raises(ValueError, match="top_images is 0"):
        TopImages(0)
