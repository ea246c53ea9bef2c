"""The networks of ActCooLR: their size as published, one ReLU per use, seeded weights, any size of picture."""

import pytest
import torch
from torch import nn

from filterscope.apt.monitor import TemperatureMonitor
from filterscope.temperature.networks import NETWORKS, build
from filterscope.temperature.residual import Widened, pyramidnet

# Parameters for ten classes of pictures of 32 x 32 px with three channels, and uses of ReLU.
SIZES = {
    "convnet": (545_098, 3),
    "resnet18": (11_173_962, 17),
    "resnet18_plain": (11_000_138, 17),
    "resnet32": (464_154, 31),
    "resnet32_plain": (464_154, 31),
    "resnet32_fixup": (461_959, 31),
    "resnet56": (853_018, 55),
    "resnet56_plain": (853_018, 55),
    "vgg16": (14_728_266, 13),
    "pyramidnet41": (1_457_472, 21),
    "pyramidnet110": (3_855_054, 55),
    "resnet50": (23_528_522, 49),
}


def parameters(network):
    return sum(each.numel() for each in network.parameters())


def test_every_network_is_here():
    assert {*SIZES} == {*NETWORKS}


@pytest.mark.parametrize("name", NETWORKS)
def test_size_depth_and_output(name):
    network = build(name, 10, 3, 32, seed=0)
    count, uses = SIZES[name]
    assert parameters(network) == count
    with TemperatureMonitor(network) as monitor, monitor.step():
        outputs = network(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
        with torch.no_grad():
            next(network.parameters()).add_(0)  # a step that changes nothing is one all the same
    assert outputs.shape == (2, 10)
    assert torch.isfinite(outputs).all()
    assert len(monitor.reading.calls) == uses
    assert monitor.reading.mean == 0


def test_pyramids_are_as_large_as_published():
    """Han et al. 2017: 1.7 million for a widening of 48, 3.8 for 84."""
    for widening, millions in ((48, 1.7), (84, 3.8)):
        assert parameters(pyramidnet(10, 3, (18,) * 3, widening)) // 10**5 == millions * 10


@pytest.mark.parametrize("name", [each for each in NETWORKS if each != "resnet50"])
@pytest.mark.parametrize("size", [8, 28])
def test_small_grey_pictures(name, size):
    network = build(name, 7, 1, size, seed=0).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 1, size, size)).shape == (1, 7)


@pytest.mark.parametrize("name", ["convnet", "resnet32", "resnet32_fixup", "vgg16", "pyramidnet41"])
def test_the_seed_decides_the_weights(name):
    chance = torch.get_rng_state()
    first, again, other = (build(name, 10, 3, 8, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), chance)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(one, two) for one, two, _ in pairs)
    assert any(not torch.equal(one, three) for one, _, three in pairs)


def test_shortcuts_make_the_difference():
    """With the blocks' own changes at zero, a network with shortcuts passes its stem on, a plain one does not."""
    inputs = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for name, passes in (("resnet32", True), ("resnet32_plain", False)):
        network = build(name, 10, 3, 8, seed=0).eval()
        with torch.no_grad():
            for block in network.blocks:
                nn.init.zeros_(block.bn2.weight)
            maps = network.blocks(network.stem(inputs))
            expected = network.stem(inputs)[:, :, ::4, ::4]
        assert maps[:, 16:].abs().max() == 0
        assert torch.equal(maps[:, :16], expected) == passes


def test_fixup_starts_as_its_stem():
    network = build("resnet32_fixup", 10, 3, 8, seed=0)
    inputs = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(network.blocks(network.stem(inputs))[:, :16], network.stem(inputs)[:, :, ::4, ::4])
        assert network(inputs).abs().max() == 0
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_widened_shortcuts_add_zeros():
    maps = torch.rand(2, 3, 5, 5)
    wide = Widened(3, 7, 2)(maps)
    assert wide.shape == (2, 7, 3, 3)
    assert torch.equal(wide[:, :3], maps[:, :, ::2, ::2])
    assert wide[:, 3:].abs().max() == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "resnet23"}, r"network is 'resnet23', should be one of resnet3"),
        ({"classes": 1}, "classes of resnet18 is 1, should be a whole number of at least 2"),
        ({"channels": 0}, "channels of resnet18 is 0"),
        ({"size": 3}, "size of resnet18 is 3, should be a whole number of at least 4"),
        ({"size": 16, "name": "resnet50"}, "size of resnet50 is 16, should be a whole number of at least 32"),
    ],
)
def test_bad_input_is_told(changed, told):
    with pytest.raises(ValueError, match=told):
        build(**{"name": "resnet18", "classes": 10, "channels": 3, "size": 32, "seed": 0, **changed})
