"""Maps that are kept: the same as read anew, and no picture is looked at twice while there is room."""

import numpy as np
import pytest
import torch

from filterscope.activations.remembering import RememberedBatches, Remembering
from filterscope.activations.streaming import Batch, Look


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


LOOK = 3 * 8 * 8 + 2 * 5 * 5  # bytes of a picture and its masks


def looked_at(pictures, begun):
    """Three batches of two pictures with two masks each; begun: counts how often they were made."""
    begun.append(1)
    for start in (0, 2, 4):
        masks = {("sampled", (5, 5)): np.ones((2, 5, 5), bool)}
        numbers = range(start, start + 2)
        yield Batch([Look(each, (255 * pictures[each]).byte(), np.arange(2), masks) for each in numbers])


@pytest.mark.parametrize(("room", "times"), [(6 * LOOK, 1), (6 * LOOK - 1, 3), (0, 3)])
def test_batches_are_made_once_while_there_is_room(pictures, room, times):
    batches, begun = RememberedBatches(room), []
    for _ in range(3):
        through = list(batches.through("all", looked_at(pictures, begun)))
        assert [each.image_ids.tolist() for each in through] == [[0, 1], [2, 3], [4, 5]]
        assert torch.equal(through[1].looks[0].picture, (255 * pictures[2]).byte())
    assert len(begun) == times


def test_pictures_that_are_kept_are_copies(pictures):
    """Those of a process that decodes lie in shared memory, of which a container has 64 MB."""
    batches, begun = RememberedBatches(6 * LOOK), []
    first = [look.picture for each in batches.through("all", looked_at(pictures, begun)) for look in each.looks]
    again = [look.picture for each in batches.through("all", looked_at(pictures, begun)) for look in each.looks]
    assert len(begun) == 1
    for one, kept in zip(first, again, strict=True):
        assert torch.equal(one, kept)
        assert one.data_ptr() != kept.data_ptr()


def test_batches_of_another_name_are_others_and_half_a_pass_is_not_kept(pictures):
    batches, begun = RememberedBatches(10 * LOOK), []
    next(batches.through("all", looked_at(pictures, begun)))
    assert len(list(batches.through("all", looked_at(pictures, begun)))) == 3
    assert len(list(batches.through("others", looked_at(pictures, begun)))) == 3
    assert len(list(batches.through("others", looked_at(pictures, begun)))) == 3  # there is no room for two
    assert len(list(batches.through("all", looked_at(pictures, begun)))) == 3
    assert len(begun) == 4
