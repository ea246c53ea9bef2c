"""The networks of ActCooLR, tables 2 and 3, by name: build("resnet18", classes=10, channels=3, size=32, seed=0).

The supplement names its networks without their details; where there was a choice, it stands beside the name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

import torch
from torch import nn

from filterscope.temperature.residual import Widened, fixup_resnet, projection, pyramidnet, resnet

VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0: maxima of 2 x 2 px
STAGES = (16, 32, 64)  # filters of the ResNets for CIFAR-10


def _convnet(classes: int, channels: int, size: int) -> nn.Module:
    """Two convolutions and two linear layers (ours: the supplement only says that there are four layers)."""
    side = size // 4
    return nn.Sequential(
        *(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * side * side, 128), nn.ReLU(inplace=True)),
        nn.Linear(128, classes),
    )


def _vgg16(classes: int, channels: int, size: int) -> nn.Module:
    """Thirteen convolutions with batch norm and one linear layer, as is usual for pictures of 32 px (ours)."""
    layers: list[nn.Module] = []
    inputs = channels
    for width in VGG16:
        if width:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            inputs = width
        else:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
    for module in network:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return network


def _resnet50(classes: int, channels: int, size: int) -> nn.Module:
    """torchvision's, for photographs of 224 px."""
    import torchvision  # takes longer to import than a small network to train

    network = torchvision.models.resnet50(weights=None, num_classes=classes)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    return network


# Called with classes, channels and the side of the pictures in px.
Builder = Callable[[int, int, int], nn.Module]
NETWORKS: dict[str, Builder] = {
    "convnet": _convnet,
    "resnet18": lambda classes, channels, size: resnet(classes, channels, (64, 128, 256, 512), (2,) * 4, projection),
    "resnet18_plain": lambda classes, channels, size: resnet(classes, channels, (64, 128, 256, 512), (2,) * 4, None),
    "resnet32": lambda classes, channels, size: resnet(classes, channels, STAGES, (5,) * 3, Widened),
    "resnet32_plain": lambda classes, channels, size: resnet(classes, channels, STAGES, (5,) * 3, None),
    "resnet32_fixup": lambda classes, channels, size: fixup_resnet(classes, channels, STAGES, (5,) * 3),
    "resnet56": lambda classes, channels, size: resnet(classes, channels, STAGES, (9,) * 3, Widened),
    "resnet56_plain": lambda classes, channels, size: resnet(classes, channels, STAGES, (9,) * 3, None),
    "vgg16": _vgg16,
    # The supplement does not tell the widening (48, 84 and 270 were published), nor how 41 layers are divided: ours is
    # 84, and four stages of five blocks.
    "pyramidnet41": lambda classes, channels, size: pyramidnet(classes, channels, (5,) * 4, 84),
    "pyramidnet110": lambda classes, channels, size: pyramidnet(classes, channels, (18,) * 3, 84),
    "resnet50": _resnet50,
}
# Side of the smallest pictures, px.
SMALLEST = {"resnet50": 32}
SMALLEST_ELSE = 4


def build(name: str, classes: int, channels: int, size: int, seed: int) -> nn.Module:
    """A network with random weights of its own, in train mode: pictures [B, channels, size, size] to [B, classes].

    The same seed gives the same weights; torch's random stream is left alone. Raises ValueError for an unknown name
    and for sizes that the network cannot have.
    """
    if name not in NETWORKS:
        near = difflib.get_close_matches(str(name), NETWORKS, n=3, cutoff=0.4) or list(NETWORKS)
        raise ValueError(f"network is {name!r}, should be one of {', '.join(near)}")
    for key, value, least in (
        ("classes", classes, 2),
        ("channels", channels, 1),
        ("size", size, SMALLEST.get(name, SMALLEST_ELSE)),
    ):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{key} of {name} is {value}, should be a whole number of at least {least}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name](classes, channels, size)
