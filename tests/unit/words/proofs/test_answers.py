"""Which objects and backgrounds prove a cause, and what the network answers to the pictures composed of them."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from filterscope import tables
from filterscope.activations.extraction import ActivationError
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.words.proofs.answers import (
    TOO_LONG,
    evenly,
    lacking_images,
    largest,
    plan,
    respond,
    wanted,
)
from filterscope.words.proofs.composing import Cutout
from filterscope.words.proofs.responses import ProofSettings, Responses, answer_table, responses_of
from filterscope.words.proofs.windows import BORDER, TINY

SIDE = 32
CPU = torch.device("cpu")


def chance(seed=0):
    return np.random.default_rng(seed)


def frame(rows):
    """Objects of these image ids, categories, tokens and shares of their windows; all usable and square."""
    objects = pd.DataFrame(rows, columns=["image_id", "category", "tokens", "share"])
    objects["tokens"] = objects["tokens"].map(np.array)
    return objects.assign(annotation_id=range(len(rows)), long=np.sqrt(objects["share"]), unusable="")


def planned(objects, settings):
    """With twelve empty images, of which some become backgrounds; all of four tokens are claimed."""
    ids = np.unique(objects["image_id"])
    return plan(np.r_[ids, 90:102], objects, np.ones(4, bool), settings, chance())


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
        objects = frame([(100 + number // 2, f"thing {number}", [number % 3], 0.1) for number in range(16)])
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
        order = evenly(categories, chance())
        assert sorted(order) == list(range(100))
        assert (categories[order[:20]] == "red square").sum() == 10
        assert not np.array_equal(order, evenly(categories, chance(1)))

    def test_an_image_gives_one_object_of_a_category_the_largest_that_is_usable(self):
        rows = [(1, "a", [0], 0.1), (1, "a", [0], 0.2), (1, "a", [0], 0.3), (1, "b", [1], 0.1), (2, "a", [0], 0.1)]
        objects = frame(rows)
        objects.loc[2, "unusable"] = BORDER
        assert largest(objects).index.tolist() == [1, 3, 4]
        objects["unusable"] = TINY
        assert largest(objects).index.tolist() == [2, 3, 4]

    def test_as_many_are_taken_as_are_wanted(self):
        tokens = np.eye(4, dtype=bool)[np.arange(100) % 4]
        claimed = np.array([True, True, False, False])
        taken = wanted(tokens, claimed, objects=5, controls=0)
        assert tokens[taken].sum(0).tolist() == [5, 5, 0, 0]
        more = wanted(tokens, claimed, objects=5, controls=30)
        assert set(taken) <= set(more)
        assert len(more) == 30
        assert tokens[more].sum(0)[2:].min() > 0, "controls are of whatever token"

    def test_what_is_unusable_is_counted_with_its_reason_and_token_once_an_image_and_category(self):
        objects = frame([(image_id, "a", [image_id % 4], 0.1) for image_id in range(12)] * 2)
        objects.loc[[0, 12, 1], "unusable"] = BORDER, TINY, BORDER  # of image 1 another is usable
        objects.loc[[3, 15, 4, 16], "unusable"] = TINY
        chosen = planned(objects, ProofSettings())
        assert chosen.unusable_by_token().tolist() == [2, 0, 0, 1]
        assert chosen.reasons() == f"2 {TINY}, 1 {BORDER}"
        assert sorted(chosen.objects["image_id"]) == [1, 2, 5, 6, 7, 8, 9, 10, 11]

    def test_sizes_lie_among_the_objects_own_and_each_gets_the_nearest(self):
        shares = [0.03, 0.04, 0.2, 0.25]
        chosen = planned(frame([(number, "a", [0], share) for number, share in enumerate(shares)]), ProofSettings())
        areas = chosen.objects["share"].to_numpy()
        assert sorted(areas) == shares
        assert len(set(chosen.sizes)) == 2
        assert np.abs(np.log(areas / chosen.targets[chosen.sizes])).max() < 0.3

    def test_what_is_too_long_where_it_is_laid_is_unusable(self):
        """One object is thin: at the size of the others it would be longer than a view."""
        objects = frame([(number, "a", [number], share) for number, share in enumerate([0.05, 0.3, 0.3])])
        objects.loc[0, "long"] = 0.9
        chosen = planned(objects, ProofSettings(sizes=1))
        assert sorted(chosen.objects["image_id"]) == [1, 2]
        assert len(chosen.sizes) == len(chosen.tokens) == 2
        assert chosen.reasons() == f"1 {TOO_LONG}"
        assert chosen.unusable_by_token().tolist() == [1, 0, 0, 0]

    def test_nothing_usable_is_no_mishap(self):
        chosen = planned(frame([(1, "a", [0], 0.001)]).assign(unusable=TINY), ProofSettings())
        assert chosen.objects.empty
        assert chosen.tokens.shape == (0, 4)


@pytest.fixture
def brightness():
    """Filter 0 answers with how bright a picture is, filter 1 with how dark; both by cells of 4 px."""
    layer = nn.Conv2d(3, 2, 4, stride=4)
    with torch.no_grad():
        layer.weight[0], layer.bias[0] = 1 / 48, 0
        layer.weight[1], layer.bias[1] = -1 / 48, 1
    with Reader(nn.Sequential(layer), "0", input_size=SIDE) as reader:
        yield reader


def ground():
    return torch.full((3, SIDE, SIDE), 100, dtype=torch.uint8)


def cutout(image_id, top, left, colour):
    """A grey picture with a square of 10 x 10 px."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : top + 10, left : left + 10] = True
    return Cutout(image_id, ground().masked_fill(torch.from_numpy(mask), colour), mask)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_answers_are_those_to_the_composed_pictures(brightness, batch_size):
    """A bright object of a tenth of the view adds what it covers, and takes it along when it is taken out."""
    area = 100 / SIDE**2
    chosen = planned(frame([(1, "a", [1], area), (2, "a", [2], area)]), ProofSettings(sizes=1, places=2))
    cuts = {1: cutout(1, 8, 8, 200), 2: cutout(2, 10, 6, 0)}
    inputs = InputSettings(SIDE, SIDE, (0, 0, 0), (1, 1, 1))
    order = chosen.objects["image_id"].tolist()
    views = {image_id: ground() for image_id in chosen.backgrounds.tolist()}
    found = (cuts[image_id] for image_id in order)

    def see(batch):
        return [brightness(normalise(batch.pictures(CPU), inputs))]

    answers = respond(chosen, views, found, see, {"0": 2}, batch_size, chance())["0"]
    assert answers.laid.shape == (2, 2, 2)
    plain = 100 / 255
    for row, image_id in enumerate(order):
        colour = {1: 200 / 255, 2: 0.0}[image_id]
        assert answers.laid[row, :, 0] == pytest.approx(plain + area * (colour - plain), abs=0.004)
        assert answers.laid[row, :, 1] == pytest.approx(1 - answers.laid[row, :, 0], abs=1e-4)
        # Filling takes all of it, blurring leaves some.
        assert 0.5 < answers.lost[row, 0] / (area * (colour - plain)) < 1.1
        assert answers.tokens[row].tolist() == [number == image_id for number in range(4)]


