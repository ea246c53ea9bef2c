"""Layers are listed and read call by call, whatever comes after them in the network."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from filterscope.data.networks.layers import LayerCall, LayerError, Reader, list_layers

OF_SWIN = ("features.0.0", "features.7", "permute")


class Block(nn.Module):
    """One in-place ReLU used twice, as in torchvision's blocks, and layers of other kinds around it."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5)
        self.tokens = nn.Flatten(2)
        self.pair, self.nothing, self.columns = Pair(), Nothing(), nn.Flatten(0, 2)
        self.head = nn.Linear(6, 5)
        self.unused = nn.Conv2d(3, 3, 1)
        self.passes = 0

    def forward(self, images):
        maps = self.relu(self.second(self.dropout(self.relu(self.first(images)))))
        self.tokens(maps)
        left, _ = self.pair(maps)
        self.nothing(maps)
        self.columns(maps)
        logits = self.head(left.mean((2, 3)))
        self.passes += 1
        return logits


class Pair(nn.Module):
    def forward(self, maps):
        return maps, maps


class Nothing(nn.Module):
    def forward(self, maps):
        return None


@pytest.fixture
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Block().eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 12, 10, generator=torch.Generator().manual_seed(1))


def hooks(network):
    return sum(len(module._forward_hooks) for module in network.modules())


def test_every_use_is_listed_in_the_order_of_the_forward_pass(network):
    assert list_layers(network, (12, 10)) == [
        LayerCall("first", 0, "Conv2d", 4, 10, 8),
        LayerCall("relu", 0, "ReLU", 4, 10, 8),
        LayerCall("dropout", 0, "Dropout", 4, 10, 8),
        LayerCall("second", 0, "Conv2d", 6, 4, 3),
        LayerCall("relu", 1, "ReLU", 6, 4, 3),
        LayerCall("tokens", 0, "Flatten", 6, 4, 3),
        LayerCall("pair", 0, "Pair", 6, 4, 3),
        LayerCall("head", 0, "Linear", 5, 1, 1),
    ]
    assert hooks(network) == 0


def test_a_layer_before_an_in_place_relu_gives_what_it_put_out(network, images):
    with torch.no_grad(), Reader(network, "first", input_size=12) as reader:
        maps = reader(images)
    expected = functional.conv2d(images, network.first.weight, network.first.bias)
    assert expected.lt(0).any()
    torch.testing.assert_close(maps, expected)
    assert (reader.filters, reader.height, reader.width) == (4, 10, 10)


def test_each_call_of_a_reused_module_is_read_and_the_last_by_default(network, images):
    early = network.first(images).relu()
    late = network.second(early).relu()
    for call, expected in ((0, early), (1, late), (-1, late), (-2, early)):
        with torch.no_grad(), Reader(network, "relu", call, input_size=12) as reader:
            torch.testing.assert_close(reader(images), expected.detach())
            torch.testing.assert_close(reader(images), expected.detach())  # counted anew in every pass


def test_vectors_become_maps_of_one_cell(network, images):
    with torch.no_grad(), Reader(network, "head", input_size=12) as reader:
        maps = reader(images)
        assert maps.shape == (2, 5, 1, 1)
    assert torch.equal(maps.flatten(1), network(images))
    assert (reader.filters, reader.height, reader.width) == (5, 1, 1)


def test_the_pass_ends_in_the_layer(network, images):
    with Reader(network, "second", input_size=12) as reader:
        passes = network.passes
        reader(images)
        assert network.passes == passes


def test_modes_and_hooks_are_as_before_also_after_an_error(network, images):
    network.train()
    network.dropout.eval()
    modes = [module.training for module in network.modules()]
    with Reader(network, "second", input_size=12) as reader:
        assert not any(module.training for module in network.modules())
        first = reader(images)
        assert torch.equal(first, reader(images))  # no dropout
    assert [module.training for module in network.modules()] == modes
    assert hooks(network) == 0
    with pytest.raises(RuntimeError), Reader(network, "second", input_size=12) as reader:
        reader(images[:, :1])
    assert [module.training for module in network.modules()] == modes
    assert hooks(network) == 0
    with pytest.raises(RuntimeError, match="inside its with block"):
        reader(images)


def test_gradients_flow_where_the_caller_lets_them(network, images):
    images.requires_grad_()
    with Reader(network, "relu", 0, input_size=12) as reader:
        reader(images).sum().backward()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("layer", "call", "message"),
    [
        ("secnd", -1, "no layer 'secnd'; the nearest names are second"),
        ("", -1, "no layer ''"),
        ("relu", 2, r"'relu' is used 2 times in a forward pass: call is 2, should be from 0 to 1, or -1"),
        ("relu", -3, "call is -3"),
        ("unused", -1, "'unused' is never used in a forward pass"),
        ("columns", -1, r"'columns' puts out a tensor \[24, 4\], which is no map of filters: .* is not the pictures"),
        ("nothing", -1, "'nothing' puts out a NoneType, which is no map of filters: it is a NoneType without tensors"),
    ],
)
def test_what_cannot_be_read_says_what_is_right(network, layer, call, message):
    with pytest.raises(LayerError, match=message):
        Reader(network, layer, call, input_size=12)
    assert hooks(network) == 0


