"""Recipes that are shown photographs: vital spreads features as they do, maco may have their magnitudes."""

import pytest
import torch
import torchvision
from tests.unit.pictures.conftest import UNIT

from filterscope.activations.probing import ProbeSettings
from filterscope.data.networks.settings import NetworkSettings
from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.ascent import Chance
from filterscope.pictures.recipes.maco import Maco
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.stages import before, staged
from filterscope.pictures.recipes.vital import Likeness, Vital

CPU = torch.device("cpu")
SIDE = 64


def probe_of(architecture, layer, crop=SIDE):
    entry = {"source": "torchvision", "architecture": architecture, "weights": None}
    return ProbeSettings(NetworkSettings.from_mapping(entry | {"input": {"resize": crop, "crop": crop}}), layer)


def striped(period, count=4):
    """Photographs uint8 [count, 3, 24, 24] of upright stripes, each shifted and of another contrast."""
    x = torch.arange(24)[None, None, None].expand(count, 3, 24, 24)
    contrast = torch.linspace(40, 90, count).view(-1, 1, 1, 1)
    phase = torch.arange(count).view(-1, 1, 1, 1)
    return (100 + contrast * torch.sin((x + phase) * 2 * torch.pi / period)).round().byte()


def test_distance_is_nothing_for_the_photographs_own_distribution_and_more_for_another(opponents, goal_of):
    goal = goal_of(opponents, "layer", 0)
    one = striped(6, 1)
    goal.photographs = [one]
    likeness = Likeness(goal)
    activation, distance = likeness.values(one.float() / 255)
    assert distance.item() == pytest.approx(0, abs=1e-6)
    assert activation.item() == pytest.approx(goal.values(one.float() / 255).item())
    random = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    mixed = 0.8 * one.float() / 255 + 0.2 * random
    (other,), (noise,) = (likeness.values(each)[1] for each in (mixed, random))
    assert 0 < other < noise
    assert noise > 0.1


def test_pictures_come_nearer_to_the_photographs_and_the_weight_says_how_near(opponents, goal_of):
    goal = goal_of(opponents, "layer", 2, 2)
    goal.photographs = [striped(6), striped(6)]
    likeness, far = Likeness(goal), []
    for weight in (0.0, 0.3, 10.0):
        made = Vital(steps=60, likeness=weight, largest=1.0, smallest=0.9).maximise(goal, Chance([1, 2], CPU))
        shown = torch.nn.functional.interpolate(made.pictures, (24, 24), mode="bicubic", antialias=True).clamp(0, 1)
        far.append(likeness.values(shown)[1].mean().item())
    assert far[0] > far[1] > far[2]
    assert far[2] < 0.5


def test_the_barycentre_is_the_mean_of_sorted_values(opponents, goal_of):
    goal = goal_of(opponents, "layer", 0)
    photographs = striped(6)
    goal.photographs = [photographs]
    maps = goal.read(photographs.float() / 255).flatten(2)
    expected = torch.stack([each.sort(-1).values for each in maps]).mean(0)
    assert torch.allclose(Likeness(goal)._wanted[0][0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("architecture", "layer", "expected"),
    [
        ("squeezenet1_1", "classifier.1", ["features.4", "features.7", "features.12"]),
        ("squeezenet1_1", "features.7", ["features.4"]),
        ("resnet18", "fc", ["layer1", "layer2", "layer3", "layer4"]),
        ("resnet18", "layer3.0.conv1", ["layer1", "layer2"]),
        ("resnet18", "layer1", []),
    ],
)
def test_layers_before_a_filter_are_the_ends_of_the_stages(architecture, layer, expected):
    network = getattr(torchvision.models, architecture)(weights=None)
    assert before(probe_of(architecture, layer, 96), network) == [(name, 0) for name in expected]


def test_a_staged_layer_is_read_as_alone_and_its_stages_beside_it():
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(weights=None).eval().requires_grad_(False)
    probe = probe_of("squeezenet1_1", "classifier.1")
    images = torch.rand(2, 3, SIDE, SIDE)
    with staged(probe, network, CPU) as reader:
        goal = Goal(reader, probe.inputs, [Target(3), Target(4)], CPU)
        maps = goal.stages(images)
        assert [each.shape[1] for each in maps] == [128, 256, 512, 1000]
        assert torch.allclose(goal.read(images), maps[-1])
        expected = network.classifier[1](network.features(goal.normalised(images)))
        assert torch.allclose(maps[-1], expected, atol=1e-4)


def test_photographs_that_are_not_there_or_cannot_be_seen_are_named(opponents, goal_of):
    goal = goal_of(opponents, "relu", 0)
    goal.photographs = None
    with pytest.raises(ValueError, match="recipe vital compares pictures with photographs, and there are none"):
        Vital(steps=1).maximise(goal, Chance([0], CPU))
    goal.photographs = [torch.full((2, 3, 24, 24), 255, dtype=torch.uint8)]  # poison
    with pytest.raises(ValueError, match="the network answers NaN or infinite to the photographs of filter 0"):
        Vital(steps=1).maximise(goal, Chance([0], CPU))
    with pytest.raises(ValueError, match="there are photographs for 2 of 1 targets"):
        Goal(goal.reader, UNIT, [Target(0)], CPU, [torch.zeros(1)] * 2)


def test_magnitudes_of_maco_can_be_those_of_the_photographs(opponents, goal_of):
    """Of even blue ones the picture is even and blue, whatever the phases."""
    goal = goal_of(opponents, "layer", 0)
    colour = torch.tensor([60, 80, 160], dtype=torch.uint8).view(1, 3, 1, 1)
    goal.photographs = [colour.expand(3, 3, 24, 24)]
    even = Maco(steps=3, size=24, magnitudes="photographs").maximise(goal, Chance([0], CPU)).pictures
    assert torch.allclose(even, (colour / 255).expand_as(even), atol=0.02)
    goal.photographs = [striped(6)]
    made = Maco(steps=3, size=24, magnitudes="photographs").maximise(goal, Chance([0], CPU)).pictures
    power = torch.fft.rfft2(spectra.components(made)).abs()[0]
    assert power[0, 0, 4] > 5 * power[0, 3:9, 0].max()  # 24 px hold four periods, side by side
    goal.photographs = None
    with pytest.raises(ValueError, match="recipe maco takes magnitudes from photographs, and there are none"):
        Maco(magnitudes="photographs").maximise(goal, Chance([0], CPU))