def test_a_layer_that_fails_is_told_and_the_others_answer_alike(brightness):
    area = 100 / SIDE**2
    chosen = planned(frame([(1, "a", [1], area), (2, "a", [2], area)]), ProofSettings(sizes=1, places=2))
    order = chosen.objects["image_id"].tolist()
    views = {image_id: ground() for image_id in chosen.backgrounds.tolist()}
    inputs = InputSettings(SIDE, SIDE, (0, 0, 0), (1, 1, 1))

    def answered(*layers):
        def see(batch):
            maps = brightness(normalise(batch.pictures(CPU), inputs))
            return [maps if layer == "good" else maps / 0 for layer in layers]

        cuts = (cutout(image_id, 8, 8, 200) for image_id in order)
        return respond(chosen, views, cuts, see, dict.fromkeys(layers, 2), 3, chance())

    both = answered("bad", "good")
    assert isinstance(both["bad"], ActivationError)
    assert "layer bad: NaN or infinite activations at image" in str(both["bad"])
    np.testing.assert_array_equal(both["good"].laid, answered("good")["good"].laid)


def test_answers_come_back_from_their_table(tmp_path):
    chance = np.random.default_rng(0)
    tokens = ["cat", "dog", "tree"]
    own = Responses(
        chance.random((5, 3)) < 0.5,
        np.array([0, 1, 1, 0, 1]),
        np.array([[True, False, True], [False, False, True]]),
        chance.random((5, 2, 4)).astype(np.float32),
        chance.random((5, 4)).astype(np.float32),
    )
    tables.write(answer_table(own, np.array([3, 0, 1]), tokens), "answers", tmp_path / "answers.parquet")
    found, unusable = responses_of(tables.read(tmp_path / "answers.parquet", "answers"), tokens)
    assert unusable.tolist() == [3, 0, 1]
    for name in ("tokens", "sizes", "lacking", "laid", "lost"):
        np.testing.assert_array_equal(getattr(found, name), getattr(own, name))
