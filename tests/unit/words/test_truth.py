"""The truth of an image: objects, their tokens, and the union of masks per token."""

import numpy as np
import pyarrow as pa
import torch

from filterscope.activations.streaming import Look
from filterscope.words.truth import Truth

CPU, SIDE = torch.device("cpu"), 4
ANNOTATIONS = pa.table({"tokens": pa.array([["red", "disc"], ["other"], ["red"], ["blue"]], pa.list_(pa.string()))})


def look(positions, masks):
    masks = np.array(masks, bool).reshape(len(positions), SIDE, SIDE)
    return Look(1, torch.zeros(0), np.array(positions, np.int64), {("sampled", (SIDE, SIDE)): masks})


def corner(*rows):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[list(rows), 0] = True
    return mask


def test_tokens_of_objects_and_their_union():
    truth = Truth(ANNOTATIONS, ["blue", "red", "disc"])
    scene = truth.of(look([0, 1, 2], [corner(0), corner(1), corner(3)]), SIDE, CPU)
    assert scene.object_tokens.tolist() == [[False, True, True], [False] * 3, [False, True, False]]
    assert scene.tokens.tolist() == [1, 2]
    assert np.array_equal(scene.token_masks.numpy(), [corner(0, 3), corner(0)])


def test_a_token_whose_mask_is_cropped_away_is_not_there():
    scene = Truth(ANNOTATIONS, ["red", "blue"]).of(look([3, 2], [corner(), corner(1)]), SIDE, CPU)
    assert scene.tokens.tolist() == [0]
    assert scene.token_masks.shape == (1, SIDE, SIDE)
    assert scene.objects.shape == (2, SIDE, SIDE)


def test_nothing_there_is_an_empty_scene():
    for positions in ([], [1]):
        masks = [corner(2)] * len(positions)
        scene = Truth(ANNOTATIONS, ["red"]).of(look(positions, masks), SIDE, CPU)
        assert scene.tokens.tolist() == []
        assert scene.token_masks.shape == (0, SIDE, SIDE)
        assert scene.object_tokens.shape == (len(positions), 1)


def test_the_truth_of_a_picture_is_kept_while_there_is_room():
    """A picture's bytes: two objects' masks, and those of its two tokens."""
    shown = [look([0, 2], [corner(0), corner(3)]) for _ in range(2)]
    shown[1].image_id = 2
    bytes_of_one = (2 + 2) * SIDE * SIDE
    truth = Truth(ANNOTATIONS, ["red", "disc"], most=2 * bytes_of_one - 1)
    first, second = (truth.of(each, SIDE, CPU) for each in shown)
    assert truth.of(shown[0], SIDE, CPU) is first
    again = truth.of(shown[1], SIDE, CPU)
    assert again is not second
    assert torch.equal(again.token_masks, second.token_masks)
