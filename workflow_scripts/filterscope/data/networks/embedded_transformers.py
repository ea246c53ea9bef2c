"""Two further networks of scenes, small ones of the kinds that came after the CNN: a ViT and a ConvNeXt.

Both end as the CNN does (`filterscope.data.networks.embedded.SceneCNN`): `classifier` is linear on the features of
every place and ends in evidence for every shape, after ReLU; a logit is the mean of its evidence, times GAIN. So their
class units have a known name, and maps in the two layouts that the CNN's have not: tokens, and channels that come last.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from filterscope.data.scenes.words import SHAPES

EVIDENCE = 0.5  # that every shape starts with, so that no unit is dead before it has learnt
GAIN = 8.0  # main objects cover an eighth of a picture, and features behind a layer norm are not as large as one likes
STEPS = 10_000.0  # the longest wave of positions


def classifier(width: int) -> nn.Sequential:
    """Evidence for every shape of features whose last axis is the filters'."""
    units = nn.Sequential(nn.Linear(width, len(SHAPES)), nn.ReLU())
    nn.init.constant_(units[0].bias, EVIDENCE)
    return units


class Attention(nn.Module):
    """Every token looks at every other, in several heads; [B, N, C] to the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2) for each in self.qkv(tokens).chunk(3, 2)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(seen.transpose(1, 2).flatten(2))


def _mlp(width: int, times: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, times * width), nn.GELU(), nn.Linear(times * width, width))


class TransformerBlock(nn.Module):
    """Attention and neurons, each behind a norm and added to what it was given (Dosovitskiy et al. 2021)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.mlp = nn.LayerNorm(width), _mlp(width, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


def _halving(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    """Half as many places in each direction."""
    convolution = nn.Conv2d(inputs, outputs, kernel, 2, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class SceneViT(nn.Module):
    """A small vision transformer: picture [B, 3, H, W], H and W multiples of 8, to the logits of SHAPES.

    Patches of 8 px are embedded by three convolutions, for so few pictures teach no larger ones (Xiao et al. 2021);
    positions are waves, so that pictures may have any size. `class_token` is mixed with the others and stands for no
    place; the evidence is of the places alone.
    """

    def __init__(self, width: int = 64, depth: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            *_halving(3, width // 4, 5),
            *_halving(width // 4, width // 2, 5),
            *_halving(width // 2, width, 3)[:-1],
        )
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.norm, self.classifier = nn.LayerNorm(width), classifier(width)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.patches(pictures)
        tokens = (maps + positions(*maps.shape[1:], device=maps.device)).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return GAIN * self.classifier(self.norm(tokens))[:, 1:].mean(1)


def positions(width: int, height: int, columns: int, device: torch.device | str = "cpu") -> Tensor:
    """Waves that tell rows and columns, [width, height, columns]; a quarter of the channels is one sine or cosine."""
    waves = torch.exp(torch.arange(width // 4, device=device) * (-math.log(STEPS) / (width // 4)))
    rows = torch.arange(height, device=device)[:, None] * waves
    across = torch.arange(columns, device=device)[:, None] * waves
    rows, across = (torch.cat([each.sin(), each.cos()], 1) for each in (rows, across))
    rows = rows.T[:, :, None].expand(-1, -1, columns)
    return torch.cat([rows, across.T[:, None, :].expand(-1, height, -1)])


class ConvNeXtBlock(nn.Module):
    """Convolution by channel, norm and neurons, added to what it was given (Liu et al. 2022); [B, H, W, C]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.mlp = nn.LayerNorm(width), _mlp(width, 3)

    def forward(self, maps: Tensor) -> Tensor:
        mixed = self.depthwise(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return maps + self.mlp(self.norm(mixed))


class Downsampling(nn.Module):
    """Patches become places: [B, H, W, C] to [B, H / side, W / side, D], a norm behind."""

    def __init__(self, inputs: int, outputs: int, kernel: int, side: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(inputs, outputs, kernel, side, (kernel - side + 1) // 2)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        return self.norm(self.patches(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


class SceneConvNeXt(nn.Module):
    """A small ConvNeXt: picture [B, 3, H, W], H and W multiples of 8, to the logits of SHAPES. Channels come last."""

    def __init__(self, widths: tuple[int, int] = (32, 64), depth: int = 2) -> None:
        super().__init__()
        first, second = widths
        early, late = Downsampling(3, first, 7, 4), Downsampling(first, second, 3, 2)
        self.features = nn.Sequential(
            nn.Sequential(early, *(ConvNeXtBlock(first) for _ in range(depth))),
            nn.Sequential(late, *(ConvNeXtBlock(second) for _ in range(depth))),
        )
        self.norm, self.classifier = nn.LayerNorm(second), classifier(second)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.features(pictures.permute(0, 2, 3, 1))
        return GAIN * self.classifier(self.norm(maps)).mean((1, 2))
