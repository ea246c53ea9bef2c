"""Maps that are kept: the same as read anew, and no picture is looked at twice while there is room."""

import pytest
import torch

from filterscope.activations.remembering import Remembering


class Counting:
    """A reader of one convolution that counts the pictures that it is shown."""

    layer, filters, height, width = "conv", 4, 6, 6

    def __init__(self):
        self.convolution = torch.nn.Conv2d(3, 4, 3)
        self.shown = 0

    def __call__(self, pictures):
        self.shown += len(pictures)
        with torch.inference_mode():
            return self.convolution(pictures)


@pytest.fixture
def pictures():
    return torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))


MAP = 4 * 6 * 6 * 4  # bytes


@pytest.mark.parametrize(("room", "looks"), [(6 * MAP, 6), (6 * MAP - 1, 7), (0, 12), (10**9, 6)])
def test_no_picture_is_looked_at_twice_while_there_is_room(pictures, room, looks):
    counting = Counting()
    reader = Remembering(counting, room)
    expected = counting.convolution(pictures)
    for order in (range(6), (5, 1, 0, 2, 4, 3)):
        for pair in torch.tensor(list(order)).split(2):
            torch.testing.assert_close(reader(pictures[pair]), expected[pair])
    assert counting.shown == looks
    assert (reader.layer, reader.filters, reader.height, reader.width) == ("conv", 4, 6, 6)


def test_pictures_that_differ_in_one_value_are_others(pictures):
    reader = Remembering(Counting(), 10**9)
    first = reader(pictures)
    pictures[2, 0, 4, 4] += 1e-3
    second = reader(pictures)
    assert [torch.equal(*each) for each in zip(first, second, strict=True)] == [True, True, False, True, True, True]


def test_known_and_new_pictures_may_share_a_batch(pictures):
    counting = Counting()
    reader = Remembering(counting, 10**9)
    reader(pictures[[1, 4]])
    torch.testing.assert_close(reader(pictures), counting.convolution(pictures))
    assert counting.shown == 6
    torch.testing.assert_close(reader(pictures[[0, 0]]), counting.convolution(pictures[[0, 0]]))
