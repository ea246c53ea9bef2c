"""The embedded study's networks: small ones that learn the shapes, and one whose filters are set by hand."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from filterscope.data.networks.embedded_transformers import EVIDENCE, SceneConvNeXt, SceneViT
from filterscope.data.scenes.words import COLOURS, SHAPES

# What each planted filter detects and the token that names it, in the order of the channels.
FILTERS = (
    *(("colour", colour) for colour in COLOURS),
    ("orientation", "horizontal"),
    ("orientation", "vertical"),
    ("orientation", "diagonal"),  # stripes that rise to the right
    ("orientation", "diagonal"),  # stripes that fall to the right
    ("texture", "dotted"),
    ("texture", "checkered"),
    ("texture", "plain"),
)
# What the filters of `sums` add up, by the channels of the above: the first have two senses, the last one each.
SUMS = (
    (0, 3),  # red or green
    (2, 6),  # yellow or purple
    (1, 5),  # orange or blue
    (8, 12),  # horizontal or dotted
    (9, 13),  # vertical or checkered
    (11, 12),  # diagonal or dotted
    *((channel,) for channel in (0, 5, 6, 8, 12, 13)),
)
# Channels between the layers of the detectors.
PIXEL_PARTS = 3 * len(COLOURS) + 3  # how well a pixel's hue agrees with each colour, and its channels
COLOUR_PARTS = 2 * len(COLOURS) + 2  # how much of each colour it has, and its brightness
DIRECTIONS = (0, 45, 90, 135)  # degrees from the vertical, along which brightness varies
PHASES = 4  # of every direction: even and odd, each with both signs
ORIENTED = PHASES * len(DIRECTIONS)
MEASURES = len(COLOURS) + len(DIRECTIONS) + 2  # colours, energies, differences of opposite energies
WINDOW = 13  # px, of the oriented filters; two periods of the textures in pictures of 96 px
STRIDE = 4  # px, side of a cell of the detectors' maps


class SceneCNN(nn.Module):
    """A small CNN: picture [B, 3, H, W] to the logits of SHAPES.

    `features` ends in 64 maps of H / 8 x W / 8 after ReLU; `classifier` is linear on them at every place and
    ends in a map of evidence for every shape, after ReLU, so that an output unit can be looked at and explained
    like any filter. A logit is the mean of its map.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_block(3, 16, 5, stride=2),
            *_block(16, 32, 5, stride=2),
            *_block(32, 64, 3, stride=2),
            *_block(64, 64, 3),
            *_block(64, 64, 3),
            *_block(64, 64, 3),
        )
        self.classifier = nn.Sequential(nn.Conv2d(64, len(SHAPES), 1), nn.ReLU())
        nn.init.constant_(self.classifier[0].bias, EVIDENCE)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.pool(self.classifier(self.features(pictures))).flatten(1)


def _block(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def build_scenes_cnn() -> nn.Module:
    """The architecture, with torch's random weights."""
    return SceneCNN()


# What builds the networks that are trained on scenes, with torch's random weights, by source.
SCENES: dict[str, Callable[[], nn.Module]] = {
    "scenes_cnn": build_scenes_cnn,
    "scenes_vit": SceneViT,
    "scenes_convnext": SceneConvNeXt,
}
# Those that are shown pictures with their colours exchanged, and moved a little. Three main objects of five show a
# facet of their shape, so colour and texture alone tell two shapes of three, and these two, which have more to learn
# than the CNN, learn that first.
VARIED = ("scenes_vit", "scenes_convnext")


class Detectors(nn.Module):
    """Picture [B, 3, H, W], H and W multiples of STRIDE, to maps [B, len(FILTERS), H / STRIDE, W / STRIDE].

    `filterscope.data.networks.planting` sets the weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, PIXEL_PARTS, 1)
        self.colours = nn.Conv2d(PIXEL_PARTS, COLOUR_PARTS, 1)
        self.fill = nn.AvgPool2d(STRIDE)
        self.strongest = nn.MaxPool2d(2 * STRIDE, stride=STRIDE, padding=STRIDE // 2)
        self.oriented = nn.Conv2d(2, ORIENTED, WINDOW, stride=2, padding=WINDOW // 2, padding_mode="replicate")
        self.energy = nn.AvgPool2d(STRIDE, stride=STRIDE // 2, padding=1, count_include_pad=False)
        self.measures = nn.Conv2d(3 * len(COLOURS) + ORIENTED, MEASURES, 1)
        self.names = nn.Conv2d(MEASURES, len(FILTERS), 1)

    def forward(self, pictures: Tensor) -> Tensor:
        parts = functional.relu(self.colours(functional.relu(self.pixels(pictures))))
        colours = torch.cat([self.fill(parts[:, :-2]), self.strongest(parts[:, : len(COLOURS)])], 1)
        energies = self.energy(functional.relu(self.oriented(parts[:, -2:])))
        measures = self.measures(torch.cat([colours, energies], 1))
        return functional.relu(self.names(functional.relu(measures)))


class Planted(nn.Module):
    """The detectors and the mean of each of their maps, [B, len(FILTERS)].

    `sums` are filters with one or two senses, [B, len(SUMS), H / STRIDE, W / STRIDE]: to be looked at, no output.
    """

    def __init__(self) -> None:
        super().__init__()
        self.detectors = Detectors()
        self.sums = nn.Conv2d(len(FILTERS), len(SUMS), 1, bias=False)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.detectors(pictures)
        self.sums(maps)
        return self.pool(maps).flatten(1)


def build_planted() -> nn.Module:
    """The architecture, with torch's random weights, which `plant` replaces."""
    return Planted()
