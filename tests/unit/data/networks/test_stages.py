"""The ends of a network's stages are found in its trunk, by the sizes of maps."""

import pytest
import torch
import torchvision
from torch import nn

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.stages import stage_ends


@pytest.mark.parametrize(
    ("architecture", "ends"),
    [
        ("resnet18", ["layer1", "layer2", "layer3", "layer4"]),
        ("vgg11", [f"features.{place}" for place in (1, 4, 9, 14, 19)]),
        ("mobilenet_v2", [f"features.{place}" for place in (1, 3, 6, 13, 18)]),
        ("densenet121", [f"features.denseblock{place}" for place in (1, 2, 3, 4)]),
        ("swin_t", [f"features.{place}" for place in (1, 3, 5, 7)]),
        ("vit_b_32", [f"encoder.layers.encoder_layer_{place}" for place in (2, 5, 8, 11)]),
    ],
)
def test_ends_of_known_networks(architecture, ends):
    network = torchvision.models.get_model(architecture, weights=None).eval()
    assert stage_ends(network) == ends
    with torch.no_grad(), Reader(network, ends[-1]) as reader:
        assert reader(torch.zeros(1, 3, 224, 224)).shape[2:] == (reader.height, reader.width)


class Held(nn.Module):
    """Blocks in a list that is never used itself, in a part that is never used itself."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Module()
        self.trunk.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()) for _ in range(8))

    def forward(self, images):
        for block in self.trunk.blocks:
            images = block(images)
        return images


def test_blocks_of_one_size_in_lists_end_their_quarters():
    assert stage_ends(Held().eval(), 8) == [f"trunk.blocks.{place}" for place in (1, 3, 5, 7)]


def test_a_network_without_maps_has_its_last_layer():
    assert stage_ends(nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU()).eval(), 2) == ["2"]
