"""Residual networks for small pictures: with and without shortcuts, Fixup, and pyramids.

Sources: He et al. 2016, section 4.2 (ResNet-32 and -56); the usual ResNet-18 with a 3 x 3 stem; Zhang et al. 2019
and their code (Fixup); Han et al. 2017 and their code (PyramidNet). Every use of a ReLU is a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    """Padded, without bias."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Widened(nn.Module):
    """A shortcut without parameters: every stride-th position, and zeros in the new channels."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, maps: Tensor) -> Tensor:
        return nn.functional.pad(maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """A shortcut with a 1 x 1 convolution."""
    return nn.Sequential(convolution(inputs, outputs, stride, 1), nn.BatchNorm2d(outputs))


class Basic(nn.Module):
    """Two convolutions and a shortcut, or none: [B, inputs, H, W] to [B, outputs, H / stride, W / stride]."""

    def __init__(self, inputs: int, outputs: int, stride: int, widen: Callable | None):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, outputs), nn.BatchNorm2d(outputs)
        self.relu1, self.relu2 = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
        self.shortcut: nn.Module | None = None
        if widen is not None:
            same = inputs == outputs and stride == 1
            self.shortcut = nn.Identity() if same else widen(inputs, outputs, stride)

    def forward(self, maps: Tensor) -> Tensor:
        changed = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(maps)))))
        return self.relu2(changed if self.shortcut is None else changed + self.shortcut(maps))


class FixupBasic(nn.Module):
    """Two convolutions with scalar biases and a scale instead of batch norm; starts as the identity."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.bias1a, self.bias1b, self.bias2a, self.bias2b = (nn.Parameter(torch.zeros(1)) for _ in range(4))
        self.scale = nn.Parameter(torch.ones(1))
        self.conv1, self.conv2 = convolution(inputs, outputs, stride), convolution(outputs, outputs)
        self.relu1, self.relu2 = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
        self.shortcut = Widened(inputs, outputs, stride) if stride > 1 or inputs != outputs else None

    def forward(self, maps: Tensor) -> Tensor:
        biased = maps + self.bias1a
        changed = self.relu1(self.conv1(biased) + self.bias1b)
        changed = self.conv2(changed + self.bias2a) * self.scale + self.bias2b
        return self.relu2(changed + (maps if self.shortcut is None else self.shortcut(biased)))


class Biased(nn.Module):
    """Adds one learnt number."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.bias


class PyramidBasic(nn.Module):
    """BN, convolution, BN, ReLU, convolution, BN; the shortcut is pooled and padded with zeros."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), convolution(inputs, outputs, stride)
        self.bn2, self.relu = nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
        self.conv2, self.bn3 = convolution(outputs, outputs), nn.BatchNorm2d(outputs)
        self.pool = nn.AvgPool2d(2, 2, ceil_mode=True) if stride == 2 else nn.Identity()
        self.widen = Widened(inputs, outputs, 1)

    def forward(self, maps: Tensor) -> Tensor:
        changed = self.bn3(self.conv2(self.relu(self.bn2(self.conv1(self.bn1(maps))))))
        return changed + self.widen(self.pool(maps))


class Residual(nn.Module):
    """Stem, blocks and a classifier on the mean of the last maps: [B, channels, H, W] to logits [B, classes]."""

    def __init__(self, stem: nn.Module, blocks: Sequence[nn.Module], head: nn.Module, width: int, classes: int):
        super().__init__()
        self.stem, self.blocks, self.head = stem, nn.Sequential(*blocks), head
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.classifier(self.pool(self.head(self.blocks(self.stem(pictures)))).flatten(1))


def _stages(widths: Sequence[int], depths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Inputs, outputs and stride of every block; each stage but the first halves the maps."""
    plan, inputs = [], widths[0]
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for block in range(depth):
            plan.append((inputs, width, 2 if stage and not block else 1))
            inputs = width
    return plan


def resnet(
    classes: int, channels: int, widths: Sequence[int], depths: Sequence[int], widen: Callable | None
) -> nn.Module:
    """widths and depths of the stages; widen: how a shortcut gets more channels, None for no shortcuts at all."""
    stem = nn.Sequential(convolution(channels, widths[0]), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
    blocks = [Basic(*each, widen) for each in _stages(widths, depths)]
    network = Residual(stem, blocks, nn.Identity(), widths[-1], classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def fixup_resnet(classes: int, channels: int, widths: Sequence[int], depths: Sequence[int]) -> nn.Module:
    """A ResNet without batch norm. Its classifier and the ends of its blocks start at zero."""
    stem = nn.Sequential(convolution(channels, widths[0]), Biased(), nn.ReLU(inplace=True))
    blocks = [FixupBasic(*each) for each in _stages(widths, depths)]
    network = Residual(stem, blocks, Biased(), widths[-1], classes)
    nn.init.kaiming_normal_(stem[0].weight, mode="fan_out", nonlinearity="relu")
    for block in blocks:
        nn.init.kaiming_normal_(block.conv1.weight, mode="fan_out", nonlinearity="relu")
        block.conv1.weight.data.mul_(len(blocks) ** -0.5)
        nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(network.classifier.weight)
    nn.init.zeros_(network.classifier.bias)
    return network


def pyramidnet(classes: int, channels: int, depths: Sequence[int], widening: int) -> nn.Module:
    """Every block is widening / blocks channels wider than the one before, from 16 (Han et al., additive, floors)."""
    stem = nn.Sequential(convolution(channels, 16), nn.BatchNorm2d(16))
    blocks: list[nn.Module] = []
    inputs = 16
    for stage, depth in enumerate(depths):
        for block in range(depth):
            width = 16 + widening * (len(blocks) + 1) // sum(depths)
            blocks.append(PyramidBasic(inputs, width, 2 if stage and not block else 1))
            inputs = width
    head = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
    network = Residual(stem, blocks, head, inputs, classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
