"""Which objects and backgrounds prove a cause, and what the network answers to the pictures composed of them."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from filterscope.activations.streaming import Batch, Look
from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings
from filterscope.words.composing import BORDER, LONG, TINY, Cutout
from filterscope.words.proofs import (
    Plan,
    ProofSettings,
    evenly,
    gather,
    lacking_images,
    plan,
    respond,
    sample,
    wanted,
)

SIDE = 32
CPU = torch.device("cpu")


def chance(seed=0):
    return np.random.default_rng(seed)


class TestBackgrounds:
    def test_every_claimed_token_is_lacked_by_as_many_as_can_be(self):
        """Three quarters of the images have token 0; the few without it are sought out."""
        present = chance().random((80, 6)) < [0.75, 0.2, 0.2, 0.2, 0.2, 0.0]
        chosen = lacking_images(present, np.ones(6, bool), 4, chance())
        assert len(set(chosen)) == 4
        assert (~present[chosen]).sum(0).min() >= 3

    def test_a_token_that_is_everywhere_does_not_spoil_the_choice(self):
        present = chance().random((80, 3)) < [1.0, 0.9, 0.1]
        chosen = lacking_images(present, np.ones(3, bool), 3, chance())
        assert not present[chosen][:, 1:].any()

    def test_what_nobody_claims_does_not_matter_and_rare_objects_are_kept(self):
        """Only the images with the rare token lack the frequent one, which is not claimed."""
        rare = np.arange(40) < 4
        present = np.stack([rare, ~rare], 1)
        assert not present[lacking_images(present, np.array([True, False]), 3, chance())][:, 0].any()

    def test_they_give_no_objects_and_are_a_quarter_at_most(self):
        objects = pd.DataFrame({"annotation_id": range(16), "image_id": np.arange(16) // 2 + 100, "category": "thing"})
        objects["tokens"] = [np.array([number % 3]) for number in range(16)]
        chosen = plan(np.arange(100, 108), objects, np.ones(3, bool), ProofSettings(places=5), chance())
        assert len(chosen.backgrounds) == 2
        assert not set(chosen.backgrounds) & set(chosen.objects["image_id"])
        for image_id, lacking in zip(chosen.backgrounds, chosen.lacking, strict=True):
            own = objects.loc[objects["image_id"] == image_id, "tokens"].str[0]
            assert lacking.tolist() == [token not in set(own) for token in range(3)]


class TestObjects:
    def test_categories_come_round_by_turns(self):
        """Nine in ten red things are circles: no matter, half of the red ones taken are."""
        categories = np.array(["red circle"] * 90 + ["red square"] * 10)
        order = evenly(np.arange(100), categories, chance())
        assert sorted(order) == list(range(100))
        assert (categories[order[:20]] == "red square").sum() == 10

    def test_an_image_gives_one_object_of_a_category(self):
        owners, categories = np.array([1, 1, 1, 2, 2]), np.array(["a", "a", "b", "a", "a"])
        order = evenly(owners, categories, chance())
        assert sorted(zip(owners[order], categories[order], strict=True)) == [(1, "a"), (1, "b"), (2, "a")]

    def test_as_many_are_taken_as_are_wanted(self):
        tokens = np.eye(4, dtype=bool)[np.arange(100) % 4]
        claimed = np.array([True, True, False, False])
        taken = wanted(tokens, claimed, objects=5, controls=0)
        assert tokens[taken].sum(0).tolist() == [5, 5, 0, 0]
        more = wanted(tokens, claimed, objects=5, controls=30)
        assert set(taken) <= set(more)
        assert len(more) == 30
        assert tokens[more].sum(0)[2:].min() > 0, "controls are of whatever token"


def look(image_id, *boxes, colour=200):
    """A grey picture with bright boxes (top, left, height, width)."""
    picture = torch.full((3, SIDE, SIDE), 100, dtype=torch.uint8)
    masks = np.zeros((len(boxes), SIDE, SIDE), bool)
    for mask, (top, left, height, width) in zip(masks, boxes, strict=True):
        mask[top : top + height, left : left + width] = True
        picture[:, torch.from_numpy(mask)] = colour
    first = 10 * image_id
    return Look(image_id, picture, np.arange(first, first + len(boxes)), {("sampled", (SIDE, SIDE)): masks})


def chosen(looks, backgrounds=(0,)):
    """A plan that takes all objects of all looks but the backgrounds; every image is a token."""
    rows = [(position, each.image_id) for each in looks for position in each.annotations]
    objects = pd.DataFrame(rows, columns=["annotation_id", "image_id"])
    objects = objects[~objects["image_id"].isin(backgrounds)].assign(category="thing")
    objects["tokens"] = [np.array([image_id]) for image_id in objects["image_id"]]
    return Plan(np.array(backgrounds), np.ones((len(backgrounds), 5), bool), objects)


def gathered(looks, settings, **more):
    return gather([Batch(looks[:2]), Batch(looks[2:])], np.arange(1000), SIDE, chosen(looks, **more), settings)


class TestGathering:
    looks = (look(0), look(1, (4, 4, 8, 8), (0, 20, 8, 8)), look(2, (10, 10, 2, 2), (20, 20, 6, 6)))

    def test_unusable_objects_are_counted_with_their_reason_and_token(self):
        found = gathered(self.looks, ProofSettings(smallest=0.02))
        assert [(each.image_id, round(each.area * SIDE**2)) for each in found.cutouts] == [(1, 64), (2, 36)]
        assert found.reasons() == f"1 {BORDER}, 1 {TINY}"
        assert found.by_token(5).tolist() == [0, 1, 1, 0, 0]
        assert list(found.backgrounds) == [0]

    def test_sizes_lie_among_the_objects_own_and_each_gets_the_nearest(self):
        looks = (look(0), look(1, (4, 4, 6, 6), (14, 14, 14, 14)), look(2, (4, 4, 7, 7), (14, 14, 13, 13)))
        taken = sample(gathered(looks, ProofSettings()), np.ones(5, bool), ProofSettings(sizes=2))
        areas = np.array([each.area for each in taken.cutouts])
        assert len(set(taken.sizes)) == 2
        assert np.abs(np.log(areas / taken.targets[taken.sizes])).max() < 0.3

    def test_what_is_too_long_at_its_size_is_unusable(self):
        looks = (look(0), look(1, (2, 2, 2, 28)), look(2, (4, 4, 20, 20)), look(3, (6, 6, 20, 20)))
        found = gathered(looks, ProofSettings())
        taken = sample(found, np.ones(5, bool), ProofSettings(sizes=1))
        assert [each.image_id for each in taken.cutouts] == [2, 3]
        assert found.reasons() == f"1 {LONG}"

    def test_nothing_usable_is_no_mishap(self):
        taken = sample(gathered((look(0), look(1, (0, 0, 4, 4))), ProofSettings()), np.ones(5, bool), ProofSettings())
        assert taken.cutouts == []
        assert taken.tokens.shape == (0, 5)


@pytest.fixture
def brightness():
    """Filter 0 answers with how bright a picture is, filter 1 with how dark; both by cells of 4 px."""
    layer = nn.Conv2d(3, 2, 4, stride=4)
    with torch.no_grad():
        layer.weight[0], layer.bias[0] = 1 / 48, 0
        layer.weight[1], layer.bias[1] = -1 / 48, 1
    with Reader(nn.Sequential(layer), "0", input_size=SIDE) as reader:
        yield reader


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_answers_are_those_to_the_composed_pictures(brightness, batch_size):
    """A bright object of a tenth of the view adds what it covers, and takes it along when it is taken out."""
    looks = [look(0), look(1, (8, 8, 10, 10), colour=200), look(2, (10, 6, 10, 10), colour=0), look(3)]
    settings = ProofSettings(sizes=1)
    own = chosen(looks, backgrounds=(0, 3))
    found = gather([Batch(looks)], np.arange(1000), SIDE, own, settings)
    taken = sample(found, np.ones(5, bool), settings)
    inputs = InputSettings(SIDE, SIDE, (0, 0, 0), (1, 1, 1))
    answers = respond(taken, own, found.backgrounds, brightness, inputs, batch_size, CPU, chance())
    assert answers.laid.shape == (2, 2, 2)
    area, ground = 100 / SIDE**2, 100 / 255
    for row, colour in ((0, 200 / 255), (1, 0.0)):
        assert answers.laid[row, :, 0] == pytest.approx(ground + area * (colour - ground), abs=0.004)
        assert answers.laid[row, :, 1] == pytest.approx(1 - answers.laid[row, :, 0], abs=1e-4)
        # Filling takes all of it, blurring leaves some.
        assert 0.5 < answers.lost[row, 0] / (area * (colour - ground)) < 1.1
    assert answers.tokens[:, 1].tolist() == [True, False]


def test_the_cutouts_of_an_image_share_its_view():
    """Memory: views are not copied by object."""
    found = gathered((look(0), look(1, (4, 4, 8, 8), (18, 18, 8, 8))), ProofSettings())
    first, second = found.cutouts
    assert isinstance(first, Cutout)
    assert first.view.data_ptr() == second.view.data_ptr()
