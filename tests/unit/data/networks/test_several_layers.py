"""Several layers read in one pass are what each read by itself is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from filterscope.data.networks.layers import LayerError, Reader, Readers

SIZE = 16


class Inside(nn.Module):
    """A ReLU in place after every convolution, one of them used twice; what stands last fails."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, 2, 1)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(5, 2)
        self.same = self.second
        self.passed = 0

    def forward(self, images):
        maps = self.relu(self.first(images))
        maps = self.relu(self.second(maps))
        self.passed += 1
        return self.head(maps.mean((2, 3)))


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Inside().eval().requires_grad_(False)


@pytest.fixture
def images():
    return torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_each_layer_is_what_it_is_by_itself(network, images, memory):
    network, images = network.to(memory_format=memory), images.to(memory_format=memory)
    layers = [("second", -1), ("first", -1), ("relu", 0), ("relu", 1), ("head", -1)]
    with Readers(network, layers, SIZE) as readers:
        together = readers(images)
        again = readers(images)
    for (layer, call), found, repeated in zip(layers, together, again, strict=True):
        with Reader(network, layer, call, SIZE) as reader:
            assert torch.equal(found, reader(images)), layer
        assert torch.equal(found, repeated)
        assert found.is_contiguous()
    assert (together[1] < 0).any()  # what it put out, not what the ReLU in place made of it


def test_the_pass_ends_where_the_last_layer_is_reached(network, images):
    with Readers(network, [("second", -1), ("first", -1)], SIZE) as readers:
        before = network.passed
        readers(images)
        assert network.passed == before


def test_hooks_are_gone_afterwards(network, images):
    with Readers(network, [("second", -1), ("first", -1)], SIZE):
        pass
    assert network(images).shape == (3, 2)


def test_one_use_under_two_names_is_refused(network):
    with pytest.raises(LayerError, match="layers 'second' and 'same' are the same use of a module: name it once"):
        Readers(network, [("second", -1), ("first", -1), ("same", -1)], SIZE)


def test_a_layer_that_is_not_there_is_named(network):
    with pytest.raises(LayerError, match="no layer 'third'; the nearest names are"):
        Readers(network, [("second", -1), ("third", -1)], SIZE)


class Choosing(nn.Module):
    """Looks at bright pictures with one part, at others with another."""

    def __init__(self):
        super().__init__()
        self.stem, self.dark, self.bright = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1), nn.Conv2d(4, 5, 1)

    def forward(self, images):
        maps = self.stem(images)
        return self.bright(maps) if images.mean() > 1 else self.dark(maps)


def test_layers_that_no_pass_goes_through_together_are_refused():
    network = Choosing().eval()
    said = "layer 'bright' is never used in a forward pass"
    with pytest.raises(LayerError, match=said):
        Readers(network, [("dark", -1), ("bright", -1)], SIZE)
    dark, bright = torch.zeros(2, 3, SIZE, SIZE), torch.full((2, 3, SIZE, SIZE), 2.0)
    with Readers(network, [("stem", -1), ("dark", 0)], SIZE) as readers:
        assert [each.shape[1] for each in readers(dark)] == [4, 5]
        with pytest.raises(LayerError, match="layer 'dark' was used 0 times here, not 1"):
            readers(bright)
        assert torch.equal(readers(dark)[0], network.stem(dark))  # and goes on


def test_calls_that_one_of_the_layers_does_not_have_are_refused(network):
    with pytest.raises(LayerError, match="layer 'first' is used 1 times in a forward pass: call is 1, should be"):
        Readers(network, [("relu", 1), ("first", 1)], SIZE)


def test_nan_in_one_layer_does_not_reach_the_others(network, images):
    with torch.no_grad():
        network.second.bias.fill_(float("nan"))
        with Readers(network, [("first", -1), ("second", -1)], SIZE) as readers:
            sound, broken = readers(images)
    assert sound.isfinite().all()
    assert broken.isnan().all()
