"""Windows are put back into the picture as the network cut it, held against the inverse that the test writes down."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from filterscope.data.networks.layers import LayerError, Reader, Readers, survey
from filterscope.data.networks.layout_kinds import WINDOWS

WIDTH = 8


def cut(maps, way):
    """Maps [B, H, W, C] as windows of 2 x 2 places (4 x 4 where they are padded), [B * windows, places, C]."""
    if way == "shifted":
        maps = torch.roll(maps, (-1, -1), (1, 2))
    side = 2
    if way == "padded":
        maps, side = functional.pad(maps, (0, 0, 0, -maps.shape[2] % 4, 0, -maps.shape[1] % 4)), 4
    batch, height, width, filters = maps.shape
    if way == "interleaved":  # MaxViT's grid: places of a window lie far from each other
        maps = maps.view(batch, side, height // side, side, width // side, filters).permute(0, 2, 4, 1, 3, 5)
    else:
        maps = maps.view(batch, height // side, side, width // side, side, filters).permute(0, 1, 3, 2, 4, 5)
    if way == "apart":
        return maps.reshape(batch, -1, side * side, filters)
    return maps.reshape(-1, side * side, filters)


def joined(rows, way, batch, height, width):
    """The inverse: [B, H, W, C] of windows."""
    side, filters = 4 if way == "padded" else 2, rows.shape[-1]
    padded = [-(-each // side) * side for each in (height, width)]
    down, across = (each // side for each in padded)
    if way == "interleaved":
        maps = rows.reshape(batch, down, across, side, side, filters).permute(0, 3, 1, 4, 2, 5)
    else:
        maps = rows.reshape(batch, down, across, side, side, filters).permute(0, 1, 3, 2, 4, 5)
    maps = maps.reshape(batch, *padded, filters)[:, :height, :width]
    return torch.roll(maps, (1, 1), (1, 2)) if way == "shifted" else maps


class Mixing(nn.Module):
    """Places of a window look at each other."""

    def forward(self, rows):
        return rows + rows.mean(-2, keepdim=True)


class Windowed(nn.Module):
    def __init__(self, way, scale=1.0):
        super().__init__()
        self.way, self.scale = way, scale
        self.stem, self.norm = nn.Conv2d(3, WIDTH, 4, 4), nn.LayerNorm(WIDTH)
        self.inside = nn.Sequential(nn.Linear(WIDTH, 12), Mixing(), nn.GELU(), nn.Linear(12, WIDTH))
        self.beside, self.head = nn.Linear(WIDTH, 5), nn.Linear(WIDTH, 3)

    def forward(self, images):
        maps = self.norm(self.stem(images).permute(0, 2, 3, 1))
        rows = self.inside(cut(maps * self.scale, self.way))
        self.beside(rows)
        maps = maps + joined(rows, self.way, *maps.shape[:3])
        return self.head(maps.mean((1, 2)))


def windowed(way, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return Windowed(way, **settings).eval()


def put_out(network, layer, images):
    kept = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.no_grad():
        network(images)
    handle.remove()
    return kept[-1]


SIZE = (24, 40)  # 6 x 10 places
WAYS = ("plain", "shifted", "interleaved", "padded", "apart")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("layer", "filters"), [("inside.0", 12), ("inside.1", 12), ("inside.2", 12), ("inside", 8)])
def test_windows_are_put_back_as_they_were_cut(way, layer, filters):
    network = windowed(way)
    images = torch.randn(3, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    expected = joined(put_out(network, layer, images), way, 3, 6, 10).permute(0, 3, 1, 2)
    with torch.no_grad(), Reader(network, layer, input_size=SIZE) as reader:
        found = reader(images)
    assert (reader.layout.kind, reader.filters, reader.height, reader.width) == (WINDOWS, filters, 6, 10)
    assert torch.equal(found, expected)


def test_windows_are_read_with_other_layers_in_one_pass():
    network = windowed("shifted")
    images = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), Readers(network, [("inside.2", -1), ("norm", -1)], SIZE) as readers:
        together = readers(images)
    for layer, found in zip(("inside.2", "norm"), together, strict=True):
        with torch.no_grad(), Reader(network, layer, input_size=SIZE) as reader:
            assert torch.equal(found, reader(images))


def test_windows_that_nothing_tells_of_are_left_out_with_the_reason():
    """Of a module beside the one that got the map nothing is assumed, nor where the map was changed on its way."""
    left_out = {each.layer: each.reason for each in survey(windowed("plain"), SIZE).left_out}
    assert list(left_out) == ["beside"]
    assert "its first axis is not the pictures (windows, or parts of them side by side)" in left_out["beside"]
    changed = {each.layer for each in survey(windowed("plain", scale=2.0), SIZE).left_out}
    assert changed == {"inside.0", "inside.1", "inside.2", "inside.3", "inside", "beside"}
    with pytest.raises(LayerError, match=r"'beside' puts out a tensor .* which is no map of filters: .*windows"):
        Reader(windowed("plain"), "beside", input_size=SIZE)


def test_a_picture_of_another_size_is_refused_not_misread():
    network = windowed("plain")
    with Reader(network, "inside", input_size=SIZE) as reader, pytest.raises(LayerError, match="for 1 pictures"):
        reader(torch.zeros(1, 3, 32, 32))
