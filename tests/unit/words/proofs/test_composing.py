"""Objects cut out of pictures, laid into others, and taken out of their own: whose pixels there are."""

import numpy as np
import pytest
import torch

from filterscope.words.proofs.composing import REMOVALS, Cutout, lay, take_out

SIDE = 64
RED, BLUE, GREEN = (
    torch.tensor(colour, dtype=torch.uint8).view(3, 1, 1) for colour in ((250, 0, 0), (0, 0, 250), (0, 250, 0))
)


def disc(radius=10, centre=(30, 30)):
    y, x = np.ogrid[:SIDE, :SIDE]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def ground(colour):
    return colour.expand(3, SIDE, SIDE).clone()


def cutout(mask):
    """A red object on blue."""
    view = torch.where(torch.from_numpy(mask), RED, BLUE)
    return Cutout(7, view, mask)


class TestLaying:
    @pytest.mark.parametrize("area", [0.03, 0.0774, 0.2])
    def test_it_covers_the_area_that_is_asked_for(self, area):
        layers = cutout(disc()).scaled(area)
        assert float(layers[3].sum()) / 255 / SIDE**2 == pytest.approx(area, rel=0.06)

    @pytest.mark.parametrize("area", [0.03, 0.0774, 0.2])
    def test_nothing_of_its_surroundings_comes_along(self, area):
        laid = lay(ground(GREEN), cutout(disc()).scaled(area), (0.5, 0.5))
        assert laid[2].max() == 0  # no blue
        red, green = laid[0].float(), laid[1].float()
        assert red.sum() / 250 / SIDE**2 == pytest.approx(area, rel=0.06)
        assert (red + green - 250).abs().max() <= 1  # mixed at the edge, in full elsewhere

    def test_it_lies_where_it_should_and_the_background_stays(self):
        view = ground(GREEN)
        laid = lay(view, cutout(disc()).scaled(0.05), (0.25, 0.75))
        rows, columns = np.nonzero(laid[0].numpy() > 125)
        assert (rows.mean(), columns.mean()) == pytest.approx((SIDE / 4, 3 * SIDE / 4), abs=1)
        assert torch.equal(view, ground(GREEN))

    def test_it_is_moved_into_the_view_where_it_would_hang_out(self):
        layers = cutout(disc()).scaled(0.2)
        laid = lay(ground(GREEN), layers, (0.02, 0.99))
        whole = lay(ground(GREEN), layers, (0.5, 0.5))
        assert laid[0].float().sum() == whole[0].float().sum()

    def test_it_is_never_larger_than_the_view(self):
        """The mask that is resampled for the network may be thinner than the object's share tells."""
        mask = np.zeros((SIDE, SIDE), bool)
        mask[1:63, 30:32] = True
        object_ = cutout(mask)
        layers = object_.scaled(1.3 * object_.area)
        assert max(layers.shape[1:]) == SIDE
        assert lay(ground(GREEN), layers, (0.5, 0.5))[0].max() > 200


class TestTakingOut:
    def test_the_surroundings_grow_over_it(self):
        blurred, filled = take_out(cutout(disc()).view, disc())
        assert REMOVALS == ("blur", "fill")
        assert (filled.float() - BLUE.float()).abs().max() <= 1
        assert blurred[0].float().diff().abs().max() < 90  # nothing is sharp any more

    def test_an_object_that_fills_its_view_leaves_no_black(self):
        mask = np.zeros((SIDE, SIDE), bool)
        mask[3:61, 3:61] = True
        for view in take_out(cutout(mask).view, mask):
            assert view.float().sum(0).min() > 150

    def test_the_hole_does_not_show_the_outline(self):
        """On an even ground a square and a disc leave the same behind."""
        square = np.zeros((SIDE, SIDE), bool)
        square[21:40, 21:40] = True
        left = [take_out(cutout(mask).view, mask)[1] for mask in (square, disc())]
        assert torch.equal(*left)

    def test_what_is_far_from_it_stays(self):
        view = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        for without in take_out(view, disc(8)):
            far = ~torch.from_numpy(disc(14))
            assert torch.equal(without[:, far], view[:, far])
            near = torch.from_numpy(disc(6))
            assert without[:, near].float().std() < 0.6 * view[:, near].float().std()
