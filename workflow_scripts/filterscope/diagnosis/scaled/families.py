"""Networks whose width can be scaled, and the width whose capacity meets a target (Debugger, 3.4).

Three families for pictures of any size: AlexNet, ResNet-18 and a plain CNN. At width 1 and 224 px the first two are
torchvision's; smaller pictures get a smaller stem and fewer poolings, as is usual for CIFAR-10.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from filterscope.diagnosis.capacity.network_capacity import network_capacity
from filterscope.diagnosis.labelled import DiagnosisError

# Pictures from this side on, px, get the stem of ImageNet's networks; those below the second that of CIFAR-10's.
LARGE, SMALL = 96, 48
WIDEST = 64.0
Channels = Callable[[int], int]


def alexnet(channels: Channels, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Five convolutions and three linear layers."""
    side, depth = min(shape[1:]), shape[0]
    wide = [channels(width) for width in (64, 192, 384, 256, 256)]
    if side >= LARGE:
        first, pools, window = nn.Conv2d(depth, wide[0], 11, stride=4, padding=2), (True, True, True), 3
    else:
        stride = 2 if side >= SMALL else 1
        first = nn.Conv2d(depth, wide[0], 5 if stride == 2 else 3, stride=stride, padding=2 if stride == 2 else 1)
        pools, window = tuple(math.ceil(side / stride) >= size for size in (4, 8, 16)), 2
    convolutions = [
        first,
        nn.Conv2d(wide[0], wide[1], 5, padding=2),
        nn.Conv2d(wide[1], wide[2], 3, padding=1),
        nn.Conv2d(wide[2], wide[3], 3, padding=1),
        nn.Conv2d(wide[3], wide[4], 3, padding=1),
    ]
    layers: list[nn.Module] = []
    for place, convolution in enumerate(convolutions):
        layers += [convolution, nn.ReLU()]
        if place in (0, 1, 4) and pools[(0, 1, 4).index(place)]:
            layers.append(nn.MaxPool2d(window, stride=2))
    grid = 6 if side >= LARGE else min(4, side)
    hidden = channels(4096 if side >= LARGE else 1024)
    return nn.Sequential(
        *layers,
        nn.AdaptiveAvgPool2d(grid),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(wide[4] * grid * grid, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, maps: Tensor) -> Tensor:
        inner = torch.relu(self.bn1(self.conv1(maps)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.shortcut(maps))


def resnet(channels: Channels, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """ResNet-18: a stem and eight blocks of two convolutions."""
    side, depth = min(shape[1:]), shape[0]
    wide = [channels(width) for width in (64, 128, 256, 512)]
    if side >= LARGE:
        stem = [nn.Conv2d(depth, wide[0], 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(wide[0]), nn.ReLU()]
        stem.append(nn.MaxPool2d(3, stride=2, padding=1))
    else:
        stride = 2 if side >= SMALL else 1
        stem = [nn.Conv2d(depth, wide[0], 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(wide[0]), nn.ReLU()]
    blocks, before = [], wide[0]
    for place, after in enumerate(wide):
        blocks += [_Block(before, after, 2 if place else 1), _Block(after, after, 1)]
        before = after
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def plain(channels: Channels, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Convolutions of 3 x 3 with batch norm, halved by poolings, a mean and a linear layer."""
    side, before = min(shape[1:]), shape[0]
    layers: list[nn.Module] = []
    for width in (32, 64, 128):
        after = channels(width)
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        if side >= 4:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


FAMILIES: dict[str, Callable[[Channels, tuple[int, int, int], int], nn.Module]] = {
    "alexnet": alexnet,
    "resnet": resnet,
    "plain": plain,
}


def build_scaled(family: str, width: float, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A network of the family for pictures [C, H, W], with every layer's channels multiplied by width, at least 1.

    Parameters are drawn by torch's generator, on torch's current device. Raises DiagnosisError for an unknown family,
    a width that is not positive, another shape, and fewer than two classes.
    """
    if family not in FAMILIES:
        raise DiagnosisError(f"family is {family!r}, should be one of {', '.join(FAMILIES)}")
    if not (0 < width < math.inf):
        raise DiagnosisError(f"width is {width}, should be positive")
    if len(shape) != 3 or min(shape) < 1:
        raise DiagnosisError(
            f"the shape of a sample is {list(shape)}, should be [C, H, W]: these networks take pictures"
        )
    if classes < 2:
        raise DiagnosisError(f"there are {classes} classes, should be two or more")
    return FAMILIES[family](lambda channels: max(1, math.floor(channels * width + 0.5)), tuple(shape), classes)


@dataclass(frozen=True)
class Match:
    """A width of a family of networks, what such a network holds, and what it should hold, bits."""

    family: str
    width: float
    capacity: int
    target: float

    @property
    def error(self) -> float:
        """Relative, of the capacity."""
        return self.capacity / self.target - 1


def scaled_capacity(family: str, width: float, shape: tuple[int, int, int], classes: int) -> int:
    """Bits that the network of this width holds; no parameter is drawn for it."""
    with torch.device("meta"):
        network = build_scaled(family, width, shape, classes)
    return network_capacity(network, shape).bits


def match_capacity(
    family: str, target: float, shape: tuple[int, int, int], classes: int, tolerance: float = 0.02
) -> Match:
    """The width whose capacity is nearest to the target, in bits, found by bisection: capacity grows with width.

    Raises DiagnosisError for a target below the smallest network, above the widest, and one that lies between two
    neighbouring widths that both miss it by more than the tolerance (small networks grow in large steps).
    """
    if not (0 < target < math.inf):
        raise DiagnosisError(f"the target capacity is {target} bits, should be positive")
    known: dict[float, int] = {}

    def capacity(width: float) -> int:
        if width not in known:
            known[width] = scaled_capacity(family, width, shape, classes)
        return known[width]

    low, high = 1e-6, 1.0
    if capacity(low) > target * (1 + tolerance):
        smallest = (
            f"{family} for {list(shape)} and {classes} classes holds {capacity(low)} bits with one channel a layer"
        )
        raise DiagnosisError(f"the target capacity is {target:.0f} bits; the smallest {smallest}")
    while capacity(high) < target:
        if high >= WIDEST:
            raise DiagnosisError(f"the target capacity is {target:.0f} bits; {family} of width {high:g} holds fewer")
        low, high = high, 2 * high
    while capacity(high) > capacity(low) and high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if capacity(middle) < target else (low, middle)
    width = min((low, high), key=lambda each: (abs(capacity(each) - target), each))
    found = Match(family, round(width, 6), scaled_capacity(family, round(width, 6), shape, classes), target)
    if abs(found.error) > tolerance:
        raise DiagnosisError(
            f"no width of {family} for {list(shape)} and {classes} classes meets {target:.0f} bits within "
            f"{tolerance:.0%}: the nearest hold {capacity(low)} and {capacity(high)} bits"
        )
    return found