def test_torchvision_blocks_use_one_relu_for_several_outputs():
    network = torchvision.models.resnet18().eval()
    by_layer = {}
    for each in list_layers(network, 64):
        by_layer.setdefault(each.layer, []).append(each)
    assert len(by_layer["layer4.1.relu"]) == 2
    assert by_layer["layer4"] == [LayerCall("layer4", 0, "Sequential", 512, 2, 2)]
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad(), Reader(network, "layer4.1.relu", input_size=64) as last:
        relu = last(images)
    with torch.no_grad(), Reader(network, "layer4", input_size=64) as block:
        assert torch.equal(relu, block(images))
    with torch.no_grad(), Reader(network, "layer4.1.bn1", input_size=64) as before:
        norm = before(images)
    with torch.no_grad(), Reader(network, "layer4.1.relu", 0, input_size=64) as first:
        assert norm.lt(0).any()
        assert torch.equal(first(images), norm.relu())


def test_channels_that_come_last_are_read_as_maps():
    network = torchvision.models.swin_t().eval()
    assert [(each.layer, each.filters, each.height) for each in list_layers(network, 64) if each.layer in OF_SWIN] == [
        ("features.0.0", 96, 16),
        ("features.7", 768, 2),
        ("permute", 768, 2),
    ]
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = network.features(images).permute(0, 3, 1, 2)
    with torch.no_grad(), Reader(network, "features.7", input_size=64) as reader:
        torch.testing.assert_close(reader(images), expected)


class Adaptive(nn.Module):
    """Looks again as often as the picture is rough."""

    def __init__(self):
        super().__init__()
        self.block = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, images):
        for _ in range(1 + int(images.std() > 0.5)):
            images = self.block(images)
        return images


def test_the_last_call_is_refused_where_the_picture_decides_how_many_there_are(images):
    """It would be the last for a black picture only."""
    with pytest.raises(
        LayerError, match=r"used 1 times for a black picture and 2 times for noise.*give the call from 0"
    ):
        Reader(Adaptive(), "block", input_size=12)
    network = Adaptive().eval()
    with torch.no_grad():
        expected = network.block(images)
    with torch.no_grad(), Reader(network, "block", 0, input_size=12) as reader:
        torch.testing.assert_close(reader(images), expected)


class Rough(nn.Module):
    """Looks at rough pictures with one part, at others with another."""

    def __init__(self):
        super().__init__()
        self.even, self.rough, self.never = (nn.Conv2d(3, 3, 3) for _ in range(3))

    def forward(self, images):
        return self.rough(images) if images.std() > 0.5 else self.even(images)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("rough", "'rough' is used for noise and not for a black picture, .*name a layer that all pictures go through"),
        ("never", "'never' is never used in a forward pass of a black picture"),
    ],
)
def test_a_layer_that_a_black_picture_does_not_reach_says_whether_others_do(layer, said):
    with pytest.raises(LayerError, match=said):
        Reader(Rough(), layer, input_size=12)


def test_a_network_that_is_one_module_has_no_layer_to_name():
    with pytest.raises(LayerError, match="has no layer 'a': it is one Conv2d and holds no module that has a name"):
        Reader(nn.Conv2d(3, 4, 3), "a", input_size=12)


class Writer(nn.Module):
    """Normalises its input in place, as some networks do."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        images.sub_(0.5).mul_(2)
        return self.conv(images)


def test_a_network_that_writes_into_its_input_reads_the_same_picture_twice(images):
    network, before = Writer().eval(), images.clone()
    with torch.inference_mode(), Reader(network, "conv", input_size=12) as reader:
        first = reader(images)
        assert torch.equal(images, before)
        assert torch.equal(first, reader(images))
    leaf = images.clone().requires_grad_()
    with Reader(network, "conv", input_size=12) as reader:
        reader(leaf).sum().backward()
    assert leaf.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 2, 3)),
            r"fails on a picture of 3 channels, 12 x 12 px \(RuntimeError: Given groups=1.*'0', takes 1 channels",
        ),
        (nn.Sequential(nn.Conv2d(1, 2, 3)), r"Give input: mean and std one number each, .*it is shown grey pictures"),
        (
            nn.Sequential(nn.Conv2d(4, 2, 3)),
            r"'0', takes 4 channels, and pictures have 3\. .*what it needs made of the 3",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(7, 2)),
            r"\(RuntimeError: mat1 and mat2 shapes.*pictures of another size, set input: resize and crop",
        ),
    ],
)
def test_a_network_that_cannot_take_pictures_says_why(network, said):
    with pytest.raises(LayerError, match=said):
        Reader(network, "0", input_size=12)
    with pytest.raises(LayerError, match=said):
        list_layers(network, 12)
