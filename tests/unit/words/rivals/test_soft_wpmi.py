"""Soft WPMI equals the paper's formula, spelt out, and finds what was planted."""

import numpy as np
import pytest
import torch

from filterscope.words.rivals.soft_wpmi import ClipDissectSettings, soft_wpmi, strongest

SETTINGS = ClipDissectSettings(top_images=4, most=1.0)


def units(chance, count, length=6):
    vectors = chance.normal(size=(count, length)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def spelt_out(images, concepts, summaries, settings):
    """Filters x concepts, number by number as Oikarinen and Weng have it (section 3)."""
    filters, top = summaries.shape[1], settings.taken(len(images))
    first, last = settings.membership
    given = np.zeros((len(images), len(concepts)))
    for x in range(len(images)):
        raised = [np.exp(settings.scale * float(np.dot(images[x], each))) for each in concepts]
        given[x] = np.array(raised) / sum(raised)
    expected = np.ones((filters, len(concepts)))
    for k in range(filters):
        order = sorted(range(len(images)), key=lambda x: (-summaries[x, k], x))
        for rank, x in enumerate(order[:top]):
            member = first - rank / top * (first - last)
            for m in range(len(concepts)):
                expected[k, m] *= 1 + member * (given[x, m] - 1)
    own = [sum(expected[k, m] for k in range(filters)) / filters for m in range(len(concepts))]
    return np.log(expected) - settings.weight * np.log(own)


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        ClipDissectSettings(top_images=3, most=1.0, scale=2.0, weight=0.5, membership=(0.9, 0.2)),
        ClipDissectSettings(top_images=100, most=0.5, weight=0.0),
    ],
)
@pytest.mark.parametrize("elements", [1, 40, 2**24])  # one concept at a time, a few, all
def test_equals_the_formula(settings, elements):
    chance = np.random.default_rng(0)
    images, concepts, summaries = units(chance, 12), units(chance, 9), chance.normal(size=(12, 5)).astype(np.float32)
    top = strongest(summaries, settings.taken(12))
    values, rows = soft_wpmi(torch.from_numpy(images), torch.from_numpy(concepts), top, settings, 4, elements)
    expected = spelt_out(images.astype(float), concepts.astype(float), summaries, settings)
    order = np.argsort(-expected, axis=1)[:, :4]
    assert rows.tolist() == order.tolist()
    np.testing.assert_allclose(values, np.take_along_axis(expected, order, 1), rtol=1e-4, atol=1e-4)


def test_planted_concepts_are_found():
    """Five kinds of images, a filter for each kind but the last, which nobody looks for."""
    chance = np.random.default_rng(1)
    concepts = np.eye(5, 8, dtype=np.float32)
    kinds = np.repeat(np.arange(5), 20)
    images = concepts[kinds] + 0.4 * chance.normal(size=(100, 8)).astype(np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    summaries = (kinds[:, None] == np.arange(4)).astype(np.float32) + 0.1 * chance.random((100, 4), np.float32)
    top = strongest(summaries, ClipDissectSettings(top_images=15, most=1.0).taken(100))
    settings = ClipDissectSettings(top_images=15, most=1.0)
    _, rows = soft_wpmi(torch.from_numpy(images), torch.from_numpy(concepts), top, settings, 1)
    assert rows[:, 0].tolist() == [0, 1, 2, 3]
    lent = np.roll(top, 1, axis=0)
    _, rows = soft_wpmi(torch.from_numpy(images), torch.from_numpy(concepts), lent, settings, 1)
    assert rows[:, 0].tolist() == [3, 0, 1, 2]


def test_what_a_layer_has_in_common_is_no_filters_own():
    """All images show concept 0, the first filter's also 1: lambda takes off what is likely for every filter."""
    images = np.tile(np.array([[1.0, 0.0, 0.0]], np.float32), (20, 1))
    images[:5] = [0.8, 0.6, 0.0]
    top = np.array([np.arange(5), np.arange(5, 10), np.arange(10, 15)])
    shown = [torch.from_numpy(each) for each in (images, np.eye(3, dtype=np.float32))]
    best = [
        soft_wpmi(*shown, top, ClipDissectSettings(top_images=5, most=1.0, weight=weight), 1)[1][0, 0]
        for weight in (0.0, 1.0)
    ]
    assert best == [0, 1]


def test_of_equal_concepts_the_first_comes_first():
    images = torch.eye(3)
    concepts = torch.eye(3)[[2, 0, 0, 1, 0]]
    for elements in (1, 10**6):
        _, rows = soft_wpmi(images, concepts, np.array([[0]]), ClipDissectSettings(top_images=1, weight=0), 5, elements)
        assert rows[0, :3].tolist() == [1, 2, 4]


def test_strongest_images_of_a_filter():
    summaries = np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 2.0], [2.0, 0.0]])
    assert strongest(summaries, 3).tolist() == [[1, 2, 3], [2, 0, 1]]
    assert strongest(np.zeros((4, 0)), 3).shape == (0, 3)


def test_many_filters_are_sorted_like_few():
    summaries = np.random.default_rng(0).random((9, 300))
    assert strongest(summaries, 2).tolist() == np.argsort(-summaries, axis=0)[:2].T.tolist()


def test_no_filter_and_fewer_concepts_than_asked_for():
    values, rows = soft_wpmi(torch.eye(3), torch.eye(3)[:2], np.zeros((0, 2), int), SETTINGS, 5)
    assert values.shape == rows.shape == (0, 2)
    assert soft_wpmi(torch.eye(3), torch.eye(3)[:2], np.array([[0, 1]]), SETTINGS, 5)[1].shape == (1, 2)


@pytest.mark.parametrize(("images", "concepts"), [((3, 4), (2, 5)), ((3, 4), (0, 4)), ((3,), (2, 4))])
def test_embeddings_that_do_not_belong_together_are_refused(images, concepts):
    with pytest.raises(ValueError, match="embeddings of images are"):
        soft_wpmi(torch.zeros(images), torch.zeros(concepts), np.zeros((1, 1), int), SETTINGS, 1)


def test_top_images_are_at_most_a_share():
    settings = ClipDissectSettings()
    assert [settings.taken(images) for images in (5, 60, 999, 1600)] == [1, 6, 99, 100]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"summary": "median"}, "summary is 'median'"),
        ({"membership": (0.5, 0.9)}, "the larger first"),
        ({"membership": (1.0, 0.9)}, "between 0 and 1"),
        ({"top_images": 0}, "top_images is 0"),
        ({"most": 0}, "most is 0"),
    ],
)
def test_wrong_settings_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        ClipDissectSettings(**wrong)
