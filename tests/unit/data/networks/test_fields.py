"""How much of the picture a place of a map sees, where the answer is known."""

import pytest
import torch
from torch import nn

from filterscope import tables
from filterscope.data.networks.fields import HELD, field_table, receptive_field

SIZE = 48


def even(kernel, stride=1, padding=0):
    """A convolution whose every weight is the same for its filter."""
    module = nn.Conv2d(3, 4, kernel, stride, padding)
    nn.init.constant_(module.weight, 0.1)
    return module


@pytest.mark.parametrize(("kernel", "stride"), [(9, 3), (5, 1), (12, 4)])
def test_of_one_even_convolution_it_is_the_kernel_less_its_last_tenth(kernel, stride):
    """Nine tenths of a square of k x k px lie within sqrt(.9) k, up to a ring of pixels."""
    found = SIZE * receptive_field(nn.Sequential(even(kernel, stride)), "0", -1, SIZE)
    assert HELD**0.5 * kernel - 1 <= found <= kernel + 3


def test_of_a_layer_that_looks_at_single_pixels_it_is_a_cell():
    network = nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 4, 1))
    assert 2 <= SIZE * receptive_field(network, "1", -1, SIZE) <= 5


def test_it_grows_with_depth_and_is_all_where_a_map_is_one_place():
    torch.manual_seed(0)
    parts = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True)]
    for _ in range(3):
        parts += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True)]
    network = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    found = [receptive_field(network, layer, -1, SIZE) for layer in ("0", "2", "4", "6")]
    assert found == sorted(found)
    assert found[0] < found[-1] < 0.4
    assert receptive_field(network, "10", -1, SIZE) == 1
    assert receptive_field(network, "4", -1, SIZE) == found[2], "the same again"


class Sealed(nn.Module):
    """A network that lets no gradient through."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(3, 4, 3)

    @torch.no_grad()
    def forward(self, pictures):
        return self.maps(pictures)


class Choosy(nn.Module):
    """Noise goes through its layer once, anything even twice."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(3, 4, 3)

    def forward(self, pictures):
        maps = self.maps(pictures)
        return maps if pictures.std() > 0 else maps + self.maps(pictures)


def test_it_is_unknown_where_noise_goes_another_way_than_the_call_that_is_read(caplog):
    caplog.set_level("INFO", "filterscope")
    assert receptive_field(Choosy(), "maps", 1, SIZE) is None
    assert "how much of the picture maps sees is not known: " in caplog.text


@pytest.mark.parametrize("network", [Sealed(), nn.Sequential(nn.Threshold(1e9, 0.0), nn.Conv2d(3, 4, 3))])
def test_it_is_unknown_where_no_gradient_comes_through(network):
    layer = "maps" if isinstance(network, Sealed) else "1"
    assert receptive_field(network, layer, -1, SIZE) is None
    assert tables.checked(field_table(layer, None, SIZE), "receptive_field").num_rows == 0


def test_a_table_holds_it():
    table = tables.checked(field_table("layer4", 0.5, 224), "receptive_field").to_pylist()
    assert table == [{"layer": "layer4", "share": 0.5, "size": 224}]
